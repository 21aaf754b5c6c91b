"""The vectors that Python and the voting page share; run it to write tests/data/ballot-vectors.json to the output.

Points, scalars and hashes are written as in ballots; draws and nonces are scalars in decimal.
"""

import json
import sys
from typing import Any

from sealed import ANY, BLANK_OR_SOME, ONE_OF_TWO, UUID, draws_for, election_of

from voting.ballots.ballot import Ballot, ballot_digest, ballot_mark, seal_code, sign, write_ballot, write_unsigned
from voting.ballots.credential import CodesAsked, derive_secret, prove_codes, public_credential
from voting.ballots.election import Election, describe_paper
from voting.ballots.group import hash_to_scalar, write_point
from voting.ballots.mark import key_fingerprint, mark_of
from voting.ballots.packed import pack
from voting.ballots.proofs import Proof
from voting.ballots.seal import Choices, seal

CODES = [("VK475JSUE", "ES2G2H74GVKQ"), ("2345678AB", "23456789ABCD")]
MARKED = [bytes(32), bytes(range(32)), b"\xff" * 32]
SEALED: list[tuple[Election, Choices]] = [
    (election_of(ONE_OF_TWO), [(0, 1)]),
    (election_of(ONE_OF_TWO, BLANK_OR_SOME, ANY), [(1, 0), (0, 1, 0, 1), (0, 0)]),
    (election_of(ONE_OF_TWO, BLANK_OR_SOME, ANY), [(0, 1), (1, 0, 0, 0), (1, 1)]),
]
ASKED = [CodesAsked(UUID, "session-1", "intent_1", purpose) for purpose in ("check", "vote")]


def vectors() -> dict[str, Any]:
    """Everything, computed anew."""
    secret = derive_secret(*CODES[0], UUID)
    paper = b'{"title":{"en":"Leader"}}'
    fingerprint = key_fingerprint(SEALED[0][0].hash, b"[]", bytes(range(32)))
    return {
        "uuid": UUID,
        "credentials": [_credential(*codes) for codes in CODES],
        "marks": [{"digest": digest.hex(), "mark": mark_of(digest)} for digest in MARKED],
        "paper": {"written": paper.decode(), "description": describe_paper(paper)},
        "key": {"trustees": "[]", "signing_key": bytes(range(32)).hex(), "fingerprint": fingerprint},
        "ballots": [_ballot(number, *pair, secret) for number, pair in enumerate(SEALED)],
        "codes": [_codes(asked, secret) for asked in ASKED],
    }


def _credential(pack_code: str, vote_code: str) -> dict[str, str]:
    secret = derive_secret(pack_code, vote_code, UUID)
    public = write_point(public_credential(secret))
    return {"pack_code": pack_code, "vote_code": vote_code, "secret": str(secret), "credential": public}


def _ballot(number: int, election: Election, choices: Choices, secret: int) -> dict[str, Any]:
    draws, nonce = draws_for(election, f"vector {number}"), hash_to_scalar(f"nonce {number}")
    sealed = seal(election, public_credential(secret), choices, draws)
    return {
        "election": election.written.decode(),
        "election_hash": election.hash,
        "choices": [list(bits) for bits in choices],
        "draws": [str(draw) for draw in draws],
        "unsigned": write_unsigned(sealed),
        "seal_code": seal_code(sealed),
        "nonce": str(nonce),
        **_signed(sign(sealed, secret, nonce)),
    }


def _signed(ballot: Ballot) -> dict[str, str]:
    return {
        "ballot": write_ballot(ballot).decode(),
        "packed": pack(ballot).hex(),
        "digest": ballot_digest(ballot).hex(),
        "mark": ballot_mark(ballot),
    }


def _codes(asked: CodesAsked, secret: int) -> dict[str, Any]:
    nonce = hash_to_scalar(f"codes {asked.purpose}")
    facts = {"session": asked.session, "intent": asked.intent, "purpose": asked.purpose}
    return {**facts, "nonce": str(nonce), "proof": _proof(prove_codes(secret, asked, nonce))}


def _proof(proof: Proof) -> dict[str, str]:
    return {name: str(number) for name, number in proof._asdict().items()}


if __name__ == "__main__":
    json.dump(vectors(), sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")
