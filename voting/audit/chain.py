"""The audit chain: every act of staff and every public change of state, each entry bound to the one before.

An entry's hash is SHA-256 over the canonical JSON of what it says and the previous entry's hash, so no entry can be
changed, dropped or slipped in without changing every later one. Heads are signed (Ed25519) from time to time and kept
by others; the chain is published with the count, so no entry names a member, a code or a choice.
"""

import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from nacl.signing import SigningKey
from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.audit.canonical import canonical_json
from voting.model import By
from voting.refusals import Fault
from voting.secrets_file import Secrets
from voting.store.columns import microseconds

GENESIS: Final = bytes(32)  # the hash before the first entry
TURN: Final = 0x62616C6C6F74  # PostgreSQL advisory lock: appends take turns until the transaction ends
READ_ROWS: Final = 1_000
_LAST: Final = select(schema.chain.c.seq, schema.chain.c.hash).order_by(schema.chain.c.seq.desc()).limit(1)


class ChainBroken(Fault):
    """The chain does not hold together at an entry."""

    def __init__(self, seq: int, problem: str) -> None:
        self.seq = seq
        super().__init__(f"entry {seq} of the chain {problem}")


@dataclass(frozen=True, slots=True)
class Act:
    """What is to be written: `kind` in the past tense, `body` canonical JSON without anything personal."""

    kind: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; `seq` counts from 1 without gaps."""

    seq: int
    at: datetime
    actor: str
    kind: str
    body: dict[str, Any]
    previous: bytes
    hash: bytes


def hash_of(*, seq: int, at: datetime, actor: str, kind: str, body: dict[str, Any], previous: bytes) -> bytes:
    """Hash an entry's words and the hash before it."""
    words = {"seq": seq, "at": microseconds(at), "actor": actor, "kind": kind, "body": body}
    return hashlib.sha256(canonical_json(words) + previous).digest()


async def append(connection: AsyncConnection, kind: str, body: dict[str, Any], *, by: By) -> Entry:
    """Write one entry in the caller's transaction."""
    return (await append_many(connection, [Act(kind, body)], by=by))[0]


async def append_many(connection: AsyncConnection, acts: Sequence[Act], *, by: By) -> list[Entry]:
    """Write entries in this order in the caller's transaction."""
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": TURN})
    last = (await connection.execute(_LAST)).one_or_none()
    seq, previous = (last.seq, last.hash) if last else (0, GENESIS)
    entries = []
    actor = by.actor if by.actor == by.via else f"{by.actor} ({by.via})"
    for act in acts:
        seq += 1
        words: dict[str, Any] = {"seq": seq, "at": by.at, "actor": actor, "kind": act.kind, "body": act.body}
        entry = Entry(**words, previous=previous, hash=hash_of(**words, previous=previous))
        entries.append(entry)
        previous = entry.hash
    if entries:
        columns = ("seq", "at", "actor", "kind", "body", "previous", "hash")
        rows = [{name: getattr(entry, name) for name in columns} for entry in entries]
        await connection.execute(insert(schema.chain), rows)
    return entries


async def entries(connection: AsyncConnection, *, after: int = 0) -> AsyncIterator[Entry]:
    """Yield entries in order, from the one following `after`."""
    while True:
        rows = (
            await connection.execute(
                select(schema.chain).where(schema.chain.c.seq > after).order_by(schema.chain.c.seq).limit(READ_ROWS)
            )
        ).all()
        for row in rows:
            yield Entry(row.seq, row.at, row.actor, row.kind, row.body, row.previous, row.hash)
        if len(rows) < READ_ROWS:
            return
        after = rows[-1].seq


def check_links(chain: Iterable[Entry], *, seq: int = 0, previous: bytes = GENESIS) -> bytes:
    """Walk entries following `seq` and return the last hash; ChainBroken names the first that does not fit."""
    for entry in chain:
        seq += 1
        if entry.seq != seq:
            raise ChainBroken(seq, f"is missing; entry {entry.seq} stands in its place")
        if entry.previous != previous:
            raise ChainBroken(seq, "does not follow from the one before it")
        words = {name: getattr(entry, name) for name in ("seq", "at", "actor", "kind", "body", "previous")}
        if hash_of(**words) != entry.hash:
            raise ChainBroken(seq, "does not say what was hashed")
        previous = entry.hash
    return previous


async def walk(connection: AsyncConnection) -> int:
    """Walk the whole chain and return its length; ChainBroken."""
    seq, previous = 0, GENESIS
    async for entry in entries(connection):
        previous = check_links([entry], seq=seq, previous=previous)
        seq = entry.seq
    return seq


def head_message(seq: int, digest: bytes) -> bytes:
    """Give the bytes that a head's signature is over."""
    return canonical_json({"head": seq, "hash": digest.hex()})


async def sign_head(connection: AsyncConnection, secrets: Secrets, now: datetime) -> int | None:
    """Sign the newest entry and return its number; None when there is none or it is signed already."""
    last = (await connection.execute(_LAST)).one_or_none()
    if last is None:
        return None
    signed = await connection.scalar(select(schema.head.c.seq).where(schema.head.c.seq == last.seq))
    if signed is not None:
        return None
    signature = SigningKey(secrets.signing_key).sign(head_message(last.seq, last.hash)).signature
    await connection.execute(insert(schema.head).values(seq=last.seq, hash=last.hash, signature=signature, at=now))
    return int(last.seq)
