// The proofs of Belenios's protocol 1: that we know a secret, and that one of several sums is what is encrypted.

import { baseTimes, hashToScalar, modulo, times, writePoint } from './group.js';

// Schnorr: we know the secret of g^secret. The nonce is a fresh random scalar, never used twice.
export function proveKnowledge(secret, prefix, nonce) {
  const challenge = hashToScalar(prefix + writePoint(baseTimes(nonce)));
  return { challenge, response: modulo(nonce - secret * challenge) };
}

// One branch a statement: { randomness, offset, nonce, challenge }. A statement is true where its offset is 0.
// The first true one takes what the hash leaves over; the others take their random challenges.
export function proveOneOf(key, branches, prefix) {
  const proved = branches.findIndex((branch) => branch.offset === 0);
  const commitments = branches.map((branch, index) => commitment(key, branch, index === proved));
  const others = branches.reduce((sum, branch, index) => (index === proved ? sum : sum + branch.challenge), 0n);
  const rest = modulo(hashToScalar(prefix + commitments.join(',')) - others);
  return branches.map((branch, index) => {
    const challenge = index === proved ? rest : branch.challenge;
    return { challenge, response: modulo(branch.nonce - branch.randomness * challenge) };
  });
}

function commitment(key, { offset, nonce, challenge }, isProved) {
  const masked = times(nonce, key);
  const second = isProved ? masked : masked.add(baseTimes(BigInt(offset) * challenge));
  return `${writePoint(baseTimes(nonce))},${writePoint(second)}`;
}
