// What the voting page needs of qr: a text as rows of black and white.
export { encodeQR } from 'qr';
