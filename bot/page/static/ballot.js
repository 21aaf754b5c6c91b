// A ballot's JSON, byte for byte as voting/ballots writes it; its signature, seal code, digest and mark.

import { hashOf } from './election.js';
import { digestOf, writePoint } from './group.js';
import { markOf } from './mark.js';
import { proveKnowledge } from './proofs.js';

// What the signature hashes, and the seal code: the ballot without a signature.
export function writeUnsigned(election, credential, answers) {
  return JSON.stringify({
    election_uuid: election.uuid,
    election_hash: election.hash,
    credential,
    answers: answers.map(answerJson),
  });
}

export function sealCode(unsigned) {
  return markOf(digestOf(unsigned));
}

// Only now can it be cast. The nonce is a fresh random scalar.
export function sign(unsigned, secret, nonce) {
  const hash = hashOf(unsigned);
  const proof = proofJson(proveKnowledge(secret, `sig|${hash}|`, nonce));
  return `${unsigned.slice(0, -1)},"signature":${JSON.stringify({ hash, proof })}}`;
}

function answerJson({ choices, individual, overall, blank }) {
  return {
    choices: choices.map(({ alpha, beta }) => ({ alpha: writePoint(alpha), beta: writePoint(beta) })),
    individual_proofs: individual.map((proofs) => proofs.map(proofJson)),
    overall_proof: overall.map(proofJson),
    ...(blank ? { blank_proof: blank.map(proofJson) } : {}),
  };
}

export function proofJson({ challenge, response }) {
  return { challenge: String(challenge), response: String(response) };
}
