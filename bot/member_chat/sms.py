"""Text messages that people send us: STATUS, STOP, START, HELP and their Welsh words; one line of answer each.

STOP counts at once, whoever has the number and whoever answers. What Twilio has answered itself is not answered
again: https://help.twilio.com/articles/223134027 and OptOutType under Advanced Opt-Out. A phone that answers each text
by itself would go on for ever, so a number gets only so many answers a day.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.inbox.inbox import Claimed
from bot.member.status import MemberStatus, PackState, gather
from bot.schema import cursor
from messages import reach
from messages.ledger.planning import plan_message
from messages.pace.pacer import Lane
from messages.reach import SMS, State
from messages.schema import delivery
from messages.words.dates import moment_text, on_day_text, window_text
from messages.words.keywords import Keyword, answered_by_twilio, keyword_language, keyword_of, may_mean_stop
from messages.words.sms_text import encode_plan
from messages.words.texts import fit_language
from messages.words.wording import message_text
from voting import schema
from voting.model import Phase, Poll
from voting.poll import polls
from voting.refusals import NoPoll
from voting.store.database import Database
from voting.store.inserts import insert_into


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


UNKNOWN_PER_DAY: Final = 3  # answers to one number's texts that are not understood
SEGMENTS_MAX: Final = 2  # of an answer that names the voting page; without it some are as long
ANSWERS_PER_DAY: Final = 20  # to one number, whatever it asks
ELSEWHERE: Final = ("whatsapp:", "rcs:")  # before a number: the same person, using another app
COUNTER: Final = "texts:"  # begins a counter's name in the table `cursor`: answers to a number on a day

ANSWERS_STOPPED: Final = "answers_stopped"
MAY_HAVE_STOPPED: Final = "may_have_stopped"
# What staff must hear of a text message, in its transaction: one of the two above, the number, the message's key.
OnNews = Callable[[AsyncConnection, str, str, str, datetime], Awaitable[None]]


async def tell_nobody(_connection: AsyncConnection, _news: str, _number: str, _key: str, _now: datetime) -> None:
    """Do nothing: for tools and tests without staff."""


async def on_sms(
    database: Database,
    row: Claimed,
    *,
    now: datetime,
    bot_url: str = "",
    page_url: str = "",
    on_news: OnNews = tell_nobody,
) -> None:
    """Take one text message from the inbox; repeatable. Where the poll names no contact, the bot is named.

    The voting page is named while it takes votes and the answer keeps to so many segments.
    """
    sender, body = row.payload.get("From", ""), row.payload.get("Body", "")
    number = next((sender.removeprefix(app) for app in ELSEWHERE if sender.startswith(app)), sender)
    keyword = keyword_of(body)
    async with database.writing() as connection:
        await reach.hear_from(connection, SMS, [number], now)
        await _obey(connection, keyword, number, now)
        if may_mean_stop(body):
            await on_news(connection, MAY_HAVE_STOPPED, number, row.key, now)
        if "OptOutType" in row.payload or answered_by_twilio(body) or number != sender:
            return
        given = await _answers_given(connection, row.key, number, keyword, now)
        most = UNKNOWN_PER_DAY if keyword is None else ANSWERS_PER_DAY
        if given == most:
            await on_news(connection, ANSWERS_STOPPED, number, row.key, now)
        if given is None or given >= most:
            return
        asked = await _asked(connection, number, body, now)
        if asked is None:
            return
        purpose, facts = await _answer(connection, asked, keyword)
        facts |= {"title": asked.poll.title, "bot_url": bot_url, **_contacts(asked.poll, bot_url)}
        facts["page_url"] = page_url if _takes_votes_by_page(asked) else ""
        segments = _segments(purpose, asked.language, facts)
        if segments > SEGMENTS_MAX:
            facts["page_url"] = ""
            segments = _segments(purpose, asked.language, facts)
        await plan_message(
            connection,
            purpose=purpose,
            facts=facts,
            channel=SMS,
            address=number,
            language=asked.language,
            occasion=_occasion(row.key),
            lane=Lane.CHAT,
            now=now,
            segments=segments,
        )


def _takes_votes_by_page(asked: _Asked) -> bool:
    return asked.poll.ways.page is not False and asked.poll.takes_votes(asked.now)


def _segments(purpose: str, language: str, facts: Mapping[str, str]) -> int:
    return encode_plan(message_text(purpose, SMS, language, facts)).segments


async def _answers_given(
    connection: AsyncConnection, key: str, number: str, keyword: Keyword | None, now: datetime
) -> int | None:
    """Count one more answer to a number, and give how many it had today; None if this message was answered."""
    planned = select(delivery.c.id).where(delivery.c.occasion == _occasion(key))
    if await connection.scalar(planned) is not None:
        return None
    name = f"{COUNTER}{now:%Y-%m-%d}:{number}:{'unknown' if keyword is None else 'known'}"
    statement = insert_into(connection, cursor).values(name=name, value=1)
    counted = await connection.execute(
        statement.on_conflict_do_update(index_elements=["name"], set_={"value": cursor.c.value + 1}).returning(
            cursor.c.value
        )
    )
    return int(counted.scalar_one()) - 1


async def forget_counters(connection: AsyncConnection, now: datetime) -> None:
    """Forget how many answers numbers had on earlier days."""
    days = [f"{COUNTER}{now - timedelta(days=back):%Y-%m-%d}:%" for back in range(2)]
    kept = or_(*(cursor.c.name.like(day) for day in days))
    await connection.execute(delete(cursor).where(cursor.c.name.like(f"{COUNTER}%"), ~kept))


def _occasion(key: str) -> str:
    return f"sms:{key}"


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
