"""Codes for voting and for checking: reads, decides, counts what was wrong, opens the voting paper.

A wrong pack code and a wrong vote code take the same statements and the same comparisons, and what is wrong is
counted in a transaction of its own before anybody is told. A typo never comes here: its check character gave it away.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import chain, schema
from voting.among import among
from voting.attempts import AttemptSeen, OnAttempt, classify, record, tell_nobody
from voting.clerk import new_intent_id
from voting.codes import hash_pack, hash_vote, same
from voting.database import Database
from voting.locks import find_locks
from voting.model import Intent, Lock, Poll
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
from voting.together import Together
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


class _Pack(NamedTuple):
    id: int
    member_id: int
    pack_hash: bytes
    vote_hash: bytes
    state: str
    locked_out_at: datetime | None
    member_no: str
    language: str
    eligible: bool
    ineligible_reason: str | None


class _WrongError(Exception):
    """A wrong vote code, on its way to be counted."""

    def __init__(self, pack: _Pack, digest: bytes) -> None:
        super().__init__("wrong vote code")
        self.pack, self.digest = pack, digest


@dataclass(frozen=True, slots=True, repr=False)
class _PackAsk:
    digest: bytes
    chat: str
    now: datetime


@dataclass(frozen=True, slots=True, repr=False)
class _VoteAsk:
    pack_id: int
    canonical: str
    chat: str
    purpose: Purpose
    flow: str
    warned: bool
    now: datetime


class Checks:
    """Checks codes against one database; `on_attempt` and `on_alarm` tell staff in the same transaction."""

    def __init__(
        self,
        database: Database,
        secrets: Secrets,
        *,
        on_attempt: OnAttempt = tell_nobody,
        on_alarm: OnAlarm = alarm_nobody,
    ) -> None:
        self.database, self.secrets = database, secrets
        self.on_attempt, self.on_alarm = on_attempt, on_alarm
        self._poll_id: str | None = None
        self._packs: Together[_PackAsk, _Pack] = Together("pack codes", self._find_packs)
        self._votes: Together[_VoteAsk, CodesGood] = Together("vote codes", self._check_votes)

    async def pack_code(self, canonical: str, *, chat: str, now: datetime) -> PackFound:
        """Find the pack of a well-formed pack code.

        UnknownPackCode (counted for the chat), PackVoid, PackLockedOut, ChatLockedOut.
        """
        digest = hash_pack(self.secrets.code_key, await self._poll(), canonical)
        try:
            pack = await self._packs.ask(_PackAsk(digest, chat, now))
        except UnknownPackCode:
            await self._count_wrong(chat, None, digest, now)
            raise
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
        await self._poll()
        try:
            return await self._votes.ask(_VoteAsk(pack_id, canonical, chat, purpose, flow, warned, now))
        except _WrongError as wrong:
            await self._count_wrong(chat, wrong.pack, wrong.digest, now)
            raise WrongVoteCode from None

    async def _poll(self) -> str:
        if self._poll_id is None:
            async with self.database.reading() as connection:
                self._poll_id = (await load(connection)).id
        return self._poll_id

    async def _find_packs(self, asks: Sequence[_PackAsk]) -> list[_Pack | Exception]:
        """Look packs up by the hashes of their codes, in one read."""
        async with self.database.reading() as connection:
            packs = await _packs(connection, schema.pack.c.pack_hash.in_({ask.digest for ask in asks}))
            wrong = await _wrong_in_chats(connection, {ask.chat for ask in asks}, min(ask.now for ask in asks))
        by_hash = {pack.pack_hash: pack for pack in packs}
        answers: list[_Pack | Exception] = []
        for ask in asks:
            pack = by_hash.get(ask.digest)
            known = same(pack.pack_hash if pack is not None else NO_HASH, ask.digest)
            if wrong.get(ask.chat, 0) >= WRONG_PACK_CODES_MAX:
                answers.append(ChatLockedOut())
            elif pack is None or not known:
                answers.append(UnknownPackCode())
            else:
                answers.append(_dead(pack) or pack)
        return answers

    async def _check_votes(self, asks: Sequence[_VoteAsk]) -> list[CodesGood | Exception]:
        """Check vote codes and open papers, in one transaction."""
        answers: list[CodesGood | Exception] = []
        async with self.database.writing() as connection:
            poll = await load(connection)
            packs = await _packs(connection, among(connection, schema.pack.c.id, {ask.pack_id for ask in asks}))
            by_id = {pack.id: pack for pack in packs}
            locks = await find_locks(connection, {pack.member_id for pack in packs})
            wrong = await _wrong_in_chats(connection, {ask.chat for ask in asks}, min(ask.now for ask in asks))
            for ask in asks:
                pack = by_id.get(ask.pack_id)
                digest = hash_vote(
                    self.secrets.code_key, poll.id, pack.pack_hash if pack is not None else NO_HASH, ask.canonical
                )
                right = same(pack.vote_hash if pack is not None else NO_HASH, digest)
                if wrong.get(ask.chat, 0) >= WRONG_PACK_CODES_MAX:
                    answers.append(ChatLockedOut())
                elif pack is None:
                    answers.append(UnknownPackCode())
                elif (dead := _dead(pack)) is not None:
                    answers.append(dead)
                elif not right:
                    answers.append(_WrongError(pack, digest))
                else:
                    answers.append(await self._good(connection, poll, pack, locks.get(pack.member_id), ask))
            intents = [answer.intent for answer in answers if isinstance(answer, CodesGood) and answer.intent]
            if intents:
                await connection.execute(insert(schema.intent), [_intent_row(intent) for intent in intents])
        return answers

    async def _good(
        self, connection: AsyncConnection, poll: Poll, pack: _Pack, lock: Lock | None, ask: _VoteAsk
    ) -> CodesGood | Exception:
        """Say what right codes lead to: nothing (to verify), a paper, or what comes after the lock."""
        if ask.purpose is Purpose.VERIFY:
            return CodesGood(pack.id, pack.member_id, lock, None, None, warn_first=False)
        if lock is not None:
            return await self._after_lock(
                connection, pack, lock, chat=ask.chat, warned=ask.warned, flow=ask.flow, now=ask.now
            )
        if not poll.takes_votes(ask.now):
            return PollNotOpen(opens_at=poll.opens_at, closes_at=poll.closes_at)
        if not pack.eligible:
            return NotEligible(reason=pack.ineligible_reason)
        intent = Intent(new_intent_id(), pack.member_id, pack.id, ask.chat, ask.now)
        return CodesGood(pack.id, pack.member_id, None, intent, None, warn_first=False)

    async def _after_lock(
        self,
        connection: AsyncConnection,
        pack: _Pack,
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

    async def _count_wrong(self, chat: str, pack: _Pack | None, digest: bytes, now: datetime) -> None:
        """Count a wrong code once per chat and code, and lock out when the limit is reached."""
        async with self.database.writing() as connection:
            pack_id = None if pack is None else pack.id
            if not await _note_wrong(connection, chat, pack_id, digest, now):
                return
            if pack is not None and await _wrong_for_pack(connection, pack.id) >= WRONG_VOTE_CODES_MAX:
                await self._lock_out(connection, pack, chat, now)
            if pack is None and (await _wrong_in_chats(connection, {chat}, now))[chat] == WRONG_PACK_CODES_MAX:
                await self.on_alarm(connection, Alarm(AlarmKind.CHAT_LOCKED_OUT, chat, now))
            recent = select(func.count()).where(schema.wrong_code.c.at > now - ALARM_SPAN)
            if await connection.scalar(recent) == ALARM_WRONG_CODES:
                await self.on_alarm(connection, Alarm(AlarmKind.MANY_WRONG_CODES, chat, now))

    async def _lock_out(self, connection: AsyncConnection, pack: _Pack, chat: str, now: datetime) -> None:
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


def _intent_row(intent: Intent) -> dict[str, Any]:
    # Not asdict: its deep copies are a tenth of all the work of a vote.
    return {
        "id": intent.id,
        "member_id": intent.member_id,
        "pack_id": intent.pack_id,
        "chat": intent.chat,
        "opened_at": intent.opened_at,
    }


def _dead(pack: _Pack) -> Exception | None:
    if pack.state != "live":
        return PackVoid()
    return PackLockedOut() if pack.locked_out_at is not None else None


async def _packs(connection: AsyncConnection, where: ColumnElement[bool]) -> list[_Pack]:
    columns = (
        *(schema.pack.c[name] for name in ("id", "member_id", "pack_hash", "vote_hash", "state", "locked_out_at")),
        *(schema.member.c[name] for name in ("member_no", "language", "eligible", "ineligible_reason")),
    )
    joined = schema.pack.join(schema.member, schema.member.c.id == schema.pack.c.member_id)
    return [_Pack(*row) for row in await connection.execute(select(*columns).select_from(joined).where(where))]


async def _wrong_in_chats(connection: AsyncConnection, chats: Collection[str], now: datetime) -> dict[str, int]:
    """Count the distinct wrong pack codes of each chat that count now."""
    counted = (
        select(schema.wrong_code.c.chat, func.count())
        .where(
            among(connection, schema.wrong_code.c.chat, chats),
            schema.wrong_code.c.pack_id.is_(None),
            schema.wrong_code.c.lifted_at.is_(None),
            schema.wrong_code.c.at > now - CHAT_SPAN,
        )
        .group_by(schema.wrong_code.c.chat)
    )
    return {chat: int(count) for chat, count in await connection.execute(counted)}


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
