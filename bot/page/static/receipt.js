// The receipt that proves a dropped ballot: what the service signed about this one.

import { ed25519 } from './ed25519.js';
import { fromHex } from './group.js';

// Ed25519 over `ballotline receipt 1|` uuid `|` SHA-256 of the ballot `|` number of the entry.
export function isSignedBy(signingKey, uuid, { digest, entry, signature }) {
  const text = `ballotline receipt 1|${uuid}|${digest}|${entry}`;
  try {
    return ed25519.verify(fromHex(signature), new TextEncoder().encode(text), fromHex(signingKey), { zip215: false });
  } catch {
    return false; // not even a signature
  }
}

export function receiptText(uuid, { receipt, digest, entry, signature }, isSigned) {
  return isSigned ? `${receipt} ballotline receipt 1|${uuid}|${digest}|${entry} ${signature}` : `${receipt} ${uuid}`;
}
