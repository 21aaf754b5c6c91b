"""Where alerts are shown and what of them is not yet shown there: the questions the pump asks the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.alerts.pages import responders
from bot.schema import alert, alert_message, staff_group
from bot.staff import enrolment
from bot.staff.languages import fitting
from voting.poll import polls
from voting.refusals import NoPoll
from voting.store.inserts import insert_into

STORM_SPAN: Final = timedelta(minutes=1)
BUNDLE_SPAN: Final = timedelta(minutes=15)  # an older bundle has scrolled away
ROWS_MAX: Final = 500

Key = tuple[int, int]  # alert id, chat id


@dataclass(frozen=True, slots=True)
class Place:
    """A chat where alerts are shown."""

    chat_id: int
    topic_id: int | None
    language: str


def stale(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """Give the condition on rows that show less than there is, and that nobody is sending."""
    free = or_(alert_message.c.lease_until.is_(None), alert_message.c.lease_until <= now)
    return and_(alert_message.c.shown_version < alert.c.version, free)


def of_keys(keys: Sequence[Key]) -> ColumnElement[bool]:
    """Give the condition on these rows."""
    return tuple_(alert_message.c.alert_id, alert_message.c.chat_id).in_(keys)


def waits() -> ColumnElement[bool]:
    """Give the condition on alerts that nobody has acknowledged."""
    return and_(alert.c.ended_at.is_(None), alert.c.acknowledged_by.is_(None))


_NOW: Final = bindparam("now", type_=alert.c.next_page_at.type)
_UNTOLD: Final = select(alert.c.id).join(alert_message, alert.c.id == alert_message.c.alert_id).where(stale(_NOW))
_LOOK: Final = select(
    select(alert.c.id).where(waits(), alert.c.next_page_at <= _NOW).exists().label("late"),
    _UNTOLD.exists().label("untold"),
    select(alert.c.id).where(waits()).exists().label("waiting"),
)


async def anything_to_do(connection: AsyncConnection, now: datetime) -> bool:
    """Tell quickly whether there is anything to do: this is asked twice a second."""
    seen = (await connection.execute(_LOOK, {"now": now})).one()
    if seen.late or seen.untold:
        return True
    if not seen.waiting:
        return False
    try:
        return bool(await without_row(connection, await places(connection)))
    except NoPoll:
        return False


async def places(connection: AsyncConnection) -> dict[int, Place]:
    """Give where alerts are shown: the responders' own chats and the staff groups."""
    poll = await polls.load(connection)
    places = {
        person.user_id: Place(person.user_id, None, person.language)
        for person in responders(await enrolment.everybody(connection))
    }
    groups = await connection.execute(select(staff_group).where(staff_group.c.removed_at.is_(None)))
    for row in groups:
        places[row.chat_id] = Place(row.chat_id, row.topic_id, fitting(row.language, poll))
    return places


async def without_row(connection: AsyncConnection, places: dict[int, Place]) -> list[Key]:
    """Give the alerts that wait and the places where they have no row yet."""
    waiting = list((await connection.execute(select(alert.c.id).where(waits()).limit(ROWS_MAX))).scalars())
    known = {
        (row.alert_id, row.chat_id)
        for row in await connection.execute(
            select(alert_message.c.alert_id, alert_message.c.chat_id).where(alert_message.c.alert_id.in_(waiting))
        )
    }
    return [key for alert_id in waiting for chat_id in places if (key := (alert_id, chat_id)) not in known]


async def plan_rows(connection: AsyncConnection, places: dict[int, Place]) -> None:
    """Plan a row for each alert that waits and each place that lacks it."""
    keys = await without_row(connection, places)
    if keys:
        rows = [{"alert_id": alert_id, "chat_id": chat_id} for alert_id, chat_id in keys]
        await connection.execute(insert_into(connection, alert_message).on_conflict_do_nothing(), rows)


async def sent_lately(connection: AsyncConnection, chat_id: int, now: datetime) -> int:
    """Count the messages a chat got within STORM_SPAN."""
    lately = (alert_message.c.chat_id == chat_id) & (alert_message.c.sent_at > now - STORM_SPAN)
    counted = select(func.count(alert_message.c.message_id.distinct())).where(lately)
    return int(await connection.scalar(counted) or 0)


async def newest_bundle(connection: AsyncConnection, chat_id: int, now: datetime) -> int | None:
    """Give the newest message of many alerts in a chat that is still in sight."""
    bundled = (
        (alert_message.c.chat_id == chat_id) & alert_message.c.bundled & (alert_message.c.sent_at > now - BUNDLE_SPAN)
    )
    found = await connection.scalar(select(func.max(alert_message.c.message_id)).where(bundled))
    return None if found is None else int(found)
