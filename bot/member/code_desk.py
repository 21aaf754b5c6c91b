"""Where codes that were typed are decided: read, checked, kept for a moment, asked for again. No Telegram, no words.

Any step may come twice, after a crash, with the same message; it then has the same effect as once.
"""

import contextlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bot.member.answers import (
    CodesChecked,
    CodesUnasked,
    CodesUsed,
    GivePackCode,
    GiveVoteCode,
    NotUnderstood,
    Unreadable,
    VotingPaper,
)
from bot.member.callers import Caller, Callers
from bot.member.chats import Chat, Step, was_warned
from bot.member.marks import Marks
from voting.codes import codes
from voting.codes.codes import Kind, Parsed, Problem
from voting.hour_keys import HourKeys
from voting.model import Lock
from voting.poll.election import questions_of
from voting.poll.paper_order import shifts_of
from voting.refusals import CodeRefusal, KeyGone, PackLockedOut, WrongVoteCode
from voting.store.database import Database
from voting.votes.checks import Checks, PackFound
from voting.votes.locks import find_lock
from voting.votes.right_codes import CodesGood, Purpose

PURPOSE: Final = b"held"  # whose hours' keys close it
HELD: Final = "held"  # a vote code waiting, encrypted, for its pack code
HELD_PACK: Final = "held_pack"  # a pack code that was found, encrypted, for its vote code
DONE: Final = "done"  # this run of the conversation has ended: other words are small talk

PURPOSES: Final = {Step.VOTE_CODES: Purpose.VOTE, Step.VERIFY_CODES: Purpose.VERIFY}

Given = VotingPaper | CodesUsed | CodesChecked | GiveVoteCode | GivePackCode | Unreadable | CodesUnasked | NotUnderstood


