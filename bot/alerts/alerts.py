"""What staff must hear of at once, written down in the transaction of the fact itself, so that no crash loses it.

Attempts of one member join one alert; the same trouble joins the same alert. Showing them is the pump's affair
(alert_pump.py), the words are alert_words.py's, waking the next person is alert_pages.py's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import RowMapping, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.member.requests import Report, ReportKind
from bot.schema import alert, alert_message, staff_group
from messages import reach
from messages.ledger.aftermath import OnTrouble, Trouble
from messages.notices.scheduled import Held
from messages.reach import SMS, State
from voting import schema
from voting.audit import chain
from voting.poll import polls
from voting.refusals import StaffRefusal
from voting.store.inserts import insert_into
from voting.votes import cases
from voting.votes.attempts import AttemptSeen
from voting.votes.checks import Alarm


class AlertGone(StaffRefusal):
    """There is no alert {alert_id}."""


class Kind(StrEnum):
    """What an alert is about."""

    ATTEMPT = "attempt"
    PACK_LOCKED_OUT = "pack_locked_out"
    CHAT_LOCKED_OUT = "chat_locked_out"
    MANY_WRONG_CODES = "many_wrong_codes"
    PROBE_FAILED = "probe_failed"
    PROVIDER_TROUBLE = "provider_trouble"
    NOTICE_HELD = "notice_held"
    THEFT_REPORTED = "theft_reported"
    MISSING_PACKS = "missing_packs"
    HELP_ASKED = "help_asked"
    INBOX_FAILED = "inbox_failed"
    UNREADABLE = "unreadable"
    NOT_HEARD = "not_heard"
    ANSWERS_STOPPED = "answers_stopped"
    MAY_HAVE_STOPPED = "may_have_stopped"


PAUSES: Final = frozenset({"our_setup", "on_the_way"})  # troubles after which a notice waits for somebody
# Nobody is woken for these: they are shown, and can wait for the morning.
NOT_PAGED: Final = frozenset(
    {Kind.MISSING_PACKS, Kind.HELP_ASKED, Kind.UNREADABLE, Kind.ANSWERS_STOPPED, Kind.MAY_HAVE_STOPPED}
)
# The chat itself may be what fails: for these the on-call phones get a text message at once.
BY_TEXT: Final = frozenset({Kind.NOT_HEARD})

_OF_REPORT: Final = {
    ReportKind.MISSING_PACK: Kind.MISSING_PACKS,
    ReportKind.THEFT: Kind.THEFT_REPORTED,
    ReportKind.HELP: Kind.HELP_ASKED,
}


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it stands; `version` rises when there is something new to show."""

    id: int
    kind: Kind
    occasion: str
    case_id: int | None
    facts: Mapping[str, Any]
    raised_at: datetime
    changed_at: datetime
    version: int
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    escalated: int
    next_page_at: datetime | None
    ended_at: datetime | None


async def raise_alert(
    connection: AsyncConnection,
    kind: Kind,
    occasion: str,
    facts: Mapping[str, Any],
    now: datetime,
    *,
    case_id: int | None = None,
) -> int:
    """Raise an alert, or join the one of the same `occasion`; return its id. NoPoll.

    Joining with the same facts changes nothing; with others, it is shown anew where it stands. One that had ended
    is raised again from the beginning.
    """
    page_at = None if kind in NOT_PAGED else now if kind in BY_TEXT else now + await _patience(connection)
    fresh = {"raised_at": now, "changed_at": now, "next_page_at": page_at}
    statement = insert_into(connection, alert).values(
        kind=kind.value, occasion=occasion, case_id=case_id, facts=dict(facts), **fresh
    )
    made = await connection.execute(statement.on_conflict_do_nothing(index_elements=["occasion"]).returning(alert.c.id))
    alert_id = made.scalar_one_or_none()
    if alert_id is not None:
        return int(alert_id)
    rows = await connection.execute(select(alert).where(alert.c.occasion == occasion).with_for_update())
    known = _alert(rows.mappings().one())
    if known.ended_at is not None:
        again = {"acknowledged_by": None, "acknowledged_at": None, "escalated": 0, "ended_at": None, **fresh}
        await _change(connection, known.id, facts=dict(facts), **again)
        await connection.execute(delete(alert_message).where(alert_message.c.alert_id == known.id))
    elif dict(known.facts) != dict(facts):
        await _change(connection, known.id, facts=dict(facts), changed_at=now)
    return known.id


