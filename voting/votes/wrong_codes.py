"""Wrong codes: counted once each, limited per pack and per chat, watched over all; staff are told and lift it.

A wrong vote code counts for a pack only after its pack code was right, so a stranger without the letter cannot lock
its member out; whoever has the letter can, for as long as staff take to lift it. What is counted is a keyed hash.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any, Final

from sqlalchemy import Select, bindparam, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.audit import chain
from voting.model import By
from voting.refusals import PackLockedOut, UnknownMember, WrongVoteCode
from voting.store.columns import Instant
from voting.store.inserts import insert_into
from voting.store.many_values import among, listed
from voting.store.turns import wait_for_turn

WRONG_VOTE_CODES_MAX: Final = 5  # distinct, per pack
WRONG_PACK_CODES_MAX: Final = 10  # distinct, per chat and CHAT_SPAN
WRONG_FROM_ADDRESS_MAX: Final = 60  # distinct codes of either kind, per address and CHAT_SPAN: many may share one
ADDRESS: Final = "address:"  # in front of a hashed address, where a chat's name stands
CHAT_SPAN: Final = timedelta(days=1)
ALARM_WRONG_CODES: Final = 200  # of anybody, within ALARM_SPAN: somebody may be guessing from many chats
ALARM_SPAN: Final = timedelta(minutes=10)
TURN: Final = 0x77726F6E67  # PostgreSQL advisory lock: wrong codes are counted one after the other


class AlarmKind(StrEnum):
    """What staff are told of."""

    PACK_LOCKED_OUT = "pack_locked_out"
    CHAT_LOCKED_OUT = "chat_locked_out"
    MANY_WRONG_CODES = "many_wrong_codes"


@dataclass(frozen=True, slots=True)
class Alarm:
    """A limit was reached just now; `member_id` is there when a pack was."""

    kind: AlarmKind
    chat: str
    at: datetime
    pack_id: int | None = None
    member_id: int | None = None


OnAlarm = Callable[[AsyncConnection, Alarm], Awaitable[None]]


async def alarm_nobody(_connection: AsyncConnection, _alarm: Alarm) -> None:
    """Stand in where no staff are to be told."""


class WrongCodes:
    """Counts wrong codes in the caller's transaction and tells `on_alarm` there when a limit is reached."""

    def __init__(self, on_alarm: OnAlarm) -> None:
        self._on_alarm = on_alarm
        self._alarmed_at: datetime | None = None

    async def from_chat(self, connection: AsyncConnection, chat: str, digest: bytes, now: datetime) -> int:
        """Count a wrong pack code, once per chat and code; return how many of the chat count now."""
        new = await _note(connection, chat, None, digest, now)
        count = (await wrong_in_chats(connection, {chat}, now)).get(chat, 0)
        if new:
            if count == WRONG_PACK_CODES_MAX:
                await self._on_alarm(connection, Alarm(AlarmKind.CHAT_LOCKED_OUT, chat, now))
            await self._watch(connection, chat, now)
        return count

    async def for_pack(
        self, connection: AsyncConnection, *, pack_id: int, member_id: int, chat: str, digest: bytes, now: datetime
    ) -> tuple[WrongVoteCode | PackLockedOut, datetime | None]:
        """Count a wrong vote code, once per pack and code; return what to answer, and when the pack was locked out.

        The code that reaches the limit is still answered as wrong.
        """
        await take_turn(connection)
        pack = select(schema.pack.c.locked_out_at).where(schema.pack.c.id == pack_id)
        locked_out_at: datetime | None = await connection.scalar(pack)
        if locked_out_at is not None:  # by another process, a moment ago
            return PackLockedOut(), locked_out_at
        if await _note(connection, chat, pack_id, digest, now):
            if await _wrong_for_pack(connection, pack_id) >= WRONG_VOTE_CODES_MAX:
                locked_out_at = now
                locking = update(schema.pack).where(schema.pack.c.id == pack_id)
                await connection.execute(locking.values(locked_out_at=now))
                await chain.append(connection, "pack_locked_out", {}, by=By.system(now))
                alarm = Alarm(AlarmKind.PACK_LOCKED_OUT, chat, now, pack_id, member_id)
                await self._on_alarm(connection, alarm)
            await self._watch(connection, chat, now)
        return WrongVoteCode(), locked_out_at

    async def _watch(self, connection: AsyncConnection, chat: str, now: datetime) -> None:
        """Alarm when many wrong codes come from anywhere: once in ALARM_SPAN from each process. Votes go on."""
        if self._alarmed_at is not None and now - self._alarmed_at < ALARM_SPAN:
            return
        codes = ~schema.wrong_code.c.chat.startswith(ADDRESS)  # each is counted for its session too
        recent = select(func.count()).where(schema.wrong_code.c.at > now - ALARM_SPAN, codes)
        if int(await connection.scalar(recent) or 0) >= ALARM_WRONG_CODES:
            await self._on_alarm(connection, Alarm(AlarmKind.MANY_WRONG_CODES, chat, now))
            self._alarmed_at = now


