"""What the floors below call where a fact is recorded, in its transaction, so that staff hear of it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.alerts.alerts import PAUSES, Kind, case_changed, raise_alert
from bot.member.requests import Report, ReportKind
from bot.schema import alert, alert_message, staff_group
from messages.ledger.aftermath import OnTrouble, Trouble
from messages.notices.scheduled import Held
from voting import schema
from voting.votes import cases
from voting.votes.attempts import AttemptSeen
from voting.votes.wrong_codes import Alarm

_OF_REPORT: Final = {
    ReportKind.MISSING_PACK: Kind.MISSING_PACKS,
    ReportKind.THEFT: Kind.THEFT_REPORTED,
    ReportKind.HELP: Kind.HELP_ASKED,
}


async def on_attempt(connection: AsyncConnection, seen: AttemptSeen) -> None:
    """Tell staff of an attempt; more attempts of a case join its alert."""
    facts = {"attempts": seen.attempts_in_case, "newest": seen.attempt_id}
    await raise_alert(connection, Kind.ATTEMPT, f"case:{seen.case_id}", facts, seen.at, case_id=seen.case_id)


async def on_alarm(connection: AsyncConnection, alarm: Alarm) -> None:
    """Tell staff of a lockout or of codes being guessed."""
    facts: dict[str, Any] = {"chat": alarm.chat}
    if alarm.member_id is not None:
        facts["member_no"] = await _member_no(connection, alarm.member_id)
    what = {
        Kind.PACK_LOCKED_OUT: f"{alarm.pack_id}:{alarm.at:%Y%m%d%H%M}",
        Kind.CHAT_LOCKED_OUT: f"{alarm.chat}:{alarm.at:%Y%m%d}",
        Kind.MANY_WRONG_CODES: f"{alarm.at:%Y%m%d%H}",
    }
    kind = Kind(alarm.kind.value)
    await raise_alert(connection, kind, f"{kind}:{what[kind]}", facts, alarm.at)


async def on_report(connection: AsyncConnection, report: Report) -> None:
    """Tell staff what a member reports: a pack that is missing, a vote not their own, a wish for help."""
    kind = _OF_REPORT[report.kind]
    if kind is Kind.MISSING_PACKS:
        await _count(connection, kind, report.at)
        return
    facts: dict[str, Any] = {"chat": report.chat}
    case_id = None
    if report.member_id is not None:
        facts["member_no"] = await _member_no(connection, report.member_id)
        case = await cases.case_of_member(connection, report.member_id)
        case_id = None if case is None else case.id
    if kind is Kind.THEFT_REPORTED and case_id is not None:
        await case_changed(connection, case_id, report.at)
    await raise_alert(connection, kind, f"{kind}:{report.occasion}", facts, report.at, case_id=case_id)


async def on_text_news(connection: AsyncConnection, news: str, number: str, key: str, now: datetime) -> None:
    """Tell staff of a phone that gets no more answers today, or of words that may mean STOP."""
    kind = Kind(news)
    if kind is Kind.ANSWERS_STOPPED:
        await _count(connection, kind, now)
        return
    query = select(schema.member.c.member_no).where(schema.member.c.phone == number).order_by(schema.member.c.id)
    member_no = await connection.scalar(query)
    facts = {"number": number} | ({"member_no": str(member_no)} if member_no else {})
    await raise_alert(connection, kind, f"{kind}:{key}", facts, now)


async def _count(connection: AsyncConnection, kind: Kind, now: datetime) -> None:
    """Raise one alert a day, however many."""
    day = f"{kind}:{now:%Y%m%d}"
    before = await connection.scalar(select(alert.c.facts).where(alert.c.occasion == day))
    await raise_alert(connection, kind, day, {"count": (before or {}).get("count", 0) + 1}, now)


def trouble_teller(clock: Callable[[], datetime]) -> OnTrouble:
    """Make what tells staff that a provider refuses us: once a day for each kind of trouble."""

    async def on_trouble(connection: AsyncConnection, trouble: Trouble) -> None:
        now = clock()
        occasion = f"trouble:{trouble.provider}:{trouble.kind}:{trouble.detail}:{now:%Y%m%d}"
        facts = {"provider": trouble.provider, "trouble": trouble.kind, "detail": trouble.detail}
        if trouble.notice_id is not None and trouble.kind in PAUSES:
            facts["notice"] = str(trouble.notice_id)
        await raise_alert(connection, Kind.PROVIDER_TROUBLE, occasion, facts, now)

    return on_trouble


async def on_held(connection: AsyncConnection, held: Held) -> None:
    """Tell staff that a notice did not go at its time, and why."""
    facts = {name: fact if isinstance(fact, int) else str(fact) for name, fact in held.facts.items()}
    occasion = f"held:{held.notice_id}:{held.at.isoformat()}"
    await raise_alert(
        connection, Kind.NOTICE_HELD, occasion, {**facts, "notice": str(held.notice_id), "why": held.key}, held.at
    )


async def on_migrated(connection: AsyncConnection, old: str, new: str) -> None:
    """Follow a group to its new chat id (a basic group became a supergroup)."""
    old_id, new_id = int(old), int(new)
    known = await connection.scalar(select(staff_group.c.chat_id).where(staff_group.c.chat_id == new_id))
    if known is None:
        await connection.execute(
            update(staff_group).where(staff_group.c.chat_id == old_id).values(chat_id=new_id, topic_id=None)
        )
    else:
        await connection.execute(delete(staff_group).where(staff_group.c.chat_id == old_id))
    # What was shown in the old group cannot be edited in the new one: it is shown there anew.
    await connection.execute(delete(alert_message).where(alert_message.c.chat_id == old_id))


async def _member_no(connection: AsyncConnection, member_id: int) -> str:
    found = await connection.scalar(select(schema.member.c.member_no).where(schema.member.c.id == member_id))
    return str(found)