async def show(connection: AsyncConnection, alert_id: int) -> Alert:
    """Give one alert; AlertGone."""
    row = (await connection.execute(select(alert).where(alert.c.id == alert_id))).mappings().first()
    if row is None:
        raise AlertGone(alert_id=alert_id)
    return _alert(row)


async def open_alerts(connection: AsyncConnection, limit: int = 100) -> list[Alert]:
    """Give what nobody has acknowledged yet, oldest first."""
    waiting = select(alert).where(alert.c.ended_at.is_(None), alert.c.acknowledged_by.is_(None))
    rows = await connection.execute(waiting.order_by(alert.c.id).limit(limit))
    return [_alert(row) for row in rows.mappings()]


async def recent_alerts(connection: AsyncConnection, limit: int = 50) -> list[Alert]:
    """Give the newest alerts, newest first."""
    rows = await connection.execute(select(alert).order_by(alert.c.changed_at.desc(), alert.c.id.desc()).limit(limit))
    return [_alert(row) for row in rows.mappings()]


async def acknowledge(connection: AsyncConnection, alert_id: int, *, actor: str, via: str, now: datetime) -> Alert:
    """Say that somebody is looking: nobody else is woken. The first one counts and stands in the answer. AlertGone."""
    first = await connection.execute(
        update(alert)
        .where(alert.c.id == alert_id, alert.c.acknowledged_by.is_(None))
        .values(
            acknowledged_by=actor,
            acknowledged_at=now,
            changed_at=now,
            next_page_at=None,
            version=alert.c.version + 1,
        )
    )
    known = await show(connection, alert_id)
    if not first.rowcount:
        return known
    if known.case_id is not None:
        await cases.acknowledge(connection, known.case_id, actor=actor, via=via, now=now)
    else:
        body = {"alert": alert_id, "kind": known.kind.value}
        await chain.append(connection, "alert_acknowledged", body, actor=actor, via=via, now=now)
        await _change(connection, alert_id, ended_at=now)
    return known


async def case_changed(connection: AsyncConnection, case_id: int, now: datetime, *, ended: bool = False) -> None:
    """Show a case's alerts anew, since somebody changed the case; `ended`: it was settled."""
    values: dict[str, Any] = {"version": alert.c.version + 1, "changed_at": now}
    if ended:
        values |= {"ended_at": now, "next_page_at": None}
    await connection.execute(update(alert).where(alert.c.case_id == case_id).values(values))


async def alert_of_case(connection: AsyncConnection, case_id: int) -> Alert | None:
    """Give the alert that tells of a case's attempts."""
    wanted = (alert.c.case_id == case_id) & (alert.c.kind == Kind.ATTEMPT.value)
    row = (await connection.execute(select(alert).where(wanted))).mappings().first()
    return None if row is None else _alert(row)


async def alerts_in(connection: AsyncConnection, chat_id: int, message_id: int) -> tuple[int, ...]:
    """Give the alerts that one message tells of."""
    mine = (alert_message.c.chat_id == chat_id) & (alert_message.c.message_id == message_id)
    rows = await connection.execute(select(alert_message.c.alert_id).where(mine).order_by(alert_message.c.alert_id))
    return tuple(rows.scalars())


# -- hooks: called where the fact is recorded, in the same transaction -----------------------


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


async def stop_texts(connection: AsyncConnection, alert_id: int, now: datetime) -> None:
    """Stop texts to the number that an alert tells of, as if it had said STOP. AlertGone."""
    number = (await show(connection, alert_id)).facts.get("number")
    if number is None:
        raise AlertGone(alert_id=alert_id)
    await reach.set_channel_state(connection, SMS, str(number), State.OPTED_OUT, reason="by_staff", now=now)


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


async def _patience(connection: AsyncConnection) -> timedelta:
    return timedelta(minutes=(await polls.load(connection)).staff.escalate_after_minutes)


async def _member_no(connection: AsyncConnection, member_id: int) -> str:
    found = await connection.scalar(select(schema.member.c.member_no).where(schema.member.c.id == member_id))
    return str(found)


async def _change(connection: AsyncConnection, alert_id: int, **values: object) -> None:
    statement = update(alert).where(alert.c.id == alert_id)
    await connection.execute(statement.values(**values, version=alert.c.version + 1))


def _alert(row: RowMapping) -> Alert:
    return Alert(**({name: row[name] for name in Alert.__slots__} | {"kind": Kind(row["kind"])}))
