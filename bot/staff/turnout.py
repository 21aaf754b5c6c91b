"""Turnout by the hour, in steps that reveal nothing about anybody while votes are still taken."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import BigInteger, func, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.model import How, Phase
from voting.poll import polls
from voting.store.columns import EPOCH, MICROSECOND

STEP: Final = 25  # until the poll has closed, counts are rounded down to whole steps
HOUR: Final = timedelta(hours=1)
HOURS_MAX: Final = 24 * 366


@dataclass(frozen=True, slots=True)
class Hour:
    """How many had voted by the end of an hour, in all."""

    ended_at: datetime
    online: int
    post: int


@dataclass(frozen=True, slots=True)
class Turnout:
    """Who has voted, by the hour, oldest first; `exact` once the poll has closed, whole STEPs before."""

    title: str
    timezone: str
    opens_at: datetime
    closes_at: datetime
    eligible: int
    exact: bool
    hours: tuple[Hour, ...]

    @property
    def online(self) -> int:
        """Votes locked online."""
        return self.hours[-1].online if self.hours else 0

    @property
    def post(self) -> int:
        """Votes locked by post."""
        return self.hours[-1].post if self.hours else 0

    @property
    def percent(self) -> float:
        """Share of those who may vote."""
        return 100 * (self.online + self.post) / self.eligible if self.eligible else 0.0


async def turnout(connection: AsyncConnection, now: datetime) -> Turnout:
    """Count locks by the hour. Before the close, only hours that are over, rounded down. NoPoll."""
    poll = await polls.load(connection)
    exact = poll.phase in (Phase.CLOSED, Phase.COUNTED)
    eligible = await connection.scalar(select(func.count()).where(schema.member.c.eligible))
    bucket = type_coerce(schema.lock.c.at, BigInteger) // (HOUR // MICROSECOND)
    rows = await connection.execute(
        select(bucket.label("hour"), schema.lock.c.how, func.count().label("locks"))
        .group_by(bucket, schema.lock.c.how)
        .order_by(bucket)
    )
    counts: dict[datetime, dict[str, int]] = {}
    for row in rows:
        ended_at = EPOCH + (row.hour + 1) * HOUR
        counts.setdefault(ended_at, {})[row.how] = row.locks
    hours = _summed(counts, until=None if exact else now, step=1 if exact else STEP)
    return Turnout(poll.title, poll.timezone, poll.opens_at, poll.closes_at, int(eligible or 0), exact, hours)


def _summed(counts: dict[datetime, dict[str, int]], *, until: datetime | None, step: int) -> tuple[Hour, ...]:
    """Add the hours up, one after another from the first vote to the last; in between nothing is left out."""
    if not counts:
        return ()
    last = max(counts) if until is None else until
    hours: list[Hour] = []
    online = post = 0
    ended_at = min(counts)
    while ended_at <= last and len(hours) < HOURS_MAX:
        of_hour = counts.get(ended_at, {})
        online += of_hour.get(How.ONLINE, 0)
        post += of_hour.get(How.POST, 0)
        hours.append(Hour(ended_at, online // step * step, post // step * step))
        ended_at += HOUR
    return tuple(hours)
