"""The audit chain: every act of staff and every public change of state, each entry bound to the one before.

An entry's hash is SHA-256 over the canonical JSON of what it says and the previous entry's hash, so no entry can be
changed, dropped or inserted without changing every later one. Each is signed (Ed25519) by the signer that the
connection carries, so nobody who has only the database can append an entry. Heads are kept outside the database,
here and by others; the chain is published with the count, so no entry names a member, a code or a choice.
"""

import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from nacl.exceptions import CryptoError
from nacl.signing import VerifyKey
from sqlalchemy import bindparam, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.audit.canonical import canonical_json
from voting.audit.signer import Head, KeptHeadDamaged, Signer, entry_message
from voting.model import By
from voting.refusals import Fault
from voting.store.columns import microseconds
from voting.store.database import HEAD, SIGNER
from voting.store.turns import wait_for_turn

GENESIS: Final = bytes(32)  # the hash before the first entry
TURN: Final = 0x62616C6C6F74  # PostgreSQL advisory lock: appends take turns until the transaction ends
READ_ROWS: Final = 1_000
RESUMED: Final = "head_resumed"  # {lost_seq, lost_hash, asked_by, approved_by}: see voting.audit.resuming
_UUID: Final = select(schema.poll.c.uuid)
_LAST: Final = (
    select(schema.chain.c.seq, schema.chain.c.hash, _UUID.scalar_subquery().label("uuid"))
    .order_by(schema.chain.c.seq.desc())
    .limit(1)
)
_HASH: Final = select(schema.chain.c.hash).where(schema.chain.c.seq == bindparam("of_seq"))


class NobodySigns(Fault):
    """The database was opened without the signing key, so nothing can be written to the chain."""

    def __init__(self) -> None:
        super().__init__("the database was opened without the signing key")


class ChainBroken(Fault):
    """The chain does not hold together at an entry."""

    def __init__(self, seq: int, problem: str) -> None:
        self.seq = seq
        super().__init__(f"entry {seq} of the chain {problem}")


class HeadNotContinued(Fault):
    """The chain does not continue the last head that was kept outside the database."""

    def __init__(self, seq: int, file: object) -> None:
        super().__init__(
            f"the chain does not continue entry {seq}, the last head kept in {file}: the database was changed or an"
            " older copy put back; no head is signed. Keep both, and compare with the newest backup; if it was an"
            " honest restore, two officers say so, one after the other: ballotline head resume"
        )


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
    signature: bytes


def signer_of(connection: AsyncConnection) -> Signer:
    """Give the signer that the connection's database was opened with; NobodySigns."""
    signer = connection.sync_connection and connection.sync_connection.get_execution_options().get(SIGNER)
    if not isinstance(signer, Signer):
        raise NobodySigns
    return signer


async def _uuid(connection: AsyncConnection) -> str:
    return str(await connection.scalar(_UUID) or "")


def hash_of(*, seq: int, at: datetime, actor: str, kind: str, body: dict[str, Any], previous: bytes) -> bytes:
    """Hash an entry's words and the hash before it."""
    words = {"seq": seq, "at": microseconds(at), "actor": actor, "kind": kind, "body": body}
    return hashlib.sha256(canonical_json(words) + previous).digest()


async def append(connection: AsyncConnection, kind: str, body: dict[str, Any], *, by: By) -> Entry:
    """Write one entry in the caller's transaction; NobodySigns."""
    return (await append_many(connection, [Act(kind, body)], by=by))[0]


async def append_many(connection: AsyncConnection, acts: Sequence[Act], *, by: By) -> list[Entry]:
    """Write entries in this order, each signed, in the caller's transaction; NobodySigns."""
    signer = signer_of(connection)
    await wait_for_turn(connection, TURN)
    last = (await connection.execute(_LAST)).one_or_none()
    seq, previous = (last.seq, last.hash) if last else (0, GENESIS)
    uuid = (last.uuid or "") if last else await _uuid(connection)
    entries = []
    actor = by.actor if by.actor == by.via else f"{by.actor} ({by.via})"
    for act in acts:
        seq += 1
        words: dict[str, Any] = {"seq": seq, "at": by.at, "actor": actor, "kind": act.kind, "body": act.body}
        digest = hash_of(**words, previous=previous)
        signature = signer.sign_entry(uuid, seq, previous, digest)
        entry = Entry(**words, previous=previous, hash=digest, signature=signature)
        entries.append(entry)
        previous = entry.hash
    if entries:
        columns = ("seq", "at", "actor", "kind", "body", "previous", "hash", "signature")
        rows = [{name: getattr(entry, name) for name in columns} for entry in entries]
        await connection.execute(insert(schema.chain), rows)
        await _note_head(connection, seq, previous)
    return entries


