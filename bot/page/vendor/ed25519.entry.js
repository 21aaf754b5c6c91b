// What the voting page needs of @noble/curves and @noble/hashes: the curve's points, its signatures, SHA-256.
export { ed25519 } from '@noble/curves/ed25519.js';
export { sha256 } from '@noble/hashes/sha2.js';
