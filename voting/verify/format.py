"""What a published bundle is made of: names of files, how their bytes are written, what is signed.

A test holds what it repeats of the audit chain together with the house's own.

    manifest.json       every file below with its length and SHA-256; where the chain ends; how far the count is
    manifest.sig        Ed25519 signature of the manifest, by the key that signs the chain
    lines.txt           a short digest of every line of every text below: says which line was changed
    poll.json           the poll as the chain's entries made it: texts, times, keys, the roll's size
    paper.json          what every voter saw, in every language, with the bytes it had at the opening
    chain.jsonl         the audit chain, one entry per line, each signed
    heads.jsonl         its signed heads
    credentials.txt     every credential ever issued: 64 digits, the entry that issued it, the entry that ended it or -
    postal.json         papers received, rejected and set aside, and their count
    belenios/UUID.bel   election, trustees, credentials, ballots and encrypted tally, as Belenios writes them
    README.txt          how to check all this

and once there is a result

    decryptions.jsonl   the trustees' decryptions, one per line, with the proofs that Belenios does not know
    result.json         the result
    result.html         the same to read and print

Text is UTF-8 with a line feed after every line. Hexadecimal is lower case. Numbers are whole: a percentage is a
text with two decimals.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO, Final

FORMAT: Final = "ballotline bundle 2"
TALLIED: Final = "tally"  # the stages of a bundle: the trustees have yet to decrypt
RESULTED: Final = "result"

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
LINES: Final = "lines.txt"
POLL: Final = "poll.json"
PAPER: Final = "paper.json"
CHAIN: Final = "chain.jsonl"
HEADS: Final = "heads.jsonl"
CREDENTIALS: Final = "credentials.txt"
POSTAL: Final = "postal.json"
DECRYPTIONS: Final = "decryptions.jsonl"
RESULT: Final = "result.json"
PAGE: Final = "result.html"
README: Final = "README.txt"
ARCHIVES: Final = "belenios"  # the folder of the archive

_ALWAYS: Final = (POLL, PAPER, CHAIN, HEADS, CREDENTIALS, POSTAL, README)
TEXTS: Final = {TALLIED: _ALWAYS, RESULTED: (*_ALWAYS, DECRYPTIONS, RESULT, PAGE)}  # what `LINES` is of, in its order

LINE_BYTES_MAX: Final = 1024 * 1024  # the longest line is a chain entry that holds the poll's rule
SMALL_BYTES_MAX: Final = 4 * 1024 * 1024  # of a file that is read whole
LINE_DIGEST_BYTES: Final = 4
LINES_PER_ROW: Final = 32  # of `LINES`
LANGUAGES_MAX: Final = 16  # of a poll

GENESIS: Final = bytes(32)
KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
SIGNATURE_PURPOSE: Final = b"ballotline bundle manifest 1\n"

# Kinds of chain entries that the bundle's other files are checked against.
POLL_INITIALISED: Final = "poll_initialised"
TRUSTEES_SET: Final = "trustees_set"  # trustees, threshold, trustees_sha256, key, kind
TRUSTEE_AGREED: Final = "trustee_agreed"  # trustee, yes
POLL_OPENED: Final = "poll_opened"  # opens_at, closes_at, election, paper, trustees, fingerprint, page
POLL_CLOSED: Final = "poll_closed"
ROLL_CLOSED: Final = "roll_closed"  # members, eligible
POLL_SET: Final = (POLL_INITIALISED, "poll_changed", "rule_changed", TRUSTEES_SET, POLL_OPENED, ROLL_CLOSED)
PACKS_ISSUED: Final = "packs_issued"  # packs, credentials
REPLACEMENT_ASKED: Final = "pack_replacement_asked"
REPLACEMENT_APPROVED: Final = "pack_replacement_approved"
PACK_REPLACED: Final = "pack_replaced"  # packs, credentials, voided
VOTES_LOCKED: Final = "votes_locked"  # n, ballots: the SHA-256 of each, ascending
PAPERS_IMPORTED: Final = "papers_imported"  # n_received, n_rejected, n_set_aside: how many more than before
POSTAL_COUNTED: Final = "postal_counted"  # votes: [question, option, votes] for each; justification; the last counts
BALLOTS_CLOSED: Final = "ballots_closed"  # n, tally, credentials: before anything is decrypted
COUNTED: Final = "counted"  # result, decryptions: SHA-256 of both files
HEAD_RESUMED: Final = "head_resumed"  # lost_seq, lost_hash, asked_by, approved_by
STAFF_ENROLLED: Final = "staff_enrolled"  # staff, name, role
STAFF_REMOVED: Final = "staff_removed"  # staff

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
SECOND: Final = 1_000_000  # microseconds


def canonical(value: object) -> bytes:
    """Write a value as the bytes that hashes and signatures are over: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def readable(value: object) -> bytes:
    """Write a value as a JSON file that people can read; the same value always gives the same bytes."""
    return (json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()


def sha256(value: bytes) -> str:
    """Hash bytes, 64 hexadecimal digits."""
    return hashlib.sha256(value).hexdigest()


def entry_hash(words: Mapping[str, Any], previous: bytes) -> bytes:
    """Hash a chain entry: `words` are its seq, at (microseconds since 1970 UTC), actor, kind and body."""
    return hashlib.sha256(canonical(words) + previous).digest()


def head_message(seq: int, digest: bytes) -> bytes:
    """Give the bytes that a head's signature is over."""
    return canonical({"head": seq, "hash": digest.hex()})


def entry_message(uuid: str, seq: int, previous: bytes, digest: bytes) -> bytes:
    """Give the bytes that a chain entry's signature is over; `digest` is the entry's own hash."""
    return f"ballotline entry 1|{uuid}|{seq}|{previous.hex()}|{digest.hex()}".encode()


def manifest_message(manifest: bytes) -> bytes:
    """Give the bytes that the manifest's signature is over."""
    return SIGNATURE_PURPOSE + manifest


def archive_name(uuid: str) -> str:
    """Name the archive of an election."""
    return f"{ARCHIVES}/{uuid}.bel"


def listed(stage: str, uuid: str) -> tuple[str, ...]:
    """Name the files that the manifest of a bundle lists."""
    return (*TEXTS[stage], archive_name(uuid), LINES)


def manifest_of(
    stage: str, poll: Mapping[str, Any], head: tuple[int, str], files: Mapping[str, tuple[int, str]]
) -> dict[str, Any]:
    """Give the manifest: `head` is the last entry and its hash, `files` has length and SHA-256 of each of `listed`."""
    return {
        "format": FORMAT,
        "stage": stage,
        "poll": poll["id"],
        "uuid": poll["uuid"],
        "head": {"seq": head[0], "hash": head[1]},
        "files": {name: {"bytes": length, "sha256": digest} for name, (length, digest) in files.items()},
    }


def line_digest(line: bytes) -> str:
    """Give the short digest of one line, its line feed included."""
    return hashlib.sha256(line).digest()[:LINE_DIGEST_BYTES].hex()


def line_rows(name: str, lines: Iterable[bytes]) -> Iterator[bytes]:
    """Give the rows of `LINES` for one file: its name, the first line's number, the digests of up to 32 lines."""
    row: list[str] = []
    first = 1
    for line in lines:
        row.append(line_digest(line))
        if len(row) == LINES_PER_ROW:
            yield _row(name, first, row)
            first += len(row)
            row.clear()
    if row:
        yield _row(name, first, row)


def _row(name: str, first: int, digests: Sequence[str]) -> bytes:
    return f"{name} {first} {''.join(digests)}\n".encode()


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """Yield a file's lines with their line feeds; one longer than LINE_BYTES_MAX comes in pieces of that length."""
    while line := file.readline(LINE_BYTES_MAX):
        yield line
