"""Writes the bundle: everything a stranger needs to check the tally or the result, and nothing about anybody.

The archive is there already; the other files are written beside it. Stage "tally" is the bundle without result, which
the trustees are given; stage "result" is published. The same poll always gives the same bytes.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from nacl.signing import SigningKey
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.audit import chain
from voting.audit.chain import Entry
from voting.audit.phases import OutOfPlace, Span, next_span
from voting.audit.signer import Head
from voting.count.readme import readme
from voting.count.tally import Tallied
from voting.model import Poll
from voting.poll.election import paper_of
from voting.refusals import CannotCount
from voting.secrets_file import Secrets
from voting.store.columns import microseconds
from voting.verify import format as form
from voting.verify.page import result_page


class Ending(NamedTuple):
    """Where the bundle's chain ends: at which entry in the database, or at the last of those that are drafted after it.

    `heads` is how many heads were signed up to `seq`, `head` the last one. Equal endings make the same bytes.
    """

    seq: int
    heads: int
    head: Head
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Counted:
    """The result: what result.json says, and decryptions.jsonl."""

    result: Mapping[str, Any]
    decryptions: bytes


@dataclass(frozen=True, slots=True)
class Bundle:
    """What the bundle is written from."""

    folder: Path
    poll: Poll
    secrets: Secrets
    tallied: Tallied
    postal: Mapping[str, Any]
    counted: Counted | None = None

    @property
    def stage(self) -> str:
        """Name how far it goes."""
        return form.TALLIED if self.counted is None else form.RESULTED


async def heads_until(connection: AsyncConnection, seq: int) -> list[Head]:
    """Give the signed heads up to an entry."""
    rows = await connection.execute(select(schema.head).where(schema.head.c.seq <= seq).order_by(schema.head.c.seq))
    return [Head(row.seq, row.hash, row.signature) for row in rows]


async def write_bundle(connection: AsyncConnection, bundle: Bundle, ending: Ending) -> None:
    """Write every file but the archive, over those of an earlier try; CannotCount names an entry out of place."""
    poll = await _write_chain(connection, bundle.folder / form.CHAIN, ending)
    heads = await heads_until(connection, ending.seq)
    if ending.entries:
        heads.append(ending.head)
    await asyncio.to_thread(_write_files, bundle, poll, heads)


def _write_files(bundle: Bundle, poll: Mapping[str, Any], heads: Sequence[Head]) -> None:
    small = {
        form.HEADS: b"".join(head.line for head in heads),
        form.POLL: form.readable(poll),
        form.PAPER: paper_of(bundle.poll),
        form.CREDENTIALS: bundle.tallied.credentials.lines.encode(),
        form.POSTAL: form.readable(bundle.postal),
        form.README: _readme(bundle),
    }
    if bundle.counted is not None:
        result = bundle.counted.result
        small |= {
            form.DECRYPTIONS: bundle.counted.decryptions,
            form.RESULT: form.readable(result),
            form.PAGE: result_page(poll, result, bundle.postal["justification"]),
        }
    for name, content in small.items():
        (bundle.folder / name).write_bytes(content)
    _write_lines(bundle)
    _write_manifest(bundle, poll, heads[-1])


def _readme(bundle: Bundle) -> bytes:
    return readme(bundle.stage, uuid=bundle.poll.uuid, cut=bundle.tallied.setup_bytes).encode()


async def _write_chain(connection: AsyncConnection, path: Path, ending: Ending) -> dict[str, Any]:
    """Write the chain up to its ending; give the poll as its entries made it."""
    poll: dict[str, Any] = {}
    span = Span.UNMADE

    def line(entry: Entry) -> bytes:
        nonlocal span, poll
        after = next_span(span, entry.kind)
        if after is None:
            raise CannotCount(reason=str(OutOfPlace(entry.seq, entry.kind, span)))
        span = after
        if entry.kind in form.POLL_SET:
            poll |= entry.body
        return _entry_line(entry)

    with path.open("wb") as file:
        async for entry in chain.entries(connection):
            if entry.seq > ending.seq:
                break
            file.write(line(entry))
        file.writelines(map(line, ending.entries))
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


def _write_lines(bundle: Bundle) -> None:
    with (bundle.folder / form.LINES).open("wb") as rows:
        for name in form.TEXTS[bundle.stage]:
            with (bundle.folder / name).open("rb") as file:
                rows.writelines(form.line_rows(name, form.lines_of(file)))


def _write_manifest(bundle: Bundle, poll: Mapping[str, Any], head: Head) -> None:
    files = {}
    for name in form.listed(bundle.stage, bundle.poll.uuid):
        path = bundle.folder / name
        with path.open("rb") as file:
            files[name] = (path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())
    manifest = form.readable(form.manifest_of(bundle.stage, poll, (head.seq, head.hash.hex()), files))
    signature = SigningKey(bundle.secrets.signing_key).sign(form.manifest_message(manifest)).signature
    (bundle.folder / form.MANIFEST).write_bytes(manifest)
    (bundle.folder / form.SIGNATURE).write_bytes(signature.hex().encode() + b"\n")
