"""Where the start of /vote and /verify is decided: dates, a vote already locked, the rule. No Telegram, no words.

Any step may come twice, after a crash; it then has the same effect as once.
"""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import update

from bot.member.answers import GiveCodes, NotOpenYet, Over, PutAside, ReadRule, VotedHere
from bot.member.callers import Caller, Callers
from bot.member.chats import Chat, Step
from bot.member.code_desk import DONE
from bot.schema import chat as chat_table
from voting.model import Lock, Phase
from voting.refusals import NotByThisWay
from voting.store.database import Database
from voting.votes.right_codes import Purpose

Begun = NotOpenYet | Over | VotedHere | ReadRule | GiveCodes


class VoteDesk:
    """Decides how a vote or a check of codes begins, up to the codes."""

    def __init__(self, database: Database, callers: Callers) -> None:
        self._database, self._callers = database, callers

    async def begin_vote(self, caller: Caller) -> Begun:
        """Begin a vote: the dates, a vote already locked, the rule, or a request for codes. NotByThisWay."""
        lock = await self._callers.lock_of(caller.chat)
        if lock is not None:
            return await self._voted_here(caller, lock)
        closed = _not_taking_votes(caller)
        if closed is not None:
            return closed
        _insist_on_chat(caller)
        if caller.chat.rule_version != caller.poll.rule_version:
            return ReadRule(caller.poll.rule_version)
        return await self._ask_codes(caller, Purpose.VOTE)

    async def begin_verify(self, caller: Caller) -> GiveCodes:
        """Begin a check of codes; it never counts as an attempt."""
        return await self._ask_codes(caller, Purpose.VERIFY)

    async def begin_another(self, caller: Caller) -> Begun:
        """Let another member of the household vote from a chat that has voted: they read the rule themselves."""
        if (closed := _not_taking_votes(caller)) is not None:
            return closed
        _insist_on_chat(caller)
        return ReadRule(caller.poll.rule_version, another=True)

    async def accept_rule(self, caller: Caller, version: int, *, another: bool) -> Begun:
        """Take 'I understand'. A press that comes again keeps what was typed since; after the lock it says so."""
        lock = None if another else await self._callers.lock_of(caller.chat)
        if lock is not None:
            return VotedHere(lock, own=lock.chat == caller.chat.identity, warns=False)
        closed = _not_taking_votes(caller)
        if closed is not None:
            return closed
        _insist_on_chat(caller)
        if version != caller.poll.rule_version:
            return ReadRule(caller.poll.rule_version, another=another)
        if caller.chat.step is Step.VOTE_CODES and caller.chat.rule_version == version:
            return GiveCodes(Purpose.VOTE)
        accepted = replace(caller, chat=replace(caller.chat, rule_version=version))
        return await self._ask_codes(accepted, Purpose.VOTE)

    async def rest(self, caller: Caller) -> PutAside:
        """End the conversation that was begun."""
        await self._save(caller.chat.rest(caller.now), caller.now)
        return PutAside()

    async def note_warned(self, caller: Caller, member_id: int, message_id: int) -> None:
        """Note the message that warned this chat of a member's lock: what is typed after it counts as an attempt."""
        async with self._database.writing() as connection:
            await connection.execute(
                update(chat_table)
                .where(chat_table.c.user_id == caller.chat.user_id)
                .values(warned_at=caller.now, warned_member_id=member_id, warned_message_id=message_id)
            )

    async def _ask_codes(self, caller: Caller, purpose: Purpose) -> GiveCodes:
        """Ask for codes; if they are asked for already (a press that came twice), what was typed since is kept."""
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

    async def _save(self, chat: Chat, now: datetime) -> None:
        await self._callers.save(chat, now)


def _insist_on_chat(caller: Caller) -> None:
    if not caller.poll.ways.chat:
        raise NotByThisWay


def _not_taking_votes(caller: Caller) -> NotOpenYet | Over | None:
    poll, now = caller.poll, caller.now
    if poll.takes_votes(now):
        return None
    if poll.phase in (Phase.CLOSED, Phase.COUNTED) or now >= poll.closes_at:
        return Over(poll.closes_at)
    return NotOpenYet(poll.opens_at if now < poll.opens_at else None, poll.closes_at)
