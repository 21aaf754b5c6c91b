"""The delivery ledger: claim rows, then send, then settle them. Each step is one transaction of its own.

A claim gives a row the state `sending`, a fence (a number that rises with each claim) and a lease (a time limit). It is
committed before anything is sent. What happened is written only if the row still has the same fence. So after kill -9
every row is true or `unknown`, and a process whose lease ran out cannot change a row that another one has claimed
since. Rows move:

    ready -> sending -> sent -> delivered            (callbacks.py moves them on from sent)
      ^         |-> failed, skipped
      |         `-> unknown -> sent | ready          (a lease that expired, an answer that was lost)
      `------------'
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from messages.ledger.outbox_sql import CLAIM, RETURNED, SETTLE
from messages.ledger.quick_sql import fetch
from messages.ledger.settlement import RESOLVE_AFTER, Claimed, Settlement
from messages.schema import delivery, notice
from voting.store.columns import EPOCH, MICROSECOND, microseconds

LEASE: Final = timedelta(seconds=60)  # longer than any send can take, waiting for its slot included
EXPIRED_PER_STEP_MAX: Final = 1000
_NO_NOTICE: Final = -1  # no row's
# Asked several times a second, also by a service with nothing to do: built once.
_DUE: Final = (
    select(delivery.c.id)
    .where(delivery.c.channel == bindparam("of_channel"), delivery.c.state == "ready")
    .where(or_(delivery.c.notice_id.is_(None), delivery.c.notice_id == bindparam("of_notice")))
    .where(delivery.c.not_before <= bindparam("now"))
    .limit(1)
)
_EXPIRED: Final = (
    select(delivery.c.id).where(delivery.c.state == "sending", delivery.c.lease_until < bindparam("now")).limit(1)
)


@dataclass(frozen=True, slots=True)
class Order:
    """What a claim asks for: messages to one person each, and those of a notice if one is named."""

    channel: str
    notice_id: int | None = None
    on_unknown: str = "resend"
    not_to_voters: bool = False  # skip members who have voted by now
    lease: timedelta = LEASE


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that was due but must not be sent any more."""

    claimed: Claimed
    reason: str


async def claim(
    connection: AsyncConnection, order: Order, most: int, now: datetime
) -> tuple[list[Claimed], list[Skipped]]:
    """Take at most so many rows that are due, oldest first (messages to one person: by lane), and mark them `sending`.

    To be committed before anything is sent. Rows that must not be sent any more are `skipped`, with the reason. A
    notice that is not `sending` at this moment gives none.
    """
    values: dict[str, Any] = {
        "channel": order.channel,
        "notice_id": order.notice_id or _NO_NOTICE,
        "most": most,
        "now": micros(now),
        "lease_until": micros(now + order.lease),
        "not_to_voters": int(order.not_to_voters),
    }
    rows = [dict(zip(RETURNED, row, strict=True)) for row in await fetch(connection, CLAIM, values)]
    rows.sort(key=lambda row: (row["lane"], row["id"]))
    return (
        [_claimed(row, order) for row in rows if row["state"] == "sending"],
        [Skipped(_claimed(row, order), row["reason"]) for row in rows if row["state"] == "skipped"],
    )


async def settle(connection: AsyncConnection, settlements: Sequence[Settlement], now: datetime) -> set[int]:
    """Write what became of claimed rows, in one statement; return the ids written.

    An id that is missing was settled by somebody else: a callback that came first, or a later claim.
    """
    if not settlements:
        return set()
    rows = json.dumps([_settled_row(settlement, now) for settlement in settlements])
    return {row[0] for row in await fetch(connection, SETTLE, {"rows": rows})}


async def expire(connection: AsyncConnection, channel: str, now: datetime) -> list[Claimed]:
    """Mark rows whose lease ran out as `unknown`: the process that claimed them is gone.

    Never `ready`: they may have been sent.
    """
    held_by_nobody = (
        select(delivery.c.id)
        .where(delivery.c.state == "sending", delivery.c.lease_until < now, delivery.c.channel == channel)
        .order_by(delivery.c.lease_until)
        .limit(EXPIRED_PER_STEP_MAX)
    )
    rows = await connection.execute(
        update(delivery)
        .where(delivery.c.state == "sending", delivery.c.id.in_(held_by_nobody))
        .values(state="unknown", reason="lease_expired", lease_until=now + RESOLVE_AFTER)
        .returning(*(delivery.c[name] for name in RETURNED))
    )
    return [claimed_from(row, "leave") for row in rows]


async def any_expired(connection: AsyncConnection, now: datetime) -> bool:
    """Whether `expire` would find something, on any channel: cheap, and takes no lock."""
    return (await connection.execute(_EXPIRED, {"now": now})).first() is not None


async def put_back(connection: AsyncConnection, settlement: Settlement) -> None:
    """Queue a row again that had been sent and then reported as failed; its notice, if done, goes on."""
    await connection.execute(
        update(delivery)
        .where(delivery.c.id == settlement.claimed.id, delivery.c.fence == settlement.claimed.fence)
        .values(
            state="ready",
            settled_at=None,
            lease_until=None,
            not_before=settlement.not_before or delivery.c.not_before,
            tries=delivery.c.tries + settlement.tries,
        )
    )
    await connection.execute(
        update(notice)
        .where(notice.c.id == settlement.claimed.notice_id, notice.c.state == "done")
        .values(state="sending", ended_at=None)
    )


async def is_due(connection: AsyncConnection, order: Order, now: datetime) -> bool:
    """Whether a claim would find something: cheap, and takes no lock."""
    asked = {"of_channel": order.channel, "of_notice": order.notice_id or _NO_NOTICE, "now": now}
    return (await connection.execute(_DUE, asked)).first() is not None


def claimed_from(row: Any, on_unknown: str) -> Claimed:  # noqa: ANN401 - a row of RETURNED
    """Read a row of RETURNED."""
    return Claimed(
        id=row.id,
        fence=row.fence,
        channel=row.channel,
        address=row.address,
        language=row.language,
        purpose=row.purpose,
        facts=row.facts,
        lane=row.lane,
        segments=row.segments,
        tries=row.tries,
        notice_id=row.notice_id,
        member_id=row.member_id,
        send_before=row.send_before,
        on_unknown=on_unknown,
    )


def _claimed(row: dict[str, Any], order: Order) -> Claimed:
    """Read a row as the driver gives it: instants are whole microseconds."""
    values = {name: row[name] for name in RETURNED if name not in {"state", "reason"}}
    if isinstance(row["facts"], str):  # SQLite's driver knows no JSON
        values["facts"] = json.loads(row["facts"])
    values["send_before"] = None if row["send_before"] is None else EPOCH + row["send_before"] * MICROSECOND
    return Claimed(**values, on_unknown="resend" if row["notice_id"] is None else order.on_unknown)


def _settled_row(settlement: Settlement, now: datetime) -> dict[str, Any]:
    final = settlement.state in {"sent", "failed"} or (settlement.state == "unknown" and settlement.ask_at is None)
    return {
        "id": settlement.claimed.id,
        "fence": settlement.claimed.fence,
        "state": settlement.state,
        "reason": settlement.reason,
        "provider_id": settlement.provider_id,
        "not_before": micros(settlement.not_before),
        "ask_at": micros(settlement.ask_at),
        "address": settlement.address,
        "tries": settlement.tries,
        "settled_at": micros(now) if final else None,
    }


def micros(instant: datetime | None) -> int | None:
    """Give an instant as raw SQL sees it (see voting.store.columns.Instant)."""
    return None if instant is None else microseconds(instant)
