"""Codes for voting and for checking: reads, decides, counts what was wrong, opens the voting paper.

A wrong pack code and a wrong vote code take the same statements and the same comparisons, and what is wrong is
counted in a transaction of its own before anybody is told. A typo never comes here: its check character gave it away.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import Row, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import chain, schema
from voting.attempts import AttemptSeen, OnAttempt, classify, record, tell_nobody
from voting.clerk import new_intent_id
from voting.codes import hash_pack, hash_vote, same
from voting.database import Database
from voting.locks import find_lock
from voting.model import Intent, Lock
from voting.polls import load
from voting.refusals import (
    ChatLockedOut,
    NotEligible,
    PackLockedOut,
    PackVoid,
    PollNotOpen,
    UnknownMember,
    UnknownPackCode,
    WrongVoteCode,
)
from voting.secrets_file import Secrets
from voting.words import word_for

WRONG_VOTE_CODES_MAX: Final = 5  # distinct, per pack
WRONG_PACK_CODES_MAX: Final = 10  # distinct, per chat and CHAT_SPAN
CHAT_SPAN: Final = timedelta(days=1)
ALARM_WRONG_CODES: Final = 200  # of anybody, within ALARM_SPAN: somebody may be guessing from many chats
ALARM_SPAN: Final = timedelta(minutes=10)
NO_HASH: Final = bytes(32)  # compared with when there is no pack, so that the work is the same


class Purpose(StrEnum):
    """What codes are given for."""

    VOTE = "vote"
    VERIFY = "verify"  # never an attempt


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


@dataclass(frozen=True, slots=True)
class PackFound:
    """A live pack's code was given; `word` is printed in the pack, for its holder to compare."""

    pack_id: int
    member_id: int
    member_no: str
    word: str
    language: str


@dataclass(frozen=True, slots=True)
class CodesGood:
    """Both codes are right. For VOTE exactly one of `intent` and `lock` is there.

    With a lock: `attempt` was recorded, or `warn_first` says that this chat has to be warned before anything is.
    """

    pack_id: int
    member_id: int
    lock: Lock | None
    intent: Intent | None
    attempt: AttemptSeen | None
    warn_first: bool


@dataclass(frozen=True, slots=True)
class Checks:
    """Checks codes against one database; `on_attempt` and `on_alarm` tell staff in the same transaction."""

    database: Database
    secrets: Secrets
    on_attempt: OnAttempt = tell_nobody
    on_alarm: OnAlarm = alarm_nobody

    async def pack_code(self, canonical: str, *, chat: str, now: datetime) -> PackFound:
        """Find the pack of a well-formed pack code.

        UnknownPackCode (counted for the chat), PackVoid, PackLockedOut, ChatLockedOut.
        """
        async with self.database.reading() as connection:
            poll = await load(connection)
            digest = hash_pack(self.secrets.code_key, poll.id, canonical)
            pack = await _pack_of(connection, schema.pack.c.pack_hash == digest)
            wrong = await _wrong_in_chat(connection, chat, now)
        known = same(pack.pack_hash if pack is not None else NO_HASH, digest)
        if wrong >= WRONG_PACK_CODES_MAX:
            raise ChatLockedOut
        if pack is None or not known:
            await self._count_wrong(chat, None, digest, now)
            raise UnknownPackCode
        _refuse_dead(pack)
        word = word_for(self.secrets.code_key, digest)
        return PackFound(pack.id, pack.member_id, pack.member_no, word, pack.language)

    async def vote_code(
        self,
        pack_id: int,
        canonical: str,
        *,
        chat: str,
        purpose: Purpose,
        flow: str,
        warned: bool,
        now: datetime,
    ) -> CodesGood:
        """Check a well-formed vote code of a pack found before; for VOTE open the paper or record an attempt.

        `flow` names this going-through of the conversation: repeated, it is the same attempt. `warned`: this chat
        was told after the lock that codes again are reported. WrongVoteCode (counted for the pack), PackVoid,
        PackLockedOut, ChatLockedOut, NotEligible, PollNotOpen.
        """
        async with self.database.reading() as connection:
            poll = await load(connection)
            pack = await _pack_of(connection, schema.pack.c.id == pack_id)
            wrong = await _wrong_in_chat(connection, chat, now)
        digest = hash_vote(self.secrets.code_key, poll.id, pack.pack_hash if pack is not None else NO_HASH, canonical)
        right = same(pack.vote_hash if pack is not None else NO_HASH, digest)
        if wrong >= WRONG_PACK_CODES_MAX:
            raise ChatLockedOut
        if pack is None:
            raise UnknownPackCode
        _refuse_dead(pack)
        if not right:
            await self._count_wrong(chat, pack, digest, now)
            raise WrongVoteCode
        async with self.database.writing() as connection:
            lock = await find_lock(connection, pack.member_id)
            if purpose is Purpose.VERIFY:
                return CodesGood(pack.id, pack.member_id, lock, None, None, warn_first=False)
            if lock is not None:
                return await self._after_lock(connection, pack, lock, chat=chat, warned=warned, flow=flow, now=now)
            if not poll.takes_votes(now):
                raise PollNotOpen(opens_at=poll.opens_at, closes_at=poll.closes_at)
            if not pack.eligible:
                raise NotEligible(reason=pack.ineligible_reason)
            intent = Intent(new_intent_id(), pack.member_id, pack.id, chat, now)
            await connection.execute(
                insert(schema.intent).values(
                    id=intent.id, member_id=pack.member_id, pack_id=pack.id, chat=chat, opened_at=now
                )
            )
        return CodesGood(pack.id, pack.member_id, None, intent, None, warn_first=False)

    async def _after_lock(
        self,
        connection: AsyncConnection,
        pack: Row[tuple[object, ...]],
        lock: Lock,
        *,
        chat: str,
        warned: bool,
        flow: str,
        now: datetime,
    ) -> CodesGood:
        kind = classify(lock, chat=chat, paper=False, warned=warned)
        if kind is None:
            return CodesGood(pack.id, pack.member_id, lock, None, None, warn_first=True)
        attempt = await record(
            connection,
            member_id=pack.member_id,
            kind=kind,
            pack_id=pack.id,
            chat=chat,
            occasion=flow,
            on_attempt=self.on_attempt,
            now=now,
        )
        return CodesGood(pack.id, pack.member_id, lock, None, attempt, warn_first=False)

    async def _count_wrong(self, chat: str, pack: Row[tuple[object, ...]] | None, digest: bytes, now: datetime) -> None:
        """Count a wrong code once per chat and code, and lock out when the limit is reached."""
        async with self.database.writing() as connection:
            pack_id = None if pack is None else pack.id
            if not await _note_wrong(connection, chat, pack_id, digest, now):
                return
            if pack is not None and await _wrong_for_pack(connection, pack.id) >= WRONG_VOTE_CODES_MAX:
                await self._lock_out(connection, pack, chat, now)
            if pack is None and await _wrong_in_chat(connection, chat, now) == WRONG_PACK_CODES_MAX:
                await self.on_alarm(connection, Alarm(AlarmKind.CHAT_LOCKED_OUT, chat, now))
            recent = select(func.count()).where(schema.wrong_code.c.at > now - ALARM_SPAN)
            if await connection.scalar(recent) == ALARM_WRONG_CODES:
                await self.on_alarm(connection, Alarm(AlarmKind.MANY_WRONG_CODES, chat, now))

    async def _lock_out(
        self, connection: AsyncConnection, pack: Row[tuple[object, ...]], chat: str, now: datetime
    ) -> None:
        locked = await connection.execute(
            update(schema.pack)
            .where(schema.pack.c.id == pack.id, schema.pack.c.locked_out_at.is_(None))
            .values(locked_out_at=now)
        )
        if locked.rowcount:
            await chain.append(connection, "pack_locked_out", {}, now=now)
            await self.on_alarm(connection, Alarm(AlarmKind.PACK_LOCKED_OUT, chat, now, pack.id, pack.member_id))


