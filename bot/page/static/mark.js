// The mark: a short name of a SHA-256 for eyes, `ABCD-EFGH-JKMN-PQRS`.

import { toNumber } from './group.js';

export const ALPHABET = '23456789ABCDEFGHJKMNPQRSTUVWXYZ'; // no 0 or O, no 1, I or L
const BASE = BigInt(ALPHABET.length);

export function markOf(digest) {
  let number = toNumber(digest.slice(0, 10)) % BASE ** 16n;
  let digits = '';
  for (let place = 0; place < 16; place += 1) {
    digits = ALPHABET[Number(number % BASE)] + digits;
    number /= BASE;
  }
  return digits.match(/.{4}/g).join('-');
}