class CodeDesk:
    """Decides about codes, for a vote or for a check."""

    def __init__(self, database: Database, callers: Callers, checks: Checks, hours: HourKeys, order_key: bytes) -> None:
        self._database, self._callers = database, callers
        self._checks, self._hours, self._order_key = checks, hours, order_key

    async def take_text(self, caller: Caller, text: str, *, message_id: int) -> Given:
        """Read codes from a message; the same message twice has the same effect as once.

        UnknownPackCode, WrongVoteCode, PackVoid, PackLockedOut, ChatLockedOut, NotEligible, PollNotOpen.
        """
        purpose = PURPOSES.get(caller.chat.step)
        if purpose is None:
            return CodesUnasked() if codes.contains_code(text) else NotUnderstood()
        parsed = codes.parse(text, caller.poll.id)
        if not parsed.codes:
            return await self._unreadable(caller, parsed, text)
        if parsed.pack is not None and parsed.vote is not None and caller.chat.warned_message_id is None:
            return await self._at_once(caller, parsed.pack, parsed.vote, purpose, message_id)
        found = None
        if parsed.pack is not None:
            found = await self._checks.pack_code(parsed.pack, chat=caller.chat.identity, now=caller.now)
        vote = parsed.vote or self._held(caller.chat, HELD)
        pack = parsed.pack or self._held(caller.chat, HELD_PACK)
        if pack is None:
            return await self._hold(caller, vote, purpose, parsed.problem)
        if vote is None:
            return await self._found(caller, found, pack, purpose, parsed.problem)
        member_id = found.member_id if found else caller.chat.facts["member_id"]
        pair = _Pair(pack, vote, member_id, found.word if found else None)
        return await self._both(caller, pair, purpose, message_id)

    async def _at_once(self, caller: Caller, pack: str, vote: str, purpose: Purpose, message_id: int) -> Given:
        """Check both codes of one message in one step: a chat that was never warned is not warned now."""
        try:
            good = await self._checks.both_codes(
                pack,
                vote,
                chat=caller.chat.identity,
                purpose=purpose,
                flow=_run_of(caller.chat, message_id),
                message=str(message_id),
                warned=False,
                now=caller.now,
            )
        except CodeRefusal as refusal:
            if isinstance(refusal, WrongVoteCode):
                await self._remember(caller, pack)
            raise
        await self._save(self._knowing(caller, pack, good.member_id, done=True), caller.now)
        return self._outcome(caller, good, purpose, await self._checks.word(pack))

    async def _remember(self, caller: Caller, pack: str) -> None:
        """Know the pack from now on, unless that was the last wrong vote code allowed: then the pack is locked out."""
        with contextlib.suppress(PackLockedOut):
            found = await self._checks.pack_code(pack, chat=caller.chat.identity, now=caller.now)
            await self._save(self._knowing(caller, pack, found.member_id), caller.now)

    async def _both(self, caller: Caller, pair: "_Pair", purpose: Purpose, message_id: int) -> Given:
        warned = await self._warned(caller.chat, pair.member_id, message_id)
        try:
            good = await self._checks.both_codes(
                pair.pack,
                pair.vote,
                chat=caller.chat.identity,
                purpose=purpose,
                flow=_run_of(caller.chat, message_id),
                message=str(message_id),
                warned=warned,
                now=caller.now,
            )
        except CodeRefusal:
            await self._save(self._knowing(caller, pair.pack, pair.member_id), caller.now)
            raise
        await self._save(self._knowing(caller, pair.pack, pair.member_id, done=True), caller.now)
        return self._outcome(caller, good, purpose, pair.word)

    async def _warned(self, chat: Chat, member_id: int, message_id: int) -> bool:
        if chat.warned_message_id is None:
            return False
        lock = await self._lock_of(member_id)
        return lock is not None and was_warned(chat, message_id, lock)

    async def _lock_of(self, member_id: int) -> Lock | None:
        async with self._database.reading() as connection:
            return await find_lock(connection, member_id)

    async def _found(
        self, caller: Caller, found: PackFound | None, pack: str, purpose: Purpose, problem: Problem | None
    ) -> Given:
        assert found is not None  # some code was read, and no vote code
        await self._save(self._knowing(caller, pack, found.member_id), caller.now)
        lock = await self._lock_of(found.member_id) if purpose is Purpose.VOTE else None
        if lock is not None and lock.at <= caller.now:
            return _used(lock, caller.chat, reported=False)
        return GiveVoteCode(found.word, purpose, problem)

    async def _hold(self, caller: Caller, vote: str | None, purpose: Purpose, problem: Problem | None) -> Given:
        assert vote is not None  # some code was read, and no pack code
        held = {HELD: self._close(vote, caller.now)}
        await self._save(caller.chat.at(caller.chat.step, caller.now, **held), caller.now)
        return GivePackCode(purpose, problem)

    def _close(self, code: str, now: datetime) -> str:
        return self._hours.close(PURPOSE, code.encode(), now).hex()

    def _held(self, chat: Chat, name: str) -> str | None:
        """Give a code that is held; None also when it was held for so long that its key is gone."""
        closed = chat.facts.get(name)
        if closed is None:
            return None
        try:
            return self._hours.open(PURPOSE, bytes.fromhex(closed)).decode()
        except KeyGone:
            return None

    def _knowing(self, caller: Caller, pack: str, member_id: int, *, done: bool = False) -> Chat:
        """Give the chat with the pack its codes are of."""
        known: dict[str, Any] = {HELD_PACK: self._close(pack, caller.now), "member_id": member_id}
        return caller.chat.at(caller.chat.step, caller.now, **known, **({DONE: True} if done else {}))

    async def _unreadable(self, caller: Caller, parsed: Parsed, text: str) -> Given:
        """Say what is wrong with a code; once the codes are done with, other words are small talk."""
        if caller.chat.facts.get(DONE) and not codes.contains_code(text):
            return NotUnderstood()
        assert parsed.problem is not None  # the reading says so when it gives no code
        return Unreadable(parsed.problem, _wanted(caller.chat))

    def _outcome(self, caller: Caller, good: CodesGood, purpose: Purpose, word: str | None) -> Given:
        if purpose is Purpose.VERIFY:
            return CodesChecked(word, good.lock)
        if good.intent is not None:
            shifts = shifts_of(self._order_key, caller.poll, good.member_id)
            return VotingPaper(good.intent.id, Marks(questions_of(caller.poll)), shifts, word)
        assert good.lock is not None  # for a vote it is one or the other
        return _used(good.lock, caller.chat, reported=good.attempt is not None)

    async def _save(self, chat: Chat, now: datetime) -> None:
        await self._callers.save(chat, now)


@dataclass(frozen=True, slots=True, repr=False)
class _Pair:
    """Both codes of one pack; no repr, for they must not reach a log."""

    pack: str
    vote: str
    member_id: int
    word: str | None


def _run_of(chat: Chat, message_id: int) -> str:
    """Name this run of the conversation: codes that come again in it are no second attempt."""
    return chat.flow or f"message:{message_id}"


def _wanted(chat: Chat) -> Kind | None:
    """Give the one code that is missing; None when both are."""
    if chat.facts.get(HELD):
        return Kind.PACK
    return Kind.VOTE if HELD_PACK in chat.facts else None


def _used(lock: Lock, chat: Chat, *, reported: bool) -> CodesUsed:
    """Say of a lock what this chat may know; the receipt is for the chat that voted."""
    own = lock.chat == chat.identity
    return CodesUsed(
        lock.member_id, lock.how, lock.at, own=own, receipt=lock.receipt if own else None, reported=reported
    )
