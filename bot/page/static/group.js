// The group of every key and ballot: points of order q of edwards25519, written as Belenios writes them.

import { ed25519, sha256 } from './ed25519.js';

const { Point } = ed25519;
const encoder = new TextEncoder();

export const ORDER = Point.Fn.ORDER; // q
export const IDENTITY = Point.ZERO;

// The representative below q, never negative.
export function modulo(number) {
  const rest = number % ORDER;
  return rest < 0n ? rest + ORDER : rest;
}

export function baseTimes(scalar) {
  const reduced = modulo(scalar);
  return reduced ? Point.BASE.multiply(reduced) : IDENTITY;
}

export function times(scalar, point) {
  const reduced = modulo(scalar);
  return reduced ? point.multiply(reduced) : IDENTITY;
}

// A point that many multiplications share gets a table: each is then four times faster.
export function prepared(point) {
  return point.precompute(6, false);
}

// The 32 bytes backwards, as 64 hexadecimal digits.
export function writePoint(point) {
  return toHex(point.toBytes().reverse());
}

// Only canonical points of order q, and not the identity.
export function readPoint(text) {
  if (!/^[0-9a-f]{64}$/.test(text)) throw new Error('not a point');
  const point = Point.fromBytes(fromHex(text).reverse());
  if (!point.isTorsionFree() || point.equals(IDENTITY)) throw new Error('not a point of order q');
  return point;
}

export function hashToScalar(text) {
  return modulo(toNumber(sha256(encoder.encode(text))));
}

// Each number below q equally likely: 253 random bits, drawn again when they are not below it.
export function randomScalar() {
  for (;;) {
    const bytes = crypto.getRandomValues(new Uint8Array(32));
    bytes[0] &= 0x1f;
    const number = toNumber(bytes);
    if (number < ORDER) return number;
  }
}

export function digestOf(text) {
  return sha256(encoder.encode(text));
}

export function toNumber(bytes) {
  return BigInt(`0x${toHex(bytes)}`);
}

export function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function fromHex(text) {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
