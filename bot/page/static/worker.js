// Holds what is secret while somebody votes: the credential's secret and the random numbers of the sealed ballot.
// Nothing of it leaves this worker but a proof, a signed ballot, or a ballot that is opened and so never signed.

import { sealCode, sign, writeUnsigned } from './ballot.js';
import { deriveSecret, proveCodes, publicCredential } from './credential.js';
import { readElection, readPaper } from './election.js';
import { digestOf, prepared, randomScalar, toHex } from './group.js';
import { markOf } from './mark.js';
import { drawRandomness, seal } from './seal.js';

let election = null;
let secret = null;
let sealed = null;

const acts = {
  // Reads both files; gives what the page shows of them, and the fingerprint that strangers compare.
  open({ written, paper, trustees, signingKey }) {
    election = readElection(written);
    election.key = prepared(election.key);
    const fingerprint = markOf(digestOf(`${election.hash}|${trustees}|${signingKey}`));
    return { uuid: election.uuid, hash: election.hash, paper: readPaper(paper, election), fingerprint };
  },

  // Keeps the secret of both codes and proves that we have it.
  async prove({ packCode, voteCode, uuid, session, intent, purpose }) {
    sealed = null;
    secret = await deriveSecret(packCode, voteCode, uuid);
    const proof = proveCodes(secret, { uuid, session, intent, purpose }, randomScalar());
    return { credential: publicCredential(secret), proof };
  },

  // Seals the choices with fresh random numbers, without a signature.
  seal({ choices }) {
    const credential = publicCredential(secret);
    const draws = drawRandomness(election);
    const unsigned = writeUnsigned(election, credential, seal(election, credential, choices, draws));
    sealed = { unsigned, choices, draws, credential, code: sealCode(unsigned) };
    return { code: sealed.code };
  },

  // Opens the sealed ballot for a test; it is forgotten here, so that it can never be signed.
  test() {
    const { choices, draws, credential, code } = sealed;
    sealed = null;
    return {
      format: 'ballotline tested 1',
      uuid: election.uuid,
      election_hash: election.hash,
      credential,
      choices,
      draws: draws.map(String),
      seal_code: code,
    };
  },

  // Signs the sealed ballot; from here on nothing of it is secret, and secret and random numbers are forgotten.
  sign() {
    const ballot = sign(sealed.unsigned, secret, randomScalar());
    const digest = digestOf(ballot);
    sealed = null;
    return { ballot, digest: toHex(digest), mark: markOf(digest) };
  },

  forget() {
    secret = null;
    sealed = null;
    return {};
  },
};

self.addEventListener('message', async ({ data: { id, act, facts } }) => {
  try {
    self.postMessage({ id, answer: await acts[act](facts) });
  } catch (error) {
    self.postMessage({ id, fault: String(error) });
  }
});
