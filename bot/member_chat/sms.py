"""Text messages that people send us: STATUS, STOP, START, HELP and their Welsh words; one line of answer each.

STOP counts at once, whoever has the number and whoever answers. What Twilio has answered itself is not answered
again: https://help.twilio.com/articles/223134027 and OptOutType under Advanced Opt-Out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.inbox.inbox import Claimed
from bot.member.status import MemberStatus, PackState, gather
from messages import reach
from messages.ledger.planning import plan_message
from messages.pace.pacer import Lane
from messages.reach import SMS, State
from messages.words.dates import moment_text, on_day_text, window_text
from messages.words.keywords import Keyword, answered_by_twilio, keyword_language, keyword_of
from messages.words.sms_text import encode_plan
from messages.words.texts import fit_language
from messages.words.wording import message_text
from voting import schema
from voting.model import Phase, Poll
from voting.poll import polls
from voting.refusals import NoPoll
from voting.store.database import Database


@dataclass(frozen=True, slots=True)
class _Asked:
    """One text message, its sender's members and language."""

    number: str
    members: list[int]
    language: str
    poll: Poll
    now: datetime


_STATUS_OF_PACK: Final[Mapping[PackState, str]] = {
    PackState.NOT_ISSUED: "sms.status.not_dispatched",
    PackState.ISSUED: "sms.status.not_dispatched",
    PackState.DISPATCHED: "sms.status.dispatched",
    PackState.DELIVERED: "sms.status.delivered",
    PackState.RETURNED: "sms.status.returned",
    PackState.VOID: "sms.status.not_dispatched",
}


async def on_sms(database: Database, row: Claimed, *, now: datetime, bot_url: str = "") -> None:
    """Take one text message from the inbox; repeatable. Where the poll names no contact, the bot is named."""
    number, body = row.payload.get("From", ""), row.payload.get("Body", "")
    keyword = keyword_of(body)
    async with database.writing() as connection:
        await _obey(connection, keyword, number, now)
        if "OptOutType" in row.payload or answered_by_twilio(body):
            return
        asked = await _asked(connection, number, body, now)
        if asked is None:
            return
        purpose, facts = await _answer(connection, asked, keyword)
        facts |= {"title": asked.poll.title, "bot_url": bot_url, **_contacts(asked.poll, bot_url)}
        words = message_text(purpose, SMS, asked.language, facts)
        await plan_message(
            connection,
            purpose=purpose,
            facts=facts,
            channel=SMS,
            address=number,
            language=asked.language,
            occasion=f"sms:{row.key}",
            lane=Lane.CHAT,
            now=now,
            segments=encode_plan(words).segments,
        )


def _contacts(poll: Poll, bot_url: str) -> dict[str, str]:
    """Give the best way to reach a person, and all ways."""
    ways = [way for way in (bot_url, poll.staff.contact) if way]
    return {"contact": ways[-1] if ways else "", "contacts": ", ".join(ways)}


async def _obey(connection: AsyncConnection, keyword: Keyword | None, number: str, now: datetime) -> None:
    if keyword is Keyword.STOP:
        await reach.set_channel_state(connection, SMS, number, State.OPTED_OUT, reason="STOP", now=now)
    elif keyword is Keyword.START:
        await reach.set_channel_state(connection, SMS, number, State.ON, reason=None, now=now)


async def _asked(connection: AsyncConnection, number: str, body: str, now: datetime) -> _Asked | None:
    """Say who asks, in the language of their roll or else of their word; None without a poll or a number."""
    try:
        poll = await polls.load(connection)
    except NoPoll:
        return None
    if not number.startswith("+"):
        return None
    query = select(schema.member.c.id, schema.member.c.language).where(schema.member.c.phone == number)
    rows = (await connection.execute(query.order_by(schema.member.c.id))).all()
    spoken = {row.language for row in rows}
    wanted = spoken.pop() if len(spoken) == 1 else keyword_language(body)
    language = fit_language(wanted, poll.languages, default=poll.languages[0])
    return _Asked(number, [row.id for row in rows], language, poll, now)


async def _answer(connection: AsyncConnection, asked: _Asked, keyword: Keyword | None) -> tuple[str, dict[str, str]]:
    if keyword is Keyword.STATUS:
        return await _status(connection, asked)
    answers = {
        Keyword.STOP: "sms.stop_confirmed",
        Keyword.START: "sms.start_confirmed",
        Keyword.HELP: "sms.help",
    }
    return (answers[keyword] if keyword else "sms.unknown"), {}


async def _status(connection: AsyncConnection, asked: _Asked) -> tuple[str, dict[str, str]]:
    if not asked.members:
        return "sms.status.unknown_number", {}
    if len(asked.members) > 1:
        return "sms.status.shared", {}
    status = await gather(connection, asked.members[0], now=asked.now)
    closes = moment_text(asked.poll.closes_at, asked.poll.timezone, asked.language)
    for holds, purpose in _BEFORE_THE_PACK:
        if holds(status):
            return purpose, {"closes": closes}
    day = status.pack.dispatched_on
    facts = {
        "window": window_text(status.window.first_day, status.window.last_day, asked.language),
        "day": on_day_text(day, asked.language) if day else "",
    }
    return _STATUS_OF_PACK[status.pack.state], facts


def _is_over(status: MemberStatus) -> bool:
    poll = status.poll
    return poll.phase in (Phase.CLOSED, Phase.COUNTED) or status.now >= poll.closes_at


_BEFORE_THE_PACK: Final[tuple[tuple[Callable[[MemberStatus], bool], str], ...]] = (
    (lambda status: not status.eligible, "sms.status.not_eligible"),
    (lambda status: status.lock is not None, "sms.status.voted"),
    (_is_over, "sms.status.closed"),
)
