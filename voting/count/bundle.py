"""Writes the published bundle: everything a stranger needs to check the result, and nothing about anybody.

Files are written line by line beside their final place; the folder gets its name when all of it is on disk.
"""

import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from nacl.signing import SigningKey
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.audit import chain
from voting.audit.chain import Entry
from voting.count.ballots import box_in_order, receipts_in_order
from voting.count.report_page import page
from voting.secrets_file import Secrets
from voting.store.columns import microseconds
from voting.verify import format as form

LINES_AT_ONCE: Final = 10_000

README: Final = """This folder is the published result of a ballot, and everything needed to check it.

result.html is the page to read and print.

To check it all, with Python 3.11 or newer and the package "ballotline" installed:

    ballotline verify FOLDER

That needs no network, no database and no secret. It compares every file with the signed manifest; walks the audit
chain from its first entry and tries every signature; opens every sealed ballot in box.txt with the key in key.json,
which was published only now, after the close; adds the papers; and works the result out again.

One thing cannot be seen from inside: whether somebody made up the whole folder. So compare the fingerprint of the
signing key, which the check prints, with the one that was published before the vote, or let the check do it:

    ballotline verify FOLDER --key "0123 4567 89ab cdef 0123 4567 89ab cdef"

If you voted online, your receipt stands in receipts.txt:

    ballotline verify FOLDER --receipt ABCDE-FGHJK

A receipt says that your vote is in the box; it does not say, and nobody can find out from it, how you voted.

What each file is

    poll.json       the poll, its keys, how many were on the roll and could vote
    chain.jsonl     the audit chain: every act of staff and every public change, each bound to the one before
    heads.jsonl     heads of the chain, signed while the vote went on; whoever kept one can compare it
    box.txt         the sealed ballots, sorted; the chain committed to them before any was opened
    key.json        the private election key, put together from the trustees' shares
    openings.txt    what was in the box: option numbers from 1, in the order of poll.json, sorted
    receipts.txt    the receipts of all online votes, sorted
    postal.json     papers received, rejected (they count for one turnout, not for any option) and set aside
                    unopened, and the count of papers by option
    result.json     the result
    lines.txt       a short digest of every line of these files, to tell which line was changed
    manifest.json   the SHA-256 of every file; manifest.sig is its signature
"""


class Head(NamedTuple):
    """A signed head of the chain."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Counted:
    """What the count has worked out; `votes` are from the box, by option."""

    result: Mapping[str, Any]
    postal: Mapping[str, Any]
    votes: Sequence[int]
    private_key: bytes


async def write_bundle(connection: AsyncConnection, out: Path, counted: Counted, secrets: Secrets) -> None:
    """Write the bundle of a counted poll into `out`, which is an empty folder or not there.

    There is a whole bundle or none: an interrupted one lies beside it as `.part` and is cleared away next time.
    The same poll always gives the same bytes.
    """
    part = _begin(out)
    end = (await connection.execute(select(schema.chain.c.seq).where(schema.chain.c.kind == form.COUNTED))).scalar_one()
    poll = await _write_chain(connection, part / form.CHAIN, end)
    head = await _write_heads(connection, part / form.HEADS, end)
    await _write_box(connection, part / form.BOX)
    await _write_receipts(connection, part / form.RECEIPTS)
    _write_openings(part / form.OPENINGS, counted.votes)
    small = {
        form.POLL: form.readable(poll),
        form.KEY: form.readable({"election_private_key": counted.private_key.hex()}),
        form.POSTAL: form.readable(counted.postal),
        form.RESULT: form.readable(counted.result),
        form.PAGE: page(poll, counted.result, counted.postal["justification"]).encode(),
        form.README: README.encode(),
    }
    for name, content in small.items():
        (part / name).write_bytes(content)
    _write_lines(part)
    _write_manifest(part, poll["id"], head, secrets)
    _publish(part, out)


async def _write_chain(connection: AsyncConnection, path: Path, end: int) -> dict[str, Any]:
    """Write the chain up to the count; give the poll as its entries made it."""
    poll: dict[str, Any] = {}
    with path.open("wb") as file:
        async for entry in chain.entries(connection):
            if entry.seq > end:
                break
            file.write(_entry_line(entry))
            if entry.kind in form.POLL_SET:
                poll |= entry.body
    return poll


def _entry_line(entry: Entry) -> bytes:
    words = {
        "seq": entry.seq,
        "at": microseconds(entry.at),
        "actor": entry.actor,
        "kind": entry.kind,
        "body": entry.body,
        "hash": entry.hash.hex(),
        "signature": entry.signature.hex(),
    }
    return form.canonical(words) + b"\n"


async def _write_heads(connection: AsyncConnection, path: Path, end: int) -> Head:
    """Write the signed heads up to the count's; give the last."""
    heads = select(schema.head).where(schema.head.c.seq <= end).order_by(schema.head.c.seq)
    last = Head(0, "")
    with path.open("wb") as file:
        for row in await connection.execute(heads):
            last = Head(row.seq, row.hash.hex())
            words = {"seq": last.seq, "hash": last.hash, "signature": row.signature.hex()}
            file.write(form.canonical(words) + b"\n")
    return last


async def _write_box(connection: AsyncConnection, path: Path) -> None:
    with path.open("wb") as file:
        async for ballots in box_in_order(connection):
            file.write("".join(f"{sealed.hex()}\n" for sealed in ballots).encode())


async def _write_receipts(connection: AsyncConnection, path: Path) -> None:
    with path.open("wb") as file:
        async for receipts in receipts_in_order(connection):
            file.write("".join(f"{receipt}\n" for receipt in receipts).encode())


def _write_openings(path: Path, votes: Sequence[int]) -> None:
    with path.open("wb") as file:
        for number, count in enumerate(votes, start=1):
            for first in range(0, count, LINES_AT_ONCE):
                file.write(b"%d\n" % number * min(LINES_AT_ONCE, count - first))


def _write_lines(part: Path) -> None:
    with (part / form.LINES).open("wb") as rows:
        for name in form.CONTENT:
            with (part / name).open("rb") as file:
                rows.writelines(form.line_rows(name, form.lines_of(file)))


def _write_manifest(part: Path, poll_id: str, head: Head, secrets: Secrets) -> None:
    files = {}
    for name in form.LISTED:
        with (part / name).open("rb") as file:
            files[name] = ((part / name).stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())
    manifest = form.readable(form.manifest_of(poll_id, head.seq, head.hash, files))
    signature = SigningKey(secrets.signing_key).sign(form.manifest_message(manifest)).signature
    (part / form.MANIFEST).write_bytes(manifest)
    (part / form.SIGNATURE).write_bytes(signature.hex().encode() + b"\n")


def _begin(out: Path) -> Path:
    part = out.with_name(out.name + ".part")
    if part.exists():
        shutil.rmtree(part)
    part.mkdir(parents=True)
    return part


def _publish(part: Path, out: Path) -> None:
    """Make the part durable and give it its name."""
    for path in (*part.iterdir(), part):
        _sync(path)
    if out.exists():
        out.rmdir()
    part.rename(out)
    _sync(out.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
