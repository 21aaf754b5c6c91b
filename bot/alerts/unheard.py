"""Telegram that does not reach us: staff hear of each reason once, and once when all is well again.

What was told stands in the alerts themselves, so a service that is started again says nothing twice. The good news goes
to those who were alarmed, in their own chats; there is nothing in it to acknowledge.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.alerts import alerts
from bot.alerts.alerts import Alert, Kind
from bot.alerts.pages import responders, tell_staff
from bot.schema import alert
from bot.staff import enrolment
from messages.words.dates import moment_text
from messages.words.texts import html_text
from voting.poll import polls

LOOKED_AT_MAX: Final = 20  # the newest; an older one is over long since


async def lasting(connection: AsyncConnection) -> list[Alert]:
    """Give the alerts, oldest first, that no good news followed."""
    newest = select(alert.c.id).where(alert.c.kind == Kind.NOT_HEARD.value).order_by(alert.c.id.desc())
    ids = (await connection.execute(newest.limit(LOOKED_AT_MAX))).scalars().all()
    found = [await alerts.show(connection, alert_id) for alert_id in reversed(ids)]
    return [one for one in found if "over_at" not in one.facts]


async def not_heard(connection: AsyncConnection, why: str, now: datetime) -> None:
    """Tell staff of a reason. NoPoll."""
    await alerts.raise_alert(connection, Kind.NOT_HEARD, f"not_heard:{why}:{now.isoformat()}", {"why": why}, now)


async def heard_again(connection: AsyncConnection, over: Iterable[Alert], now: datetime) -> None:
    """Say where it was told that it is over, wake nobody else for it, and tell those who are woken. NoPoll."""
    over = list(over)
    for one in over:
        await alerts.end(connection, one, now, over_at=now.isoformat())
    zone = (await polls.load(connection)).timezone
    for person in responders(await enrolment.everybody(connection)):
        since, at = (moment_text(moment, zone, person.language) for moment in (over[0].raised_at, now))
        said = html_text("staff", "heard_again", person.language, since=since, at=at)
        await tell_staff(connection, person, said, (), occasion=f"heard_again:{over[-1].id}:{person.id}", now=now)
