"""What the chain's signed entries say about the staff: nobody has a role by a row of a table alone.

A row says where somebody is reached and how they are called; the newest entry about its number says who they are and
what they may do. Where the two disagree there is no role. What was read is remembered for the process: only later
entries are read again, each with its link and its signature checked.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.schema import staff
from voting.audit import chain
from voting.audit.chain import ChainBroken, Entry
from voting.audit.probes import Probe
from voting.store.database import MEMORY

INVITED: Final = "staff_invited"  # {role, invitation}
ENROLLED: Final = "staff_enrolled"  # {staff, name, role, who, invitation}; again: a new role
REMOVED: Final = "staff_removed"  # {staff}
NONCE_BYTES: Final = 32
APART: Final = 1_000  # entries between what is remembered; see `_remember`
REMEMBERED_MAX: Final = 3
_RIGHTS: Final = "rights"


@dataclass(frozen=True, slots=True)
class Right:
    """Somebody's role; `who` binds the Telegram account without naming it (see `account_digest`)."""

    name: str
    role: str
    who: str


@dataclass(frozen=True, slots=True)
class Rights:
    """What the entries up to `seq`, whose hash is `hash`, say; `broken` is why later ones do not count."""

    seq: int = 0
    hash: bytes = chain.GENESIS
    people: Mapping[int, Right] = field(default_factory=dict)
    invitations: frozenset[str] = frozenset()  # made and not used
    broken: str | None = None

    def agrees(self, row: RowMapping) -> bool:
        """Tell whether a row of the staff's table is who the newest entry about its number says."""
        signed = self.people.get(row["id"])
        return signed == Right(row["name"], row["role"], account_digest(row["nonce"], row["user_id"]))


def account_digest(nonce: bytes, user_id: int) -> str:
    """Give what an entry says instead of a Telegram account: SHA-256 of it and 32 random bytes that the row keeps."""
    return hashlib.sha256(b"ballotline staff 1|%s|%d" % (nonce, user_id)).hexdigest()


def invitation_digest(token: str, role: str, name: str | None, ends_at: int) -> str:
    """Give what an entry says of an invitation; `ends_at` in microseconds. Nobody finds the token or the name in it."""
    return hashlib.sha256(f"ballotline invitation 1|{token}|{role}|{ends_at}|{name or ''}".encode()).hexdigest()


async def rights(connection: AsyncConnection) -> Rights:
    """Read what the chain says about the staff now; NobodySigns."""
    memory = _memory(connection)
    known: tuple[Rights, ...] = memory.get(_RIGHTS, ())
    start = Rights()
    for state in known:
        if await chain.has_entry(connection, state.seq, state.hash):
            start = state
            break
    found = await _read_on(connection, start)
    memory[_RIGHTS] = _remember(memory.get(_RIGHTS, ()), found)
    return found


async def probe(connection: AsyncConnection) -> Probe:
    """Compare the whole staff's table with the entries; the numbers in it are those of `staff list`."""
    name = "the staff are who the signed entries say"
    said = await rights(connection)
    if said.broken is not None:
        return Probe(name, holds=False, detail=f"nobody has a role, because {said.broken}")
    rows = (await connection.execute(select(staff).where(staff.c.removed_at.is_(None)))).mappings().all()
    good = {row["id"] for row in rows if said.agrees(row)}
    wrong = sorted(({row["id"] for row in rows} | said.people.keys()) - good)
    if not wrong:
        return Probe(name, holds=True, detail=f"{len(good)} people")
    numbers = ", ".join(map(str, wrong))
    detail = f"row and entry disagree about number {numbers}, who has no role: staff remove, then invite anew"
    return Probe(name, holds=False, detail=detail)


def fold(before: Rights, entries: Iterable[Entry]) -> Rights:
    """Add what later entries say."""
    people, invitations, after = dict(before.people), set(before.invitations), before
    for entry in entries:
        body = entry.body
        after = replace(after, seq=entry.seq, hash=entry.hash)
        if entry.kind == INVITED:
            invitations.add(body["invitation"])
        elif entry.kind == ENROLLED:
            people[body["staff"]] = Right(body["name"], body["role"], body["who"])
            invitations.discard(body["invitation"])
        elif entry.kind == REMOVED:
            people.pop(body["staff"], None)
    return replace(after, people=people, invitations=frozenset(invitations), broken=None)


async def _read_on(connection: AsyncConnection, start: Rights) -> Rights:
    """Read the entries following `start`, up to the first that does not hold."""
    found: list[Entry] = []
    broken = None
    try:
        async for entry in chain.read_on(connection, after=start.seq, previous=start.hash):
            found.append(entry)
            if len(found) == chain.READ_ROWS:
                start, found = fold(start, found), []
    except ChainBroken as problem:
        broken = str(problem)
    if not found and broken == start.broken:
        return start
    return replace(fold(start, found), broken=broken)


def _remember(known: tuple[Rights, ...], now: Rights) -> tuple[Rights, ...]:
    """Keep the newest and two older ones.

    A connection may still see the database as it was a moment ago, and the newest may be of a transaction that is
    rolled back yet: whoever does not find its last entry goes on from an older one.
    """
    older = known[1:] if len(known) > 1 and now.seq - known[1].seq < APART else known
    return (now, *older)[:REMEMBERED_MAX]


def _memory(connection: AsyncConnection) -> dict[str, Any]:
    assert connection.sync_connection is not None  # it is open
    memory: dict[str, Any] = connection.sync_connection.get_execution_options()[MEMORY]
    return memory
