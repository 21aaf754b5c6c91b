"""The credential: a pack's two codes as a key, and the proof that somebody has both, which names neither."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from voting.ballots.election import check_uuid
from voting.ballots.group import ORDER, Point, base_times, check_point, write_point
from voting.ballots.proofs import Proof, check_knowledge, knowledge_prefix, prove_knowledge
from voting.ballots.refusals import FieldWrong

ROUNDS: Final = 1_000
SECRET_BYTES: Final = 64
PURPOSES: Final = ("check", "vote")

_CODE: Final = re.compile(r"[2-9A-HJKMNP-Z]{4,32}")  # canonical: upper case, no dashes, our 31 letters
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")


def derive_secret(pack_code: str, vote_code: str, uuid: str) -> int:
    """Derive the secret from both canonical codes, their check characters included: 0 <= secret < q.

    PBKDF2-HMAC-SHA-512, 1,000 rounds, 64 bytes, big-endian, modulo q. A code that is not canonical is refused.
    """
    for field, code in (("pack_code", pack_code), ("vote_code", vote_code)):
        if not _CODE.fullmatch(code):
            raise FieldWrong(field, problem="upper-case letters and digits without dashes")
    salt = f"ballotline credential 1|{check_uuid(uuid, 'uuid')}".encode()
    derived = hashlib.pbkdf2_hmac("sha512", (pack_code + vote_code).encode(), salt, ROUNDS, SECRET_BYTES)
    return int.from_bytes(derived, "big") % ORDER


def public_credential(secret: int) -> Point:
    """Give what is kept with the pack: g to the secret; `PointWrong` for a secret that is 0 modulo q."""
    return check_point(base_times(secret), "credential")


def credentials_digest(written: Iterable[str]) -> str:
    """Hash a list of credentials as the chain names it: SHA-256 of their 64 digits, ascending, a line feed between."""
    return hashlib.sha256("\n".join(sorted(written)).encode("ascii")).hexdigest()


@dataclass(frozen=True, slots=True)
class CodesAsked:
    """What a proof of the codes is bound to: this election, this session of the page, this paper, one purpose."""

    uuid: str
    session: str
    intent: str
    purpose: str

    def __post_init__(self) -> None:
        """Refuse what could be read in two ways in the hashed text."""
        check_uuid(self.uuid, "uuid")
        for field in ("session", "intent"):
            if not _ID.fullmatch(getattr(self, field)):
                raise FieldWrong(field, problem="1 to 128 letters, digits, - or _")
        if self.purpose not in PURPOSES:
            raise FieldWrong("purpose", problem="check or vote")


def prove_codes(secret: int, asked: CodesAsked, nonce: int) -> Proof:
    """Prove that we have the codes; `nonce` is a fresh random scalar."""
    return prove_knowledge(secret, _prefix(public_credential(secret), asked), nonce)


def check_codes(proof: Proof, credential: Point, asked: CodesAsked) -> None:
    """Raise `ProofWrong("proof")` unless whoever made the proof has both codes of this credential."""
    check_point(credential, "credential")
    check_knowledge(proof, credential, _prefix(credential, asked), "proof")


def _prefix(credential: Point, asked: CodesAsked) -> str:
    parts = (asked.uuid, asked.session, asked.intent, asked.purpose, write_point(credential))
    return knowledge_prefix("ballotline codes 1", *parts)
