"""The delivery ledger: claim rows, then send, then settle them. Each step is one transaction of its own.

A row is claimed (state `sending`, a fence, a lease) and that is committed before any word goes out; what happened
is settled only under the same fence. So after kill -9 every row says the truth or `unknown`, and nobody who was
overtaken can write over who overtook. Rows move:

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

from sqlalchemy import TextualSelect, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from messages.schema import delivery, notice
from messages.settlement import RESOLVE_AFTER, Claimed, Settlement
from voting.columns import EPOCH, MICROSECOND

LEASE: Final = timedelta(seconds=60)  # longer than any send can take, waiting for its slot included
EXPIRED_PER_STEP_MAX: Final = 1000
_NO_NOTICE: Final = -1  # no row's

RETURNED: Final = (
    "id",
    "fence",
    "channel",
    "address",
    "language",
    "purpose",
    "facts",
    "lane",
    "segments",
    "tries",
    "notice_id",
    "member_id",
    "send_before",
    "state",
    "reason",
)

# In the order of reasons: out of date, has voted meanwhile, said STOP, or the channel went off since planning.
_SKIP: Final = """CASE
    WHEN delivery.send_before IS NOT NULL AND delivery.send_before <= :now THEN 'expired'
    WHEN delivery.notice_id IS NULL THEN NULL
    WHEN :not_to_voters = 1 AND EXISTS (SELECT 1 FROM lock WHERE lock.member_id = delivery.member_id) THEN 'voted'
    WHEN delivery.channel = 'sms'
        AND EXISTS (SELECT 1 FROM opt_out WHERE opt_out.address = delivery.address) THEN 'opted_out'
    ELSE (
        SELECT channel.state FROM channel
        WHERE channel.member_id = delivery.member_id AND channel.kind = delivery.channel
            AND channel.address = delivery.address AND channel.state <> 'on')
    END"""

# Messages to one person, by lane; then those of one notice while it may be sent, oldest first.
_ALONE: Final = """SELECT id FROM delivery
    WHERE channel = :channel AND state = 'ready' AND notice_id IS NULL AND not_before <= :now
    ORDER BY lane, not_before, id LIMIT :most {skip_locked}"""
_OF_NOTICE: Final = """SELECT id FROM delivery
    WHERE channel = :channel AND state = 'ready' AND notice_id = :notice_id AND not_before <= :now
        AND EXISTS (SELECT 1 FROM notice WHERE notice.id = :notice_id AND notice.state = 'sending')
    ORDER BY not_before, id LIMIT :most {skip_locked}"""

_CLAIM: Final = """
WITH alone AS MATERIALIZED ({alone}), of_notice AS MATERIALIZED ({of_notice}),
due AS MATERIALIZED (SELECT id FROM (SELECT 0 AS place, id FROM alone UNION ALL SELECT 1, id FROM of_notice) AS found
    ORDER BY place LIMIT :most),
judged AS MATERIALIZED (SELECT delivery.id AS id, {skip} AS why_not FROM delivery JOIN due ON due.id = delivery.id)
UPDATE delivery SET
    state = CASE WHEN judged.why_not IS NULL THEN 'sending' ELSE 'skipped' END,
    reason = judged.why_not,
    fence = fence + 1,
    lease_until = CASE WHEN judged.why_not IS NULL THEN CAST(:lease_until AS bigint) END,
    settled_at = CASE WHEN judged.why_not IS NULL THEN NULL ELSE CAST(:now AS bigint) END,
    provider_id = NULL,
    rank = 0