async def lift_lockout(connection: AsyncConnection, member_no: str, *, actor: str, via: str, now: datetime) -> bool:
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
        .values(lifted_at=now)
    )
    if lifted.rowcount:
        await chain.append(connection, "lockout_lifted", {}, actor=actor, via=via, now=now)
    return bool(lifted.rowcount)


async def purge_wrong_codes(connection: AsyncConnection, now: datetime) -> None:
    """Forget wrong pack codes that no limit looks at any more."""
    old = or_(schema.wrong_code.c.at < now - CHAT_SPAN, schema.wrong_code.c.lifted_at.is_not(None))
    await connection.execute(delete(schema.wrong_code).where(schema.wrong_code.c.pack_id.is_(None), old))


def _refuse_dead(pack: Row[tuple[object, ...]]) -> None:
    if pack.state != "live":
        raise PackVoid
    if pack.locked_out_at is not None:
        raise PackLockedOut


async def _pack_of(connection: AsyncConnection, where: object) -> Row[tuple[object, ...]] | None:
    columns = (
        *(schema.pack.c[name] for name in ("id", "member_id", "pack_hash", "vote_hash", "state", "locked_out_at")),
        *(schema.member.c[name] for name in ("member_no", "language", "eligible", "ineligible_reason")),
    )
    joined = schema.pack.join(schema.member, schema.member.c.id == schema.pack.c.member_id)
    found = await connection.execute(select(*columns).select_from(joined).where(where))  # type: ignore[arg-type]
    return found.one_or_none()


async def _note_wrong(
    connection: AsyncConnection, chat: str, pack_id: int | None, digest: bytes, now: datetime
) -> bool:
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
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    values = {"pack_id": pack_id, "chat": chat, "code_hash": digest, "at": now, "lifted_at": None}
    statement = make(schema.wrong_code).values(values)
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


async def _wrong_in_chat(connection: AsyncConnection, chat: str, now: datetime) -> int:
    counted = select(func.count()).where(
        schema.wrong_code.c.chat == chat,
        schema.wrong_code.c.pack_id.is_(None),
        schema.wrong_code.c.lifted_at.is_(None),
        schema.wrong_code.c.at > now - CHAT_SPAN,
    )
    return int(await connection.scalar(counted) or 0)
