"""Pack codes and vote codes: the public interface to their format, their reading and their keyed hashes.

The database holds only the hashes. They are keyed (BLAKE2b) with a secret from the secrets file, so a stolen
database cannot be searched for codes without it.
"""

import hmac
from typing import Final

from voting.codes.format import ALPHABET, CheckRule, Kind, generate, printed
from voting.codes.hashing import keyed_hash
from voting.codes.reading import LOOK_ALIKES, Code, Parsed, Problem, Reason, contains_code, parse, redact

__all__ = [
    "ALPHABET",
    "LOOK_ALIKES",
    "CheckRule",
    "Code",
    "Kind",
    "Parsed",
    "Problem",
    "Reason",
    "contains_code",
    "generate",
    "hash_pack",
    "hash_wrong",
    "parse",
    "printed",
    "redact",
    "same",
]

_PACK_DOMAIN: Final = b"ballotline pack code 1"
_WRONG_DOMAIN: Final = b"ballotline wrong codes 1"


def hash_pack(key: bytes, poll_id: str, canonical: str) -> bytes:
    """Hash a pack code, 32 bytes: how a pack is found. Wrong guesses are told apart by the same hash."""
    return keyed_hash(key, _PACK_DOMAIN, poll_id.encode(), canonical.encode())


def hash_wrong(key: bytes, poll_id: str, credential: bytes) -> bytes:
    """Hash a pair of codes that is wrong, by the credential they give, 32 bytes: the same mistake counts once."""
    return keyed_hash(key, _WRONG_DOMAIN, poll_id.encode(), credential)


def same(a: bytes, b: bytes) -> bool:
    """Compare two hashes in a time that does not depend on where they differ."""
    return hmac.compare_digest(a, b)
