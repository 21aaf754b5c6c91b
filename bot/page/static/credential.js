// The credential: the two codes of a letter as a key, and the proof that somebody has both.

import { proofJson } from './ballot.js';
import { baseTimes, modulo, toNumber, writePoint } from './group.js';
import { proveKnowledge } from './proofs.js';

const ROUNDS = 1000;

// Both codes canonical: upper case, no dashes, their check characters included.
export async function deriveSecret(packCode, voteCode, uuid) {
  const encoder = new TextEncoder();
  const codes = await crypto.subtle.importKey('raw', encoder.encode(packCode + voteCode), 'PBKDF2', false, ['deriveBits']);
  const salt = encoder.encode(`ballotline credential 1|${uuid}`);
  const bits = await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-512', salt, iterations: ROUNDS }, codes, 512);
  return modulo(toNumber(new Uint8Array(bits)));
}

export function publicCredential(secret) {
  return writePoint(baseTimes(secret));
}

// Bound to this election, this session of the page, this paper and one purpose (`check` or `vote`).
export function proveCodes(secret, { uuid, session, intent, purpose }, nonce) {
  const prefix = ['ballotline codes 1', uuid, session, intent, purpose, publicCredential(secret), ''].join('|');
  return proofJson(proveKnowledge(secret, prefix, nonce));
}
