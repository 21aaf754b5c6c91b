"""What an office's monitoring watches, for /metrics: reach, queue, votes, alerts, heads. Gathered at most every while.

A monitoring system keeps what it saw for months: while the poll is open, votes are whole steps here as in the turnout
picture, so that nobody's own vote can be seen as the moment at which a number rose.
"""

from collections.abc import Iterable
from time import monotonic
from typing import Final

from prometheus_client import Gauge
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.alerts.alerts import Kind
from bot.edge.gauges import gauge
from bot.house import House
from bot.schema import alert
from bot.staff.turnout import STEP
from messages.reach import SMS, TELEGRAM, State
from messages.schema import channel, delivery
from voting import schema
from voting.model import Phase
from voting.poll import polls

FRESH_SECONDS: Final = 15.0  # they are scans of whole tables
CHANNELS: Final = (TELEGRAM, SMS)
DELIVERY_STATES: Final = ("ready", "sending", "sent", "delivered", "failed", "unknown", "canceled", "skipped")
VOTED: Final = ("online", "post")

MEMBERS: Final = gauge("ballotline_members_eligible", "Members who may vote.")
REACH: Final = gauge("ballotline_channels", "Ways to members, by state.", ["channel", "state"])
DELIVERIES: Final = gauge("ballotline_deliveries", "Messages of the ledger, by state.", ["channel", "state"])
VOTES: Final = gauge("ballotline_votes", f"Votes locked, in steps of {STEP} until the poll is closed.", ["how"])
OPEN: Final = gauge("ballotline_poll_open", "1 while the poll is open.")
ALERTS: Final = gauge("ballotline_alerts_open", "Alerts that nobody has acknowledged.", ["kind"])
HEADS: Final = gauge("ballotline_heads_signed", "Heads of the chain that were signed.")
HEAD_AGE: Final = gauge("ballotline_head_age_seconds", "Since the last one was signed; -1: none yet.")


class Figures:
    """Sets the gauges, each time anew but not more often than every `fresh_seconds`."""

    def __init__(self, house: House, *, fresh_seconds: float = FRESH_SECONDS) -> None:
        self._house, self._fresh_seconds = house, fresh_seconds
        self._gathered_at: float | None = None

    async def refresh(self) -> None:
        """Gather once if they are old; NoPoll."""
        now = monotonic()
        if self._gathered_at is not None and now - self._gathered_at < self._fresh_seconds:
            return
        self._gathered_at = now
        async with self._house.database.reading() as connection:
            await self._gather(connection)

    async def _gather(self, connection: AsyncConnection) -> None:
        poll = await polls.load(connection)
        OPEN.set(poll.phase is Phase.OPEN)
        MEMBERS.set(await connection.scalar(select(func.count()).where(schema.member.c.eligible)) or 0)
        rows = await connection.execute(
            select(channel.c.kind, channel.c.state, func.count()).group_by(channel.c.kind, channel.c.state)
        )
        _set_pairs(REACH, [str(state) for state in State], [(row[0], row[1], row[2]) for row in rows])
        rows = await connection.execute(
            select(delivery.c.channel, delivery.c.state, func.count()).group_by(delivery.c.channel, delivery.c.state)
        )
        _set_pairs(DELIVERIES, DELIVERY_STATES, [(row[0], row[1], row[2]) for row in rows])
        step = STEP if poll.phase in {Phase.PREPARING, Phase.OPEN} else 1
        rows_of_two = await connection.execute(select(schema.lock.c.how, func.count()).group_by(schema.lock.c.how))
        locks = {row.how: row[1] for row in rows_of_two}
        for how in VOTED:
            VOTES.labels(how).set(locks.get(how, 0) // step * step)
        await _set_alerts(connection)
        await self._set_heads(connection)

    async def _set_heads(self, connection: AsyncConnection) -> None:
        heads, last = (await connection.execute(select(func.count(), func.max(schema.head.c.at)))).one()
        HEADS.set(heads)
        HEAD_AGE.set((self._house.clock() - last).total_seconds() if last is not None else -1)


async def _set_alerts(connection: AsyncConnection) -> None:
    waiting = alert.c.acknowledged_by.is_(None) & alert.c.ended_at.is_(None)
    rows = await connection.execute(select(alert.c.kind, func.count()).where(waiting).group_by(alert.c.kind))
    counts = {row.kind: row[1] for row in rows}
    for kind in Kind:
        ALERTS.labels(str(kind)).set(counts.get(str(kind), 0))


def _set_pairs(gauge: Gauge, states: Iterable[str], rows: Iterable[tuple[str, str, int]]) -> None:
    counts = {(kind, state): count for kind, state, count in rows}
    for kind in CHANNELS:
        for state in states:
            gauge.labels(kind, state).set(counts.get((kind, state), 0))