async def note_from_address(connection: AsyncConnection, address: str, digest: bytes, now: datetime) -> None:
    """Count a wrong code for the address that it came from; once per address and code."""
    await take_turn(connection)
    await _note(connection, ADDRESS + address, None, digest, now)


async def is_address_held(connection: AsyncConnection, address: str, now: datetime) -> bool:
    """Say whether so many wrong codes came from an address today that no more are looked at."""
    name = ADDRESS + address
    return (await wrong_in_chats(connection, {name}, now)).get(name, 0) >= WRONG_FROM_ADDRESS_MAX


async def take_turn(connection: AsyncConnection) -> None:
    """Wait until nobody else counts a wrong code; on SQLite every writing transaction is alone anyway."""
    await wait_for_turn(connection, TURN)


async def wrong_in_chats(connection: AsyncConnection, chats: Collection[str], now: datetime) -> dict[str, int]:
    """Count the distinct wrong pack codes of each chat that count now."""
    counted = await connection.execute(_wrong_in(connection.dialect.name), listed(chats) | {"since": now - CHAT_SPAN})
    return {chat: int(count) for chat, count in counted}


@cache
def _wrong_in(engine: str) -> Select[tuple[Any, ...]]:
    return (
        select(schema.wrong_code.c.chat, func.count())
        .where(
            among(engine, schema.wrong_code.c.chat),
            schema.wrong_code.c.pack_id.is_(None),
            schema.wrong_code.c.lifted_at.is_(None),
            schema.wrong_code.c.at > bindparam("since", type_=Instant),
        )
        .group_by(schema.wrong_code.c.chat)
    )


async def lift_lockout(connection: AsyncConnection, member_no: str, *, by: By) -> bool:
    """Let a member's live pack be tried again; return whether it was locked out. UnknownMember."""
    member_id = await connection.scalar(select(schema.member.c.id).where(schema.member.c.member_no == member_no))
    if member_id is None:
        raise UnknownMember(member_no=member_no)
    packs = select(schema.pack.c.id).where(schema.pack.c.member_id == member_id)
    lifted = await connection.execute(
        update(schema.pack)
        .where(schema.pack.c.member_id == member_id, schema.pack.c.locked_out_at.is_not(None))
        .values(locked_out_at=None)
    )
    await connection.execute(
        update(schema.wrong_code)
        .where(schema.wrong_code.c.pack_id.in_(packs), schema.wrong_code.c.lifted_at.is_(None))
        .values(lifted_at=by.at)
    )
    if lifted.rowcount:
        await chain.append(connection, "lockout_lifted", {}, by=by)
    return bool(lifted.rowcount)


async def lift_chat(connection: AsyncConnection, chat: str, *, by: By) -> bool:
    """Let a chat try pack codes again before its day is over; return whether any wrong ones counted."""
    lifted = await connection.execute(
        update(schema.wrong_code)
        .where(
            schema.wrong_code.c.chat == chat,
            schema.wrong_code.c.pack_id.is_(None),
            schema.wrong_code.c.lifted_at.is_(None),
            schema.wrong_code.c.at > by.at - CHAT_SPAN,
        )
        .values(lifted_at=by.at)
    )
    if lifted.rowcount:
        await chain.append(connection, "chat_lockout_lifted", {}, by=by)
    return bool(lifted.rowcount)


async def purge_wrong_codes(connection: AsyncConnection, now: datetime) -> None:
    """Forget wrong pack codes that no limit looks at any more."""
    old = or_(schema.wrong_code.c.at < now - CHAT_SPAN, schema.wrong_code.c.lifted_at.is_not(None))
    await connection.execute(delete(schema.wrong_code).where(schema.wrong_code.c.pack_id.is_(None), old))


async def _note(connection: AsyncConnection, chat: str, pack_id: int | None, digest: bytes, now: datetime) -> bool:
    """Note a wrong code; False when this chat gave the same one before, which costs nothing again."""
    before = select(schema.wrong_code.c.id).where(
        schema.wrong_code.c.chat == chat,
        schema.wrong_code.c.pack_id == pack_id,
        schema.wrong_code.c.code_hash == digest,
        schema.wrong_code.c.lifted_at.is_(None),
        schema.wrong_code.c.at > now - CHAT_SPAN,
    )
    if (await connection.execute(before)).first() is not None:
        return False
    values = {"pack_id": pack_id, "chat": chat, "code_hash": digest, "at": now, "lifted_at": None}
    statement = insert_into(connection, schema.wrong_code).values(values)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["chat", "pack_id", "code_hash"], set_={"at": now, "lifted_at": None}
        )
    )
    return True


async def _wrong_for_pack(connection: AsyncConnection, pack_id: int) -> int:
    counted = select(func.count(schema.wrong_code.c.code_hash.distinct())).where(
        schema.wrong_code.c.pack_id == pack_id, schema.wrong_code.c.lifted_at.is_(None)
    )
    return int(await connection.scalar(counted) or 0)
