"""Texts in place of messages that wait for Telegram, of notices whose authors wish so.

A few at a time, as fast as they go: when Telegram is back, the rest goes there and costs nothing. Whoever has no
number that is on waits for Telegram. STOP, quiet hours and a vote meanwhile count as for every text.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from messages.ledger.aftermath import HELD, Aftermath
from messages.ledger.outbox import LEASE, Skipped, claimed_from
from messages.ledger.outbox_sql import RETURNED
from messages.postman.runnable import orders
from messages.reach import SMS, TELEGRAM, State
from messages.schema import channel, delivery, notice

AHEAD_MAX: Final = 100  # texts of one notice that wait to go


async def texts_instead(connection: AsyncConnection, aftermath: Aftermath, now: datetime) -> int:
    """Plan a few texts of each such notice that may go by text now; return how many."""
    wished = set((await connection.execute(_wished())).scalars())
    may_go = [order.notice_id for order in await orders(connection, SMS, now, LEASE) if order.notice_id in wished]
    return sum([await _instead(connection, aftermath, notice_id, now) for notice_id in may_go if notice_id])


async def any_wished(connection: AsyncConnection) -> bool:
    """Whether there is such a notice on its way: cheap, and takes no lock."""
    return (await connection.execute(_wished().limit(1))).first() is not None


def _wished() -> Select[int]:
    return select(notice.c.id).where(notice.c.state == "sending", notice.c.texts_when_held)


async def _instead(connection: AsyncConnection, aftermath: Aftermath, notice_id: int, now: datetime) -> int:
    room = AHEAD_MAX - await _texts_waiting(connection, notice_id)
    if room <= 0:
        return 0
    rows = await connection.execute(
        select(*(delivery.c[name] for name in RETURNED))
        .where(delivery.c.notice_id == notice_id, delivery.c.channel == TELEGRAM, delivery.c.state == "ready")
        .where(_has_number())
        .order_by(delivery.c.id)
        .limit(room)
        .with_for_update(skip_locked=True)
    )
    held = [claimed_from(row, "leave") for row in rows]
    await connection.execute(
        update(delivery)
        .where(delivery.c.id.in_([one.id for one in held]), delivery.c.state == "ready")
        .values(state="skipped", reason=HELD, settled_at=now)
    )
    await aftermath.after_skipped(connection, [Skipped(one, HELD) for one in held], now)
    return len(held)


async def _texts_waiting(connection: AsyncConnection, notice_id: int) -> int:
    waiting = (delivery.c.notice_id == notice_id, delivery.c.channel == SMS, delivery.c.state == "ready")
    return int(await connection.scalar(select(func.count()).where(*waiting)) or 0)


def _has_number() -> ColumnElement[bool]:
    mine = and_(channel.c.member_id == delivery.c.member_id, channel.c.kind == SMS, channel.c.state == State.ON)
    return exists(select(literal(1)).where(mine))
