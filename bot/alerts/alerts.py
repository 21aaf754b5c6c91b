"""What staff must hear of at once, written down in the transaction of the fact itself, so that no crash loses it.

Attempts of one member join one alert; the same trouble joins the same alert. What raises one is in hooks.py, showing
them is done in pump.py, the words are in words.py, waking the next person is in pages.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import RowMapping, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.schema import alert, alert_message
from messages import reach
from messages.reach import SMS, State
from voting.audit import chain
from voting.model import By
from voting.poll import polls
from voting.refusals import StaffRefusal
from voting.store.inserts import insert_into
from voting.votes import cases


class AlertGone(StaffRefusal):
    """There is no alert {alert_id}."""


class Kind(StrEnum):
    """What an alert is about."""

    ATTEMPT = "attempt"
    PACK_LOCKED_OUT = "pack_locked_out"
    CHAT_LOCKED_OUT = "chat_locked_out"
    MANY_WRONG_CODES = "many_wrong_codes"
    PROBE_FAILED = "probe_failed"
    HEAD_LOST = "head_lost"
    PROVIDER_TROUBLE = "provider_trouble"
    NOTICE_HELD = "notice_held"
    GROUP_LOST = "group_lost"
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
    {Kind.MISSING_PACKS, Kind.HELP_ASKED, Kind.GROUP_LOST, Kind.UNREADABLE, Kind.ANSWERS_STOPPED, Kind.MAY_HAVE_STOPPED}
)
# The chat itself may be what fails: for these the on-call phones get a text message at once.
BY_TEXT: Final = frozenset({Kind.NOT_HEARD})


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


async def acknowledge(connection: AsyncConnection, alert_id: int, *, by: By) -> Alert:
    """Say that somebody is looking: nobody else is woken. The first one counts and stands in the answer. AlertGone."""
    first = await connection.execute(
        update(alert)
        .where(alert.c.id == alert_id, alert.c.acknowledged_by.is_(None))
        .values(
            acknowledged_by=by.actor,
            acknowledged_at=by.at,
            changed_at=by.at,
            next_page_at=None,
            version=alert.c.version + 1,
        )
    )
    known = await show(connection, alert_id)
    if not first.rowcount:
        return known
    if known.case_id is not None:
        await cases.acknowledge(connection, known.case_id, by=by)
    else:
        body = {"alert": alert_id, "kind": known.kind.value}
        await chain.append(connection, "alert_acknowledged", body, by=by)
        await _change(connection, alert_id, ended_at=by.at)
    return known


async def end(connection: AsyncConnection, known: Alert, now: datetime, **facts: object) -> None:
    """Show an alert's new facts where it stands, and wake nobody else for it: what it tells of is over."""
    ended_at = known.ended_at or now
    await _change(
        connection, known.id, facts={**known.facts, **facts}, changed_at=now, next_page_at=None, ended_at=ended_at
    )


async def stop_texts(connection: AsyncConnection, alert_id: int, *, by: By) -> None:
    """Stop texts to the number that an alert tells of, as if it had said STOP. AlertGone."""
    number = (await show(connection, alert_id)).facts.get("number")
    if number is None:
        raise AlertGone(alert_id=alert_id)
    await reach.set_channel_state(connection, SMS, str(number), State.OPTED_OUT, reason="by_staff", now=by.at)
    await chain.append(connection, "texts_stopped", {"alert": alert_id}, by=by)


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


async def _patience(connection: AsyncConnection) -> timedelta:
    return timedelta(minutes=(await polls.load(connection)).staff.escalate_after_minutes)


async def _change(connection: AsyncConnection, alert_id: int, **values: object) -> None:
    statement = update(alert).where(alert.c.id == alert_id)
    await connection.execute(statement.values(**values, version=alert.c.version + 1))


def _alert(row: RowMapping) -> Alert:
    return Alert(**({name: row[name] for name in Alert.__slots__} | {"kind": Kind(row["kind"])}))
