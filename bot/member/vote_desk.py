"""Where voting and checking codes are decided: read, decide, record, return. No Telegram here and no words.

Any step may come twice, after a crash, with the same `occasion`; it then has the same effect as once.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, TypedDict

from sqlalchemy import select, update

from bot.chat.buttons import Act, PaperPress
from bot.inbox.inbox import Envelope
from bot.member.answers import (
    Chosen,
    CodesChecked,
    CodesUnasked,
    CodesUsed,
    GiveCodes,
    GivePackCode,
    GiveVoteCode,
    Locked,
    NotOpenYet,
    NotUnderstood,
    Over,
    PutAside,
    ReadRule,
    Unreadable,
    VotedHere,
    VotingPaper,
)
from bot.member.callers import Caller, Callers
from bot.member.chats import Chat, Step, was_warned
from bot.schema import chat as chat_table
from voting import schema
from voting.codes import codes
from voting.codes.codes import Kind, Parsed, Problem
from voting.model import Lock, Phase
from voting.refusals import AlreadyVoted, CodeRefusal, PackLockedOut, UnknownIntent, WrongVoteCode
from voting.store.database import Database
from voting.store.together import Together
from voting.votes.checks import Checks, CodesGood, PackFound, Purpose
from voting.votes.clerk import Cast, Clerk
from voting.votes.locks import find_lock

HELD: Final = "held"  # a vote code waiting, encrypted, for its pack code
DONE: Final = "done"  # this going-through has led to its end: other words are small talk

PURPOSES: Final = {Step.VOTE_CODES: Purpose.VOTE, Step.VERIFY_CODES: Purpose.VERIFY}

Begun = NotOpenYet | Over | VotedHere | ReadRule | GiveCodes
Given = VotingPaper | CodesUsed | CodesChecked | GiveVoteCode | GivePackCode | Unreadable | CodesUnasked | NotUnderstood
Pressed = Chosen | VotingPaper | PutAside | Locked


class VoteDesk:
    """Decides about voting and checking codes."""

    def __init__(self, database: Database, callers: Callers, clerk: Clerk, checks: Checks, envelope: Envelope) -> None:
        self.database, self.callers = database, callers
        self.clerk, self.checks, self.envelope = clerk, checks, envelope
        self._papers: Together[str, Any] = Together("papers", self._find_papers)

    # -- /vote and /verify ---------------------------------------------------------------

    async def begin_vote(self, caller: Caller) -> Begun:
        """Begin a vote: dates, or what stands already, or the rule, or codes."""
        lock = await self.callers.lock_of(caller.chat)
        if lock is not None:
            return await self._voted_here(caller, lock)
        closed = _not_taking_votes(caller)
        if closed is not None:
            return closed
        if caller.chat.rule_version != caller.poll.rule_version:
            return ReadRule(caller.poll.rule_version)
        return await self._ask_codes(caller, Purpose.VOTE)

    async def begin_verify(self, caller: Caller) -> GiveCodes:
        """Begin a check of codes; it never counts as an attempt."""
        return await self._ask_codes(caller, Purpose.VERIFY)

    async def begin_another(self, caller: Caller) -> Begun:
        """Let another member of the household vote from a chat that has voted: they read the rule themselves."""
        return _not_taking_votes(caller) or ReadRule(caller.poll.rule_version, another=True)

    async def accept_rule(self, caller: Caller, version: int, *, another: bool) -> Begun:
        """Take 'I understand'. A press that comes again keeps what was typed since; after the lock it says so."""
        lock = None if another else await self.callers.lock_of(caller.chat)
        if lock is not None:
            return VotedHere(lock, own=lock.chat == caller.chat.identity, warns=False)
        closed = _not_taking_votes(caller)
        if closed is not None:
            return closed
        if version != caller.poll.rule_version:
            return ReadRule(caller.poll.rule_version, another=another)
        if caller.chat.step is Step.VOTE_CODES and caller.chat.rule_version == version:
            return GiveCodes(Purpose.VOTE)
        accepted = replace(caller, chat=replace(caller.chat, rule_version=version))
        return await self._ask_codes(accepted, Purpose.VOTE)

    async def rest(self, caller: Caller) -> PutAside:
        """End whatever was begun."""
        await self._save(caller.chat.rest(caller.now), caller.now)
        return PutAside()

    async def note_warned(self, caller: Caller, member_id: int, message_id: int) -> None:
        """Note the message that warned this chat of a member's lock: what is typed after it counts as an attempt."""
        async with self.database.writing() as connection:
            await connection.execute(
                update(chat_table)
                .where(chat_table.c.user_id == caller.chat.user_id)
                .values(warned_at=caller.now, warned_member_id=member_id, warned_message_id=message_id)
            )

    async def _ask_codes(self, caller: Caller, purpose: Purpose) -> GiveCodes:
        """Ask for codes; asked again on the way (a press that came twice), what was typed since is kept."""
        step = Step.VOTE_CODES if purpose is Purpose.VOTE else Step.VERIFY_CODES
        chat = caller.chat
        on_the_way = chat.step is step and not chat.facts.get(DONE)
        await self._save(chat if on_the_way else chat.begin(step, caller.now), caller.now)
        return GiveCodes(purpose)

    async def _voted_here(self, caller: Caller, lock: Lock) -> VotedHere:
        """Warn before an attempt can be made: codes typed after the warning are reported (see `note_warned`)."""
        own = lock.chat == caller.chat.identity
        if caller.poll.takes_votes(caller.now):
            await self._save(caller.chat.begin(Step.VOTE_CODES, caller.now, done=True), caller.now)
            return VotedHere(lock, own=own, warns=True)
        return VotedHere(lock, own=own, warns=False)

    # -- codes ---------------------------------------------------------------------------

    async def take_text(self, caller: Caller, text: str, *, message_id: int) -> Given:
        """Read codes from a message; the same message once more has the same effect as once.

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
            found = await self.checks.pack_code(parsed.pack, chat=caller.chat.identity, now=caller.now)
        vote = parsed.vote or self._held(caller.chat)
        pack_id = found.pack_id if found else caller.chat.facts.get("pack_id")
        if pack_id is None:
            return await self._hold(caller, vote, purpose, parsed.problem)
        if vote is None:
            return await self._found(caller, found, purpose, parsed.problem)
        member_id = found.member_id if found else caller.chat.facts["member_id"]
        pair = _Pair(pack_id, member_id, vote, found.word if found else None)
        return await self._both(caller, pair, purpose, message_id)

    async def _at_once(self, caller: Caller, pack: str, vote: str, purpose: Purpose, message_id: int) -> Given:
        """Check both codes of one message in one step: a chat that was never warned is not warned now."""
        try:
            good = await self.checks.both_codes(
                pack, vote, **self._going_through(caller, purpose, message_id), warned=False
            )
        except CodeRefusal as refusal:
            if isinstance(refusal, WrongVoteCode):
                await self._remember(caller, pack)
            raise
        await self._save(_knowing(caller, good.pack_id, good.member_id, done=True), caller.now)
        return _outcome(good, caller.chat, purpose, await self.checks.word(pack))

    async def _remember(self, caller: Caller, pack: str) -> None:
        """Know the pack from now on, unless that wrong vote code was the last: the pack is held then."""
        with contextlib.suppress(PackLockedOut):
            found = await self.checks.pack_code(pack, chat=caller.chat.identity, now=caller.now)
            await self._save(_knowing(caller, found.pack_id, found.member_id), caller.now)

    async def _both(self, caller: Caller, pair: "_Pair", purpose: Purpose, message_id: int) -> Given:
        warned = await self._warned(caller.chat, pair.member_id, message_id)
        try:
            good = await self.checks.vote_code(
                pair.pack_id, pair.vote, **self._going_through(caller, purpose, message_id), warned=warned
            )
        except CodeRefusal:
            await self._save(_knowing(caller, pair.pack_id, pair.member_id), caller.now)
            raise
        await self._save(_knowing(caller, pair.pack_id, pair.member_id, done=True), caller.now)
        return _outcome(good, caller.chat, purpose, pair.word)

    @staticmethod
    def _going_through(caller: Caller, purpose: Purpose, message_id: int) -> "_GoingThrough":
        return {
            "chat": caller.chat.identity,
            "purpose": purpose,
            "flow": caller.chat.flow or f"message:{message_id}",
            "message": str(message_id),
            "now": caller.now,
        }

    async def _warned(self, chat: Chat, member_id: int, message_id: int) -> bool:
        if chat.warned_message_id is None:
            return False
        lock = await self._lock_of(member_id)
        return lock is not None and was_warned(chat, message_id, lock)

    async def _lock_of(self, member_id: int) -> Lock | None:
        async with self.database.reading() as connection:
            return await find_lock(connection, member_id)

    async def _found(self, caller: Caller, found: PackFound | None, purpose: Purpose, problem: Problem | None) -> Given:
        assert found is not None  # some code was read, and no vote code
        facts = {"pack_id": found.pack_id, "member_id": found.member_id}
        await self._save(caller.chat.at(caller.chat.step, caller.now, **facts), caller.now)
        lock = await self._lock_of(found.member_id) if purpose is Purpose.VOTE else None
        if lock is not None and lock.at <= caller.now:
            return _used(lock, caller.chat, reported=False)
        return GiveVoteCode(found.word, purpose, problem)

    async def _hold(self, caller: Caller, vote: str | None, purpose: Purpose, problem: Problem | None) -> Given:
        assert vote is not None  # some code was read, and no pack code
        sealed = self.envelope.close({"vote": vote}).hex()
        await self._save(caller.chat.at(caller.chat.step, caller.now, **{HELD: sealed}), caller.now)
        return GivePackCode(purpose, problem)

    def _held(self, chat: Chat) -> str | None:
        sealed = chat.facts.get(HELD)
        return str(self.envelope.open(bytes.fromhex(sealed))["vote"]) if sealed else None

    async def _unreadable(self, caller: Caller, parsed: Parsed, text: str) -> Given:
        """Say what is wrong with a code, or take small talk for what it is once the codes have done their work."""
        if caller.chat.facts.get(DONE) and not codes.contains_code(text):
            return NotUnderstood()
        assert parsed.problem is not None  # the reading says so when it gives no code
        return Unreadable(parsed.problem, _wanted(caller.chat))

    # -- the voting paper ----------------------------------------------------------------

    async def press(self, caller: Caller, press: PaperPress) -> Pressed:
        """Take a press on a voting paper; on one that is locked every button gives the receipt.

        UnknownIntent, AlreadyVoted, PollNotOpen, and what `Clerk.cast` raises.
        """
        if press.act is Act.CAST:
            return await self._cast(caller, press)
        row = await self._paper(caller, press.intent_id)
        if row.receipt is not None and row.locked_chat == caller.chat.identity:
            return Locked(press.intent_id, row.receipt, row.locked_at, fresh=False)
        if row.how is not None:
            raise AlreadyVoted(how=row.how, at=row.locked_at)
        if press.act is Act.NOT_NOW:
            return await self.rest(caller)
        if press.option is not None and press.option < len(caller.poll.options):
            return Chosen(press.intent_id, press.option)
        return VotingPaper(press.intent_id)

    async def _cast(self, caller: Caller, press: PaperPress) -> Locked:
        assert press.option is not None  # a CAST button carries one
        cast = Cast(press.intent_id, caller.chat.identity, press.option)
        outcome = await self.clerk.cast(cast, caller.now)
        return Locked(press.intent_id, outcome.receipt, outcome.at, fresh=outcome.fresh)

    async def _paper(self, caller: Caller, intent_id: str) -> Any:  # noqa: ANN401 - a row of _PAPER
        row = await self._papers.ask(intent_id)
        if row is None or row.chat != caller.chat.identity:
            raise UnknownIntent
        return row

    async def _find_papers(self, intent_ids: Sequence[str]) -> list[Any]:
        async with self.database.reading() as connection:
            rows = await connection.execute(_PAPER.where(schema.intent.c.id.in_(set(intent_ids))))
            found = {row.id: row for row in rows}
        return [found.get(intent_id) for intent_id in intent_ids]

    async def _save(self, chat: Chat, now: datetime) -> None:
        await self.callers.save(chat, now)


@dataclass(frozen=True, slots=True, repr=False)
class _Pair:
    """Both codes of one pack; no repr, for the vote code must not reach a log."""

    pack_id: int
    member_id: int
    vote: str
    word: str | None


_PAPER: Final = select(
    schema.intent.c.id,
    schema.intent.c.chat,
    schema.lock.c.how,
    schema.lock.c.receipt,
    schema.lock.c.chat.label("locked_chat"),
    schema.lock.c.at.label("locked_at"),
).select_from(schema.intent.outerjoin(schema.lock, schema.lock.c.member_id == schema.intent.c.member_id))


class _GoingThrough(TypedDict):
    """What a check of codes is told of the conversation."""

    chat: str
    purpose: Purpose
    flow: str
    message: str
    now: datetime


def _knowing(caller: Caller, pack_id: int, member_id: int, *, done: bool = False) -> Chat:
    """Give the chat with the pack its codes are of."""
    known: dict[str, Any] = {"pack_id": pack_id, "member_id": member_id}
    return caller.chat.at(caller.chat.step, caller.now, **known, **({DONE: True} if done else {}))


def _wanted(chat: Chat) -> Kind | None:
    """Give the one code that is missing; None when both are."""
    if chat.facts.get(HELD):
        return Kind.PACK
    return Kind.VOTE if "pack_id" in chat.facts else None


def _not_taking_votes(caller: Caller) -> NotOpenYet | Over | None:
    poll, now = caller.poll, caller.now
    if poll.takes_votes(now):
        return None
    if poll.phase in (Phase.CLOSED, Phase.COUNTED) or now >= poll.closes_at:
        return Over(poll.closes_at)
    return NotOpenYet(poll.opens_at if now < poll.opens_at else None, poll.closes_at)


def _outcome(good: CodesGood, chat: Chat, purpose: Purpose, word: str | None) -> Given:
    if purpose is Purpose.VERIFY:
        return CodesChecked(word, good.lock)
    if good.intent is not None:
        return VotingPaper(good.intent.id, word)
    assert good.lock is not None  # for a vote it is one or the other
    return _used(good.lock, chat, reported=good.attempt is not None)


def _used(lock: Lock, chat: Chat, *, reported: bool) -> CodesUsed:
    """Say of a lock what this chat may know; the receipt is for the chat that voted."""
    own = lock.chat == chat.identity
    return CodesUsed(
        lock.member_id, lock.how, lock.at, own=own, receipt=lock.receipt if own else None, reported=reported
    )
