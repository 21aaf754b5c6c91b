"""Codes for voting and for checking: reads, decides, counts what was wrong, opens the voting paper.

Codes that wait together are judged in their order, each after the wrong ones before it were counted, and all is
committed before anybody is told: guessing in parallel gains nothing. A typo never comes here: its check character
gave it away. Wrong vote codes count for a pack only once its pack code was right, so a stranger without the letter
cannot lock its member out.
"""

import asyncio
import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.codes.codes import hash_pack, hash_vote, same
from voting.codes.hashing import HASH_BYTES
from voting.codes.pack_word import word_for
from voting.model import Intent, Lock, Poll
from voting.poll.polls import load
from voting.refusals import (
    ChatLockedOut,
    NotEligible,
    PackLockedOut,
    PackVoid,
    PollNotOpen,
    UnknownPackCode,
)
from voting.secrets_file import Secrets
from voting.store.columns import microseconds
from voting.store.database import Database
from voting.store.inserts import insert_rows
from voting.store.many_values import among, among_bytes, listed, listed_bytes
from voting.store.together import Together
from voting.votes.attempts import AttemptSeen, OnAttempt, classify, record, tell_nobody
from voting.votes.clerk import new_intent_id
from voting.votes.locks import find_locks
from voting.votes.wrong_codes import (
    ALARM_WRONG_CODES,
    CHAT_SPAN,
    WRONG_PACK_CODES_MAX,
    WRONG_VOTE_CODES_MAX,
    Alarm,
    AlarmKind,
    OnAlarm,
    WrongCodes,
    alarm_nobody,
    lift_chat,
    lift_lockout,
    purge_wrong_codes,
    take_turn,
    wrong_in_chats,
)

__all__ = [
    "ALARM_WRONG_CODES",
    "CHAT_SPAN",
    "WRONG_PACK_CODES_MAX",
    "WRONG_VOTE_CODES_MAX",
    "Alarm",
    "AlarmKind",
    "Checks",
    "CodesGood",
    "OnAlarm",
    "PackFound",
    "Purpose",
    "alarm_nobody",
    "lift_chat",
    "lift_lockout",
    "purge_wrong_codes",
]

_INTENT: Final = ("id", "member_id", "pack_id", "chat", "opened_at", "message")
NO_HASH: Final = bytes(32)  # compared with when there is no pack, so that the work is the same


class Purpose(StrEnum):
    """What codes are given for."""

    VOTE = "vote"
    VERIFY = "verify"  # never an attempt


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


@dataclass(frozen=True, slots=True, repr=False)
class _PackAsk:
    digest: bytes
    chat: str
    now: datetime