FROM judged WHERE delivery.id = judged.id
RETURNING {returned}
"""


def _claim_statement(*, skip_locked: bool) -> TextualSelect:
    lock = "FOR UPDATE SKIP LOCKED" if skip_locked else ""
    return text(
        _CLAIM.format(
            alone=_ALONE.format(skip_locked=lock),
            of_notice=_OF_NOTICE.format(skip_locked=lock),
            skip=_SKIP,
            returned=", ".join(f"delivery.{name}" for name in RETURNED),
        )
    ).columns(*(delivery.c[name] for name in RETURNED))


_CLAIMS: Final = {
    "sqlite": _claim_statement(skip_locked=False),
    "postgresql": _claim_statement(skip_locked=True),
}

_SETTLED_ROWS: Final = {
    "sqlite": """(SELECT json_extract(value, '$.id') AS id, json_extract(value, '$.fence') AS fence,
        json_extract(value, '$.state') AS state, json_extract(value, '$.reason') AS reason,
        json_extract(value, '$.provider_id') AS provider_id, json_extract(value, '$.not_before') AS not_before,
        json_extract(value, '$.ask_at') AS ask_at, json_extract(value, '$.address') AS address,
        json_extract(value, '$.tries') AS tries, json_extract(value, '$.settled_at') AS settled_at
        FROM json_each(:rows))""",
    "postgresql": """(SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS s(
        id bigint, fence integer, state text, reason text, provider_id text, not_before bigint, ask_at bigint,
        address text, tries integer, settled_at bigint))""",
}

# A success also reaches a row that was given up as unknown, and one put back into the queue but not claimed again.
_SETTLE: Final = """
UPDATE delivery SET
    state = s.state,
    reason = s.reason,
    provider_id = COALESCE(s.provider_id, delivery.provider_id),
    not_before = COALESCE(s.not_before, delivery.not_before),
    lease_until = s.ask_at,
    address = COALESCE(s.address, delivery.address),
    tries = delivery.tries + s.tries,
    sent_at = CASE WHEN s.state = 'sent' THEN s.settled_at ELSE delivery.sent_at END,
    settled_at = s.settled_at,
    facts = CASE WHEN s.state IN ('sent', 'failed') THEN NULL ELSE delivery.facts END
FROM {rows} AS s
WHERE delivery.id = s.id AND delivery.fence = s.fence
    AND (delivery.state IN ('sending', 'unknown')
         OR (delivery.state = 'ready' AND delivery.provider_id IS NULL AND s.state = 'sent'))
RETURNING delivery.id
"""
_SETTLES: Final = {name: text(_SETTLE.format(rows=rows)) for name, rows in _SETTLED_ROWS.items()}


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
    found = await connection.execute(_CLAIMS[connection.dialect.name], values)
    rows = sorted(found, key=lambda row: (row.lane, row.id))
    claimed = [(claimed_from(row, order.on_unknown if row.notice_id is not None else "resend"), row) for row in rows]
    return (
        [one for one, row in claimed if row.state == "sending"],
        [Skipped(one, row.reason) for one, row in claimed if row.state == "skipped"],
    )


async def settle(connection: AsyncConnection, settlements: Sequence[Settlement], now: datetime) -> set[int]:
    """Write what became of claimed rows, in one statement; return the ids written.

    An id that is missing was settled by somebody else: a callback that came first, or a later claim.
    """
    if not settlements:
        return set()
    rows = json.dumps([_settled_row(settlement, now) for settlement in settlements])
    written = await connection.execute(_SETTLES[connection.dialect.name], {"rows": rows})
    return set(written.scalars())


async def expire(connection: AsyncConnection, channel: str, now: datetime) -> list[Claimed]:
    """Give up rows whose lease ran out: who held them is gone. `unknown`, never `ready`: they may have been sent."""
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
    whose = or_(delivery.c.notice_id.is_(None), delivery.c.notice_id == (order.notice_id or _NO_NOTICE))
    found = await connection.execute(
        select(delivery.c.id)
        .where(delivery.c.channel == order.channel, delivery.c.state == "ready", whose)
        .where(delivery.c.not_before <= now)
        .limit(1)
    )
    return found.first() is not None


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
    """Give an instant as raw SQL sees it (see voting.columns.Instant)."""
    return None if instant is None else (instant - EPOCH) // MICROSECOND
