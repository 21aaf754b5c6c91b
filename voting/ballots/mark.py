"""The mark: a short name of 32 hashed bytes for eyes. What commits is the whole hash.

Ballot's receipt, seal code and key fingerprint share it: the first 10 bytes of a SHA-256 as a big-endian number modulo
31^16, as 16 digits of our 31 letters, the most significant first, in fours: `ABCD-EFGH-JKMN-PQRS`.
"""

import hashlib
import re
from typing import Final

from voting.ballots.refusals import FieldWrong

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # no 0 or O, no 1, I or L
DIGITS: Final = 16
GROUP_DIGITS: Final = 4
HASHED_BYTES: Final = 10

_MARK: Final = re.compile(rf"[{ALPHABET}]{{4}}(?:-[{ALPHABET}]{{4}}){{3}}")


def mark_of(digest: bytes) -> str:
    """Write the mark of a SHA-256 of 32 bytes."""
    number = int.from_bytes(digest[:HASHED_BYTES], "big") % len(ALPHABET) ** DIGITS
    digits = ""
    for _ in range(DIGITS):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return "-".join(digits[start : start + GROUP_DIGITS] for start in range(0, DIGITS, GROUP_DIGITS))


def read_mark(text: str, field: str = "mark") -> str:
    """Return a mark as it is written, from one typed in small letters, with spaces or without dashes."""
    letters = re.sub(r"[\s-]", "", text.upper())
    mark = "-".join(letters[start : start + GROUP_DIGITS] for start in range(0, len(letters), GROUP_DIGITS))
    if not _MARK.fullmatch(mark):
        raise FieldWrong(field, problem=f"{DIGITS} letters of {ALPHABET}")
    return mark


def key_fingerprint(election_hash: str, trustees: bytes, signing_key: bytes) -> str:
    """Write what strangers compare before they trust a key: election, trustees and the key that signs the chain.

    Over election_hash `|` SHA-256 of trustees.json `|` the 32 bytes of the Ed25519 key, both in lower-case hexadecimal.
    """
    text = f"{election_hash}|{hashlib.sha256(trustees).hexdigest()}|{signing_key.hex()}"
    return mark_of(hashlib.sha256(text.encode()).digest())
