"""What a member asks for besides voting: a pack that is missing, texts on or off, a theft reported, staff called.

Whatever concerns staff is handed to `on_report` in the same transaction, so that it is never lost.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.member import chats
from bot.member.answers import (
    HelpNoted,
    MissingEarly,
    MissingNeedless,
    MissingNoted,
    NotLinked,
    Texts,
    TheftNoted,
)
from bot.member.callers import Caller, own_lock
from bot.member.missing_packs import note_report
from bot.member.status import MemberStatus, gather
from bot.staff import enrolment
from messages import reach
from messages.reach import SMS, TELEGRAM, State
from voting import schema
from voting.model import Phase
from voting.store.database import Database
from voting.votes import cases

PHONE_ENDING: Final = 3  # digits shown, so that a member knows which number is meant


class ReportKind(StrEnum):
    """What staff are told of."""

    MISSING_PACK = "missing_pack"
    THEFT = "theft"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class Report:
    """A member tells staff something. The same `occasion` is the same report."""

    kind: ReportKind
    occasion: str
    chat: str
    member_id: int | None
    at: datetime


OnReport = Callable[[AsyncConnection, Report], Awaitable[None]]


async def report_to_nobody(_connection: AsyncConnection, _report: Report) -> None:
    """Stand in where no staff are to be told."""


MissingAnswer = NotLinked | MissingEarly | MissingNoted | MissingNeedless


@dataclass(frozen=True, slots=True)
class Requests:
    """Takes members' requests."""

    database: Database
    on_report: OnReport = report_to_nobody

    async def status(self, caller: Caller) -> MemberStatus | NotLinked:
        """Give what a linked member asks of /status; what can be said without a link otherwise."""
        async with self.database.reading() as connection:
            if caller.chat.member_id is None:
                return NotLinked(await own_lock(connection, caller.chat))
            return await gather(connection, caller.chat.member_id, now=caller.now)

    async def missing(self, caller: Caller, *, damaged: bool = False) -> MissingAnswer:
        """Take the report of a missing pack once the window has ended; of a damaged one at any time."""
        if caller.chat.member_id is None:
            return NotLinked()
        async with self.database.writing() as connection:
            status = await gather(connection, caller.chat.member_id, now=caller.now)
            over = status.poll.phase in (Phase.CLOSED, Phase.COUNTED) or caller.now >= status.poll.closes_at
            if status.lock is not None or not status.eligible or over:
                return MissingNeedless(status.lock, status.eligible)
            if status.missing_reported_at is not None:
                return MissingNoted(status.missing_reported_at, again=True)
            if not damaged and not status.overdue:
                return MissingEarly(status.window.first_day, status.window.last_day, status.pack.dispatched_on)
            await note_report(connection, status.member_id, caller.chat.identity, caller.now)
            await self._report(
                connection, caller, ReportKind.MISSING_PACK, f"missing:{status.member_id}", status.member_id
            )
        return MissingNoted(caller.now, again=False)

    async def theft(self, chat: str, member_id: int, now: datetime) -> TheftNoted:
        """Take 'This was not me' from a chat (or page) that held the member's codes; the first vote stands."""
        async with self.database.writing() as connection:
            await cases.dispute(connection, member_id, now=now)
            await self.on_report(connection, Report(ReportKind.THEFT, f"theft:{member_id}", chat, member_id, now))
        return TheftNoted()

    async def call_staff(self, caller: Caller) -> HelpNoted:
        """Tell staff that somebody needs help; once a day for a chat."""
        occasion = f"help:{caller.chat.user_id}:{caller.now.date().isoformat()}"
        async with self.database.writing() as connection:
            await self._report(connection, caller, ReportKind.HELP, occasion, caller.chat.member_id)
        return HelpNoted(linked=caller.chat.member_id is not None)

    async def texts(self, caller: Caller) -> Texts | NotLinked:
        """Say where the member's text messages stand."""
        if caller.chat.member_id is None:
            return NotLinked()
        async with self.database.reading() as connection:
            return await _texts(connection, caller.chat.member_id)

    async def set_texts(self, caller: Caller, *, on: bool) -> Texts | NotLinked:
        """Turn text messages to the member's number on or off, at once."""
        member_id = caller.chat.member_id
        if member_id is None:
            return NotLinked()
        async with self.database.writing() as connection:
            sms = await _sms_of(connection, member_id)
            if sms is not None:
                state = State.ON if on else State.OPTED_OUT
                reason = None if on else "chat"
                await reach.set_channel_state(connection, SMS, sms.address, state, reason=reason, now=caller.now)
            return await _texts(connection, member_id)

    async def set_language(self, caller: Caller, language: str) -> Caller:
        """Speak `language` in this chat from now on, notices included; one the poll does not have changes nothing."""
        if language not in caller.poll.languages:
            return caller
        chat = replace(caller.chat, language=language, language_chosen=True)
        async with self.database.writing() as connection:
            await chats.save(connection, chat, caller.now)
            await reach.set_chat_language(connection, chat.user_id, language)
            await enrolment.set_language(connection, chat.user_id, language)
        return replace(caller, chat=chat)

    async def is_staff(self, user_id: int) -> bool:
        """Tell whether this Telegram user is on the staff."""
        async with self.database.reading() as connection:
            return await enrolment.find(connection, user_id) is not None

    async def set_blocked(self, user_id: int, *, blocked: bool, now: datetime, reason: str = "blocked") -> None:
        """Note that the person blocked the bot, or let it in again; `reason` says who told us."""
        state, why = (State.BLOCKED, reason) if blocked else (State.ON, None)
        async with self.database.writing() as connection:
            await reach.set_channel_state(connection, TELEGRAM, str(user_id), state, reason=why, now=now)

    async def _report(
        self, connection: AsyncConnection, caller: Caller, kind: ReportKind, occasion: str, member_id: int | None
    ) -> None:
        await self.on_report(connection, Report(kind, occasion, caller.chat.identity, member_id, caller.now))


async def _sms_of(connection: AsyncConnection, member_id: int) -> reach.Channel | None:
    return next((found for found in await reach.channels_of(connection, member_id) if found.kind == SMS), None)


async def _texts(connection: AsyncConnection, member_id: int) -> Texts:
    sms = await _sms_of(connection, member_id)
    if sms is None:
        reason = await connection.scalar(select(schema.member.c.phone_reason).where(schema.member.c.id == member_id))
        return Texts(None, on=False, reason=reason or "missing", shared=False)
    shared = len(await reach.members_at(connection, SMS, sms.address)) > 1
    return Texts(sms.address[-PHONE_ENDING:], on=sms.state is State.ON, reason=str(sms.state), shared=shared)