@dataclass(frozen=True, slots=True, repr=False)
class _VoteAsk:
    pack: int | bytes  # the id of one found before, or the hash of the code given with the vote code
    canonical: str
    chat: str
    purpose: Purpose
    flow: str
    message: str | None
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
        self.on_attempt = on_attempt
        self.wrong = WrongCodes(on_alarm)
        self._poll_id: str | None = None
        self._asking = asyncio.Lock()
        self._packs: Together[_PackAsk, _Pack] = Together("pack codes", self._find_packs)
        self._votes: Together[_VoteAsk, CodesGood] = Together(
            "vote codes", self._check_votes, turn=database.writers_turn
        )

    async def pack_code(self, canonical: str, *, chat: str, now: datetime) -> PackFound:
        """Find the pack of a well-formed pack code.

        UnknownPackCode (counted for the chat), PackVoid, PackLockedOut, ChatLockedOut.
        """
        digest = hash_pack(self.secrets.code_key, await self._poll(), canonical)
        pack = await self._packs.ask(_PackAsk(digest, chat, now))
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
        message: str | None = None,
        warned: bool,
        now: datetime,
    ) -> CodesGood:
        """Check a well-formed vote code of a pack found before; for VOTE open the paper or record an attempt.

        `flow` names this going-through of the conversation: repeated, it is the same attempt. `message` names what
        the codes came in: delivered again after the lock, when it opened a paper before, it is none. `warned`: this
        chat was told after the lock that codes again are reported. WrongVoteCode (counted for the pack), PackVoid,
        PackLockedOut, ChatLockedOut, NotEligible, PollNotOpen.
        """
        return await self._votes.ask(_VoteAsk(pack_id, canonical, chat, purpose, flow, message, warned, now))

    async def both_codes(
        self,
        pack: str,
        vote: str,
        *,
        chat: str,
        purpose: Purpose,
        flow: str,
        message: str | None = None,
        warned: bool,
        now: datetime,
    ) -> CodesGood:
        """Check both codes of a pack, given together: `pack_code` and then `vote_code`, in one transaction.

        What they refuse, this refuses, and it counts what they count.
        """
        digest = hash_pack(self.secrets.code_key, await self._poll(), pack)
        return await self._votes.ask(_VoteAsk(digest, vote, chat, purpose, flow, message, warned, now))

    async def word(self, pack: str) -> str:
        """Give the word of a pack code; whether there is such a pack is another question."""
        return word_for(self.secrets.code_key, hash_pack(self.secrets.code_key, await self._poll(), pack))

    async def _poll(self) -> str:
        if self._poll_id is None:
            async with self._asking:  # not everybody who comes first
                if self._poll_id is None:
                    async with self.database.reading() as connection:
                        self._poll_id = (await load(connection)).id
        return self._poll_id

    async def _find_packs(self, asks: Sequence[_PackAsk]) -> list[_Pack | Exception]:
        """Look packs up by the hashes of their codes: in one read, or in a transaction when one is wrong."""
        async with self.database.reading() as connection:
            answers = await self._judge_packs(connection, asks, counting=False)
        if not any(isinstance(answer, UnknownPackCode) for answer in answers):
            return answers
        async with self.database.writing() as connection:
            await take_turn(connection)
            return await self._judge_packs(connection, asks, counting=True)

    async def _judge_packs(
        self, connection: AsyncConnection, asks: Sequence[_PackAsk], *, counting: bool
    ) -> list[_Pack | Exception]:
        hashes = listed_bytes({ask.digest for ask in asks}, HASH_BYTES)
        rows = await connection.execute(_packs_by_hash(connection.dialect.name), hashes)
        by_hash = {pack.pack_hash: pack for pack in itertools.starmap(_Pack, rows)}
        wrong = await wrong_in_chats(connection, {ask.chat for ask in asks}, min(ask.now for ask in asks))
        answers: list[_Pack | Exception] = []
        for ask in asks:
            pack = by_hash.get(ask.digest)
            known = same(pack.pack_hash if pack is not None else NO_HASH, ask.digest)
            if wrong.get(ask.chat, 0) >= WRONG_PACK_CODES_MAX:
                answers.append(ChatLockedOut())
            elif pack is not None and known:
                answers.append(_dead(pack) or pack)
            else:
                if counting:
                    wrong[ask.chat] = await self.wrong.from_chat(connection, ask.chat, ask.digest, ask.now)
                answers.append(UnknownPackCode())
        return answers

    async def _check_votes(self, asks: Sequence[_VoteAsk]) -> list[CodesGood | Exception]:
        """Check vote codes and open papers, in one transaction."""
        answers: list[CodesGood | Exception] = []
        async with self.database.writing() as connection:
            poll = await load(connection)
            packs = await _packs_of(connection, {ask.pack for ask in asks})
            locks = await find_locks(connection, {pack.member_id for pack in packs.values()})
            wrong = await wrong_in_chats(connection, {ask.chat for ask in asks}, min(ask.now for ask in asks))
            for ask in asks:
                pack = packs.get(ask.pack)
                pack_hash = pack.pack_hash if pack is not None else NO_HASH
                known = same(pack_hash, ask.pack) if isinstance(ask.pack, bytes) else pack is not None
                digest = hash_vote(self.secrets.code_key, poll.id, pack_hash, ask.canonical)
                right = same(pack.vote_hash if pack is not None else NO_HASH, digest)
                if wrong.get(ask.chat, 0) >= WRONG_PACK_CODES_MAX:
                    answers.append(ChatLockedOut())
                elif pack is None or not known:
                    answers.append(await self._unknown(connection, ask, wrong))
                elif (dead := _dead(pack)) is not None:
                    answers.append(dead)
                elif right:
                    answers.append(await self._good(connection, poll, pack, locks.get(pack.member_id), ask))
                else:
                    answer, locked_out_at = await self.wrong.for_pack(
                        connection,
                        pack_id=pack.id,
                        member_id=pack.member_id,
                        chat=ask.chat,
                        digest=digest,
                        now=ask.now,
                    )
                    packs |= dict.fromkeys((pack.id, pack.pack_hash), pack._replace(locked_out_at=locked_out_at))
                    answers.append(answer)
            opened = [
                _intent_row(answer.intent, ask.message)
                for ask, answer in zip(asks, answers, strict=True)
                if isinstance(answer, CodesGood) and answer.intent
            ]
            if opened:
                await insert_rows(connection, schema.intent, _INTENT, opened)
        return answers

    async def _unknown(self, connection: AsyncConnection, ask: _VoteAsk, wrong: dict[str, int]) -> Exception:
        """Count a pack code that is nobody's, if one was given, in its turn after those of other processes."""
        if isinstance(ask.pack, bytes):
            await take_turn(connection)
            wrong |= await wrong_in_chats(connection, {ask.chat}, ask.now)
            if wrong.get(ask.chat, 0) >= WRONG_PACK_CODES_MAX:
                return ChatLockedOut()
            wrong[ask.chat] = await self.wrong.from_chat(connection, ask.chat, ask.pack, ask.now)
        return UnknownPackCode()

    async def _good(
        self, connection: AsyncConnection, poll: Poll, pack: _Pack, lock: Lock | None, ask: _VoteAsk
    ) -> CodesGood | Exception:
        """Say what right codes lead to: nothing (to verify), a paper, or what comes after the lock."""
        if ask.purpose is Purpose.VERIFY:
            return CodesGood(pack.id, pack.member_id, lock, None, None, warn_first=False)
        if lock is not None:
            return await self._after_lock(connection, pack, lock, ask)
        if not poll.takes_votes(ask.now):
            return PollNotOpen(opens_at=poll.opens_at, closes_at=poll.closes_at)
        if not pack.eligible:
            return NotEligible(reason=pack.ineligible_reason)
        intent = Intent(new_intent_id(), pack.member_id, pack.id, ask.chat, ask.now)
        return CodesGood(pack.id, pack.member_id, None, intent, None, warn_first=False)

    async def _after_lock(self, connection: AsyncConnection, pack: _Pack, lock: Lock, ask: _VoteAsk) -> CodesGood:
        kind = classify(lock, chat=ask.chat, paper=False, warned=ask.warned)
        if kind is None or ask.now < lock.at or await _opened_a_paper(connection, pack, ask):
            return CodesGood(pack.id, pack.member_id, lock, None, None, warn_first=True)
        attempt = await record(
            connection,
            member_id=pack.member_id,
            kind=kind,
            pack_id=pack.id,
            chat=ask.chat,
            occasion=ask.flow,
            on_attempt=self.on_attempt,
            now=ask.now,
        )
        return CodesGood(pack.id, pack.member_id, lock, None, attempt, warn_first=False)


