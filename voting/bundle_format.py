"""The published bundle's file format: names, encodings and messages; all that `verify` takes from us.

Every file is UTF-8 text with Unix line ends. `manifest.json` holds the SHA-256 of every other file but
`manifest.sig`, which signs it; `lines.txt` holds a short hash of every line of every other file, so that a changed
byte can be named by its line.
"""

import hashlib
import json
from typing import Any, Final

FORMAT: Final = "ballotline bundle 1"

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
LINES: Final = "lines.txt"
POLL: Final = "poll.json"
KEY: Final = "key.json"
CHAIN: Final = "chain.jsonl"
HEADS: Final = "heads.jsonl"
BOX: Final = "box.txt"
RECEIPTS: Final = "receipts.txt"
OPENINGS: Final = "openings.txt"
POSTAL: Final = "postal.json"
RESULT: Final = "result.json"
PAGE: Final = "result.html"
README: Final = "README.txt"

CONTENT: Final = (POLL, KEY, CHAIN, HEADS, BOX, RECEIPTS, OPENINGS, POSTAL, RESULT, PAGE, README)
EVERYTHING: Final = (*CONTENT, LINES, MANIFEST, SIGNATURE)
LINE_HASH_DIGITS: Final = 12
GENESIS: Final = bytes(32)


def canonical(value: object) -> bytes:
    """Write JSON in the one way that is hashed: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def sha256(value: bytes) -> str:
    """Hash bytes, 64 hexadecimal digits."""
    return hashlib.sha256(value).hexdigest()


def line_hash(line: bytes) -> str:
    """Hash one line, without its end, short."""
    return hashlib.sha256(line).hexdigest()[:LINE_HASH_DIGITS]


def entry_hash(entry: dict[str, Any], previous: bytes) -> bytes:
    """Hash a chain entry's words and the hash before it; `at` is whole microseconds since 1970 UTC."""
    words = {name: entry[name] for name in ("seq", "at", "actor", "kind", "body")}
    return hashlib.sha256(canonical(words) + previous).digest()


def head_message(seq: int, digest_hex: str) -> bytes:
    """Give what a signed head signs."""
    return canonical({"head": seq, "hash": digest_hex})


def signing_fingerprint(public_key_hex: str) -> str:
    """Name a signing key for people to compare: 8 groups of 4."""
    digits = hashlib.sha256(b"ballotline signing key 1\0" + bytes.fromhex(public_key_hex)).hexdigest()[:32]
    return " ".join(digits[at : at + 4] for at in range(0, 32, 4))


def box_digest(sealed: list[bytes]) -> str:
    """Hash a whole box; sorted, so that its order says nothing."""
    return hashlib.sha256(b"".join(sorted(sealed))).hexdigest()


def receipts_digest(receipts: list[str]) -> str:
    """Hash all receipts, sorted."""
    return hashlib.sha256("\n".join(sorted(receipts)).encode()).hexdigest()
