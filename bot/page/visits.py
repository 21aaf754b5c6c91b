"""A visit: the page gave a right pack code, and gets a sealed note of it, which it shows again with the vote code.

The note is stored nowhere: it is encrypted for us, bound to its session, and says whether the page was told of a vote
that is locked already. Its hash names the voting paper that the right codes open.
"""

import base64
import hashlib
from binascii import Error
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from voting.codes.hashing import HASH_BYTES, keyed_hash
from voting.refusals import UnknownIntent

LIFE: Final = timedelta(hours=12)  # between the pack code and the vote code
PAPER_CHARACTERS: Final = 16  # as `voting.votes.cast.new_intent_id`
_DOMAIN: Final = b"ballotline page visit 1"
_OWNER_BYTES: Final = 8
_AT_BYTES: Final = 8


@dataclass(frozen=True, slots=True, repr=False)
class Visit:
    """What a note says: the pack (the hash of its code), when, and whether a warning went with it."""

    pack: bytes
    at: datetime
    warned: bool


def write_visit(key: bytes, visit: Visit, identity: str) -> str:
    """Seal a note for the session of this identity: at most 128 characters of base64url."""
    flag = b"\x01" if visit.warned else b"\x00"
    seconds = int(visit.at.timestamp()).to_bytes(_AT_BYTES)
    closed = _box(key).encrypt(flag + seconds + _owner(identity) + visit.pack)
    return base64.urlsafe_b64encode(closed).decode().rstrip("=")


def read_visit(key: bytes, written: str, identity: str, now: datetime) -> Visit:
    """Open a note; UnknownIntent if it is not ours, of another session, or too old."""
    try:
        plain = _box(key).decrypt(base64.urlsafe_b64decode(written + "=" * (-len(written) % 4)))
    except (CryptoError, Error, ValueError):
        raise UnknownIntent from None
    flag, rest = plain[:1], plain[1:]
    seconds, owner, pack = rest[:_AT_BYTES], rest[_AT_BYTES : _AT_BYTES + _OWNER_BYTES], rest[-HASH_BYTES:]
    at = datetime.fromtimestamp(int.from_bytes(seconds), UTC)
    if owner != _owner(identity) or now - at > LIFE:
        raise UnknownIntent
    return Visit(pack, at, warned=flag == b"\x01")


def paper_of(written: str) -> str:
    """Name the voting paper that a note's codes open."""
    return base64.urlsafe_b64encode(hashlib.sha256(written.encode()).digest()).decode()[:PAPER_CHARACTERS]


def _box(key: bytes) -> SecretBox:
    return SecretBox(keyed_hash(key, _DOMAIN))


def _owner(identity: str) -> bytes:
    return hashlib.sha256(identity.encode()).digest()[:_OWNER_BYTES]
