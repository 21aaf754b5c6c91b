"""What a published bundle is made of: names of files, how their bytes are written, what is signed.

This is all that `verify` shares with the rest of the house, so it imports nothing of ours: what it repeats of
`canonical`, `chain` and `seal` is the published format, and a test holds the two together.

    manifest.json   every file below with its length and SHA-256; where the chain ends
    manifest.sig    Ed25519 signature of the manifest, by the key that signs the heads of the chain
    lines.txt       a short digest of every line of every file below: says which line was changed
    poll.json       the poll, its election key, the digests of the trustees' shares, the signing key, the roll's size
    key.json        the private election key, published only now: what opens the box again
    chain.jsonl     the audit chain, one entry per line, each signed
    heads.jsonl     its signed heads
    box.txt         sealed ballots in hexadecimal, sorted
    receipts.txt    receipts of online votes, sorted
    openings.txt    what was in the box, one option number per line (from 1), sorted
    postal.json     papers received, rejected and set aside, and their count
    result.json     the result
    result.html     the same to read and print
    README.txt      how to check all this

Text is UTF-8 with a line feed after every line. Hexadecimal is lower case. Numbers are whole: a percentage is a
text with two decimals.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO, Final

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

CONTENT: Final = (POLL, KEY, CHAIN, HEADS, BOX, RECEIPTS, OPENINGS, POSTAL, RESULT, PAGE, README)  # what `LINES` is of
LISTED: Final = (*CONTENT, LINES)  # what the manifest is of
EVERYTHING: Final = (*LISTED, MANIFEST, SIGNATURE)

LINE_BYTES_MAX: Final = 1024 * 1024  # the longest line is a chain entry that holds the poll's rule
SMALL_BYTES_MAX: Final = 4 * 1024 * 1024  # of a file that is read whole
LINE_DIGEST_BYTES: Final = 4
LINES_PER_ROW: Final = 32  # of `LINES`

GENESIS: Final = bytes(32)
KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
SIGNATURE_PURPOSE: Final = b"ballotline bundle manifest 1\n"

SEALED_BYTES: Final = 80
BALLOT_VERSION: Final = 1
BINDING_BYTES: Final = 11

# Kinds of chain entries that the bundle's other files are checked against.
ROLL_CLOSED: Final = "roll_closed"  # members, eligible
POLL_SET: Final = ("poll_initialised", "poll_changed", "rule_changed", "election_key_set", ROLL_CLOSED)
VOTES_LOCKED: Final = "votes_locked"  # n, receipts
BALLOTS_BOXED: Final = "ballots_boxed"  # n, sealed
PAPERS_IMPORTED: Final = "papers_imported"  # n_received, n_rejected, n_set_aside: how many more than before
POSTAL_COUNTED: Final = "postal_counted"  # votes: [option, votes] for each, justification; the last one counts
POLL_OPENED: Final = "poll_opened"
POLL_CLOSED: Final = "poll_closed"
BOX_CLOSED: Final = "box_closed"  # n, sealed: all of box.txt, written before anything was opened
RECEIPTS_CLOSED: Final = "receipts_closed"  # n, receipts: all of receipts.txt
COUNTED: Final = "counted"  # result: SHA-256 of result.json
ONCE: Final = (POLL_OPENED, POLL_CLOSED, BOX_CLOSED, RECEIPTS_CLOSED, COUNTED)  # in this order; the last is the end

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)


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


def manifest_of(poll_id: str, head_seq: int, head_hash: str, files: Mapping[str, tuple[int, str]]) -> dict[str, Any]:
    """Give the manifest: `files` has the length and the SHA-256 of each of `LISTED`."""
    return {
        "format": FORMAT,
        "poll": poll_id,
        "head": {"seq": head_seq, "hash": head_hash},
        "files": {name: {"bytes": files[name][0], "sha256": files[name][1]} for name in LISTED if name in files},
    }


def election_key_binding(election_key: bytes) -> bytes:
    """Give the bytes that tie every ballot to its election key."""
    return hashlib.sha256(b"ballotline election key 1\0" + election_key).digest()[:BINDING_BYTES]


def signing_fingerprint(signing_key: bytes) -> str:
    """Name a signing key as people compare it, by telephone if need be: 8 groups of 4 digits."""
    digits = sha256(b"ballotline signing key 1\0" + signing_key)[:32]
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def same_fingerprint(one: str, other: str) -> bool:
    """Compare two fingerprints as people write them: case, spaces, dashes and colons do not matter."""
    return _bare(one) == _bare(other)


def _bare(fingerprint: str) -> str:
    return "".join(char for char in fingerprint.casefold() if char.isalnum())


def percent(part: int, whole: int) -> str:
    """Give a percentage with two decimals, halves up, worked out in whole numbers; of nobody it is 0.00."""
    hundredths = (20_000 * part + whole) // (2 * whole) if whole else 0
    return f"{hundredths // 100}.{hundredths % 100:02}"


def result_of(
    poll_id: str, options: Sequence[str], *, online: Sequence[int], post: Sequence[int], rejected: int, eligible: int
) -> dict[str, Any]:
    """Give result.json: `online` and `post` are votes by option; both turnouts, with and without rejected papers."""
    votes = sum(online) + sum(post)
    return {
        "poll": poll_id,
        "options": [
            {"option": name, "online": online[i], "post": post[i], "votes": online[i] + post[i]}
            for i, name in enumerate(options)
        ],
        "online": sum(online),
        "post": sum(post),
        "votes": votes,
        "rejected_papers": rejected,
        "eligible": eligible,
        "turnout_with_rejected": percent(votes + rejected, eligible),
        "turnout_without_rejected": percent(votes, eligible),
    }


def page_facts(poll: Mapping[str, Any], result: Mapping[str, Any], justification: str | None) -> dict[str, str]:
    """Give every name and number of result.html as it is shown there, by its `data-fact`."""
    facts = {"title": str(poll["title"]), "question": str(poll["question"])}
    for number, option in enumerate(result["options"], start=1):
        facts[f"option-{number}"] = option["option"]
        facts |= {f"option-{number}-{how}": f"{option[how]:,}" for how in ("online", "post", "votes")}
        facts[f"option-{number}-share"] = f"{percent(option['votes'], result['votes'])} %"
    facts |= {name: f"{result[name]:,}" for name in ("online", "post", "votes", "rejected_papers", "eligible")}
    facts["all_votes"] = facts["votes"]
    facts |= {name: f"{result[name]} %" for name in ("turnout_with_rejected", "turnout_without_rejected")}
    return facts if justification is None else facts | {"justification": justification}


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