def _intent_row(intent: Intent, message: str | None) -> tuple[Any, ...]:
    return intent.id, intent.member_id, intent.pack_id, intent.chat, microseconds(intent.opened_at), message


async def _opened_a_paper(connection: AsyncConnection, pack: _Pack, ask: _VoteAsk) -> bool:
    """Whether this very message opened a paper before the lock, and is here once more."""
    before = select(schema.intent.c.id).where(
        schema.intent.c.member_id == pack.member_id,
        schema.intent.c.chat == ask.chat,
        schema.intent.c.message == ask.message,
    )
    return ask.message is not None and (await connection.execute(before)).first() is not None


def _dead(pack: _Pack) -> Exception | None:
    if pack.state != "live":
        return PackVoid()
    return PackLockedOut() if pack.locked_out_at is not None else None


async def _packs_of(connection: AsyncConnection, wanted: Collection[int | bytes]) -> dict[int | bytes, _Pack]:
    """Give packs by their ids, or by the hashes of their codes."""
    engine = connection.dialect.name
    found: list[_Pack] = []
    if ids := [one for one in wanted if isinstance(one, int)]:
        found += itertools.starmap(_Pack, await connection.execute(_packs_by_id(engine), listed(ids)))
    if hashes := [one for one in wanted if isinstance(one, bytes)]:
        found += itertools.starmap(
            _Pack, await connection.execute(_packs_by_hash(engine), listed_bytes(hashes, HASH_BYTES))
        )
    return {pack.id: pack for pack in found} | {pack.pack_hash: pack for pack in found}


@cache
def _packs_by_id(engine: str) -> Select[Any]:
    return _packs().where(among(engine, schema.pack.c.id))


@cache
def _packs_by_hash(engine: str) -> Select[Any]:
    return _packs().where(among_bytes(engine, schema.pack.c.pack_hash, HASH_BYTES))


def _packs() -> Select[Any]:
    columns = (
        *(schema.pack.c[name] for name in ("id", "member_id", "pack_hash", "vote_hash", "state", "locked_out_at")),
        *(schema.member.c[name] for name in ("member_no", "language", "eligible", "ineligible_reason")),
    )
    joined = schema.pack.join(schema.member, schema.member.c.id == schema.pack.c.member_id)
    return select(*columns).select_from(joined)
