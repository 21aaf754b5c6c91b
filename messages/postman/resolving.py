"""What became of deliveries nobody reported: leases that expired, answers that were lost, text messages gone silent.

Telegram cannot be asked: the notice's policy decides. Twilio can: it is asked for messages to that number with that
body, before anything is sent again.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from messages.channels.twilio_channel import Found
from messages.channels.verdicts import SendFailed, Verdict
from messages.ledger.aftermath import Aftermath
from messages.ledger.callbacks import StatusReport, record_status
from messages.ledger.outbox import claimed_from, expire, settle
from messages.ledger.outbox_sql import RETURNED
from messages.ledger.settlement import RESOLVE_AFTER, Claimed, after_not_found, after_unknown
from messages.postman.letters import Letters
from messages.reach import SMS, TELEGRAM
from messages.schema import delivery, notice
from voting.store.database import Database

ASKED_PER_STEP_MAX: Final = 16
CLOCKS_APART: Final = timedelta(minutes=2)  # Twilio's clock and ours
ASK_AGAIN: Final = timedelta(hours=1)
ASK_FOR: Final = timedelta(hours=36)  # a carrier's last word comes within that

log = structlog.get_logger()


class CanBeAsked(Protocol):
    """A provider that knows what it has taken."""

    async def find(self, address: str, body: str, since: datetime) -> list[Found]:
        """List what was taken for an address with exactly this body, newest first."""
        ...

    async def fetch(self, provider_id: str) -> Found:
        """Tell what became of one message."""
        ...


async def give_up_leases(connection: AsyncConnection, channel: str, now: datetime) -> int:
    """Turn rows whose holder is gone into `unknown`; at Telegram the notice's policy may queue them again."""
    expired = await expire(connection, channel, now)
    if not expired or channel != TELEGRAM:
        return len(expired)
    ids = {one.notice_id for one in expired if one.notice_id is not None}
    rows = await connection.execute(select(notice.c.id, notice.c.on_unknown).where(notice.c.id.in_(ids)))
    policy: dict[int | None, str] = {None: "resend"} | {row.id: row.on_unknown for row in rows}
    gone = SendFailed(Verdict.UNKNOWN, "lease_expired")
    settlements = [after_unknown(replace(one, on_unknown=policy[one.notice_id]), gone, now) for one in expired]
    await settle(connection, settlements, now)
    return len(expired)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A row to ask about."""

    claimed: Claimed
    not_before: datetime
    provider_id: str
    sent_at: datetime | None


class Resolver:
    """Asks Twilio about text messages that are `unknown`, or `sent` and silent."""

    def __init__(self, database: Database, provider: CanBeAsked, letters: Letters, aftermath: Aftermath) -> None:
        self._database = database
        self._provider = provider
        self._letters = letters
        self._aftermath = aftermath

    async def step(self, now: datetime) -> int:
        """Ask about the rows whose time has come; return how many. A provider that does not answer is asked later."""
        async with self._database.reading() as connection:
            unknown = await _to_ask(connection, "unknown", now)
            silent = await _to_ask(connection, "sent", now)
            await self._letters.learn(
                connection, {id_ for row in unknown if (id_ := row.claimed.notice_id) is not None}
            )
        for row in unknown:
            await self._ask(row, self._look_for, now)
        for row in silent:
            await self._ask(row, self._follow, now)
        return len(unknown) + len(silent)

    async def _ask(self, row: _Asked, how: Callable[[_Asked, datetime], Awaitable[None]], now: datetime) -> None:
        try:
            await how(row, now)
        except SendFailed as failure:
            log.info("an unknown delivery is asked about later", delivery=row.claimed.id, reason=failure.reason)
            await self._later(row.claimed, now + RESOLVE_AFTER)

    async def _look_for(self, row: _Asked, now: datetime) -> None:
        """Find an unknown message at Twilio, or learn that it never got there."""
        body = self._letters.write(row.claimed).text
        found = await self._provider.find(row.claimed.address, body, row.not_before - CLOCKS_APART)
        async with self._database.writing() as connection:
            ours = await _not_anothers(connection, found, row.claimed.id)
            if not ours:
                await settle(connection, [after_not_found(row.claimed, now)], now)
                return
            await self._record(connection, row.claimed, ours[0], now)

    async def _follow(self, row: _Asked, now: datetime) -> None:
        """Take in the status of a message whose callbacks were lost."""
        found = await self._provider.fetch(row.provider_id)
        async with self._database.writing() as connection:
            await self._record(connection, row.claimed, found, now)
        keep_asking = row.sent_at is None or now - row.sent_at < ASK_FOR
        await self._later(row.claimed, now + ASK_AGAIN if keep_asking else None)

    async def _record(self, connection: AsyncConnection, claimed: Claimed, found: Found, now: datetime) -> None:
        report = StatusReport(found.provider_id, found.status, found.error_code, claimed.id, claimed.fence)
        await record_status(connection, report, aftermath=self._aftermath, now=now)

    async def _later(self, claimed: Claimed, ask_at: datetime | None) -> None:
        async with self._database.writing() as connection:
            await connection.execute(
                update(delivery)
                .where(delivery.c.id == claimed.id, delivery.c.fence == claimed.fence)
                .where(delivery.c.state.in_(("unknown", "sent")))
                .values(lease_until=ask_at)
            )


async def _to_ask(connection: AsyncConnection, state: str, now: datetime) -> list[_Asked]:
    columns = (*RETURNED, "not_before", "provider_id", "sent_at")
    rows = await connection.execute(
        select(*(delivery.c[name] for name in columns))
        .where(delivery.c.state == state, delivery.c.lease_until <= now, delivery.c.channel == SMS)
        .order_by(delivery.c.lease_until)
        .limit(ASKED_PER_STEP_MAX)
    )
    return [_Asked(claimed_from(row, "leave"), row.not_before, row.provider_id or "", row.sent_at) for row in rows]


async def _not_anothers(connection: AsyncConnection, found: list[Found], delivery_id: int) -> list[Found]:
    """Leave out messages that another delivery is known by: the same words may go to a number twice."""
    ids = [one.provider_id for one in found]
    rows = await connection.execute(
        select(delivery.c.provider_id).where(delivery.c.provider_id.in_(ids), delivery.c.id != delivery_id)
    )
    taken = set(rows.scalars())
    return [one for one in found if one.provider_id not in taken]
