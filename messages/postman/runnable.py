"""What may be claimed now, in which order: messages to one person first, then notices, urgent ones before the rest."""

import math
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from messages import audience
from messages.audience import Group
from messages.ledger.outbox import Order, is_due
from messages.pace.queue import loop_time
from messages.reach import SMS
from messages.schema import notice
from messages.words.kinds import NOT_TO_VOTERS
from voting.model import SmsRules
from voting.schema import poll

FRESH_SECONDS: Final = 0.1  # until a new notice is seen
_SENDING: Final = (
    select(notice.c.id, notice.c.urgent, notice.c.kind, notice.c.audience, notice.c.on_unknown)
    .where(notice.c.state == "sending")
    .order_by(notice.c.urgent.desc(), notice.c.id)
)


class Runnable:
    """What one channel may claim, read at most every so often: a claim itself sees whether its notice may be sent."""

    def __init__(self, channel: str, lease: timedelta) -> None:
        self._channel, self._lease = channel, lease
        self._orders: list[Order] = []
        self._fresh_until = -math.inf

    async def orders(self, connection: AsyncConnection, now: datetime) -> list[Order]:
        """Give the claims to try, first things first."""
        if loop_time() >= self._fresh_until:
            self._orders = await orders(connection, self._channel, now, self._lease)
            self._fresh_until = loop_time() + FRESH_SECONDS
        return self._orders

    async def any_due(self, connection: AsyncConnection, now: datetime) -> bool:
        """Tell whether any claim would find something."""
        return any([await is_due(connection, order, now) for order in await self.orders(connection, now)])


async def orders(connection: AsyncConnection, channel: str, now: datetime, lease: timedelta) -> list[Order]:
    """Give the claims to try, first things first; each takes messages to one person before its notice.

    In quiet hours a text message waits unless its notice is urgent.
    """
    rows = (await connection.execute(_SENDING)).all()
    quiet = channel == SMS and any(not row.urgent for row in rows) and await _quiet_now(connection, now)
    of_notices = [
        Order(
            channel,
            notice_id=row.id,
            on_unknown=row.on_unknown,
            not_to_voters=not_to_voters(row.kind, row.audience),
            lease=lease,
        )
        for row in rows
        if row.urgent or not quiet
    ]
    return of_notices or [Order(channel, lease=lease)]


def not_to_voters(kind: str, audience_name: str) -> bool:
    """Whether a member who votes before the notice reaches them must not get it any more."""
    return kind in NOT_TO_VOTERS or audience.parse(audience_name).group in (Group.NOT_VOTED, Group.OVERDUE)


def is_quiet(now: datetime, rules: SmsRules, timezone: str) -> bool:
    """Whether text messages would wake people now, by the poll's local time, whatever the clocks do.

    `quiet_from` belongs to the quiet, `quiet_until` no more; equal times: never.
    """
    local = now.astimezone(ZoneInfo(timezone)).time()
    begin, end = time.fromisoformat(rules.quiet_from), time.fromisoformat(rules.quiet_until)
    if begin <= end:
        return begin <= local < end
    return local >= begin or local < end


async def _quiet_now(connection: AsyncConnection, now: datetime) -> bool:
    row = (await connection.execute(select(poll.c.sms, poll.c.timezone))).first()
    if row is None:
        return False
    rules = SmsRules(quiet_from=row.sms["quiet_from"], quiet_until=row.sms["quiet_until"])
    return is_quiet(now, rules, row.timezone)