async def _note_head(connection: AsyncConnection, seq: int, digest: bytes) -> None:
    """Have this head kept after the commit, unless the chain does not continue the kept one: that stays as evidence."""
    try:
        lost = await check_continues(connection)
    except (HeadNotContinued, KeptHeadDamaged):
        return  # no vote is lost for it; compare_head in bot.app.chores tells staff, and later entries do not hide it
    connection.info[HEAD] = (seq, digest, lost)


async def entries(connection: AsyncConnection, *, after: int = 0) -> AsyncIterator[Entry]:
    """Yield entries in order, from the one following `after`."""
    while True:
        rows = (
            await connection.execute(
                select(schema.chain).where(schema.chain.c.seq > after).order_by(schema.chain.c.seq).limit(READ_ROWS)
            )
        ).all()
        for row in rows:
            yield Entry(row.seq, row.at, row.actor, row.kind, row.body, row.previous, row.hash, row.signature)
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


def check_signature(entry: Entry, key: VerifyKey, uuid: str) -> None:
    """Insist that the key signed the entry; ChainBroken."""
    try:
        key.verify(entry_message(uuid, entry.seq, entry.previous, entry.hash), entry.signature)
    except (CryptoError, ValueError):  # ValueError: not 64 bytes
        raise ChainBroken(entry.seq, "is not signed by this poll's signing key") from None


async def read_on(connection: AsyncConnection, *, after: int = 0, previous: bytes = GENESIS) -> AsyncIterator[Entry]:
    """Yield the entries following `after`, whose hash is `previous`, each checked: link and signature. ChainBroken."""
    key, uuid = signer_of(connection).verify_key, None
    async for entry in entries(connection, after=after):
        uuid = await _uuid(connection) if uuid is None else uuid
        previous = check_links([entry], seq=after, previous=previous)
        check_signature(entry, key, uuid)
        after = entry.seq
        yield entry


async def walk(connection: AsyncConnection, *, after: int = 0, previous: bytes = GENESIS) -> int:
    """Walk the chain from the entry following `after`, links and signatures; give its length. ChainBroken."""
    async for entry in read_on(connection, after=after, previous=previous):
        after = entry.seq
    return after


async def has_entry(connection: AsyncConnection, seq: int, digest: bytes) -> bool:
    """Tell whether entry `seq` is the one whose hash is `digest`."""
    return bool(await connection.scalar(_HASH, {"of_seq": seq}) == digest)


async def check_continues(connection: AsyncConnection) -> bytes | None:
    """Insist that the chain continues the head kept outside the database; HeadNotContinued, KeptHeadDamaged.

    Give the hash of the kept head if the chain instead has the signed entry by which two officers gave it up. Without
    any kept head there is nothing to compare: whoever deletes that file and puts an older copy of the database back is
    noticed only by heads that others keep, with `verify --head`.
    """
    signer = signer_of(connection)
    kept = signer.kept()
    if kept is None or await has_entry(connection, kept.seq, kept.hash):
        return None
    if await _gave_up(connection, kept):
        return kept.hash
    raise HeadNotContinued(kept.seq, signer.file)


async def _gave_up(connection: AsyncConnection, kept: Head) -> bool:
    """Look for the entry that names a lost head, through the whole chain: only while there is one does this happen."""
    rows = (await connection.execute(select(schema.chain).where(schema.chain.c.kind == RESUMED))).all()
    for row in rows:
        if (row.body.get("lost_seq"), row.body.get("lost_hash")) != (kept.seq, kept.hash.hex()):
            continue
        entry = Entry(row.seq, row.at, row.actor, row.kind, row.body, row.previous, row.hash, row.signature)
        try:
            check_links([entry], seq=entry.seq - 1, previous=entry.previous)
            check_signature(entry, signer_of(connection).verify_key, await _uuid(connection))
        except ChainBroken:
            continue
        return True
    return False


async def last_head(connection: AsyncConnection) -> Head | None:
    """Give the newest head in the database, None when none was signed yet."""
    row = (await connection.execute(select(schema.head).order_by(schema.head.c.seq.desc()).limit(1))).one_or_none()
    return None if row is None else Head(row.seq, row.hash, row.signature)


async def sign_head(connection: AsyncConnection, now: datetime) -> int | None:
    """Sign the newest entry and return its number; None when there is none or it is signed already.

    A chain that does not continue the kept head is not signed: HeadNotContinued, KeptHeadDamaged.
    """
    await check_continues(connection)
    last = (await connection.execute(_LAST)).one_or_none()
    if last is None:
        return None
    signed = await connection.scalar(select(schema.head.c.seq).where(schema.head.c.seq == last.seq))
    if signed is not None:
        return None
    head = signer_of(connection).sign_head(last.seq, last.hash)
    await connection.execute(insert(schema.head).values(seq=head.seq, hash=head.hash, signature=head.signature, at=now))
    return int(last.seq)
