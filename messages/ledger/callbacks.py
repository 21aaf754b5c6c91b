"""What Twilio reports about a message: statuses have ranks, so that a late, double or early report does no harm.

    accepted, scheduled < queued < sending < sent < failed, undelivered, canceled < delivered < read

A status is written only if it ranks above the last one. It has to belong to the current try: the fence in the
callback's URL or the provider's id says so. Of an earlier try only `delivered` and `read` count: the member has it.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import TextualSelect, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from messages.channels.verdicts import SendFailed, twilio_verdict
from messages.ledger.aftermath import Aftermath
from messages.ledger.outbox import claimed_from, micros, put_back
from messages.ledger.outbox_sql import RETURNED
from messages.ledger.settlement import SILENT_AFTER, Claimed, after_failure
from messages.schema import delivery, provider_event
from voting.store.inserts import insert_into

RANKS: Final = {
    "accepted": 1,
    "scheduled": 1,
    "queued": 2,
    "sending": 3,
    "sent": 4,
    "failed": 5,
    "undelivered": 5,
    "canceled": 5,
    "delivered": 6,
    "read": 7,
}
DIGITS_MAX: Final = 9
_ARRIVED_RANK: Final = RANKS["delivered"]
_FAILED_RANK: Final = RANKS["failed"]


@dataclass(frozen=True, slots=True)
class StatusReport:
    """One status of one message; `delivery_id` and `fence` if the callback's URL carried them."""

    provider_id: str
    status: str
    error_code: int | None = None
    delivery_id: int | None = None
    fence: int | None = None

    @property
    def rank(self) -> int:
        """How far along it is; 0 for a status we do not know."""
        return RANKS.get(self.status, 0)


def read_report(provider_id: str, status: str, error_code: str | None, delivery: str | None) -> StatusReport:
    """Read a callback's MessageSid, MessageStatus, ErrorCode and our own `delivery` ("ID-FENCE"); skip nonsense."""
    id_text, _, fence_text = (delivery or "").partition("-")
    ours = _is_number(id_text) and _is_number(fence_text)
    return StatusReport(
        provider_id=provider_id,
        status=status,
        error_code=int(error_code) if error_code and _is_number(error_code) else None,
        delivery_id=int(id_text) if ours else None,
        fence=int(fence_text) if ours else None,
    )


def _is_number(text: str) -> bool:
    """Tell whether this is a number that a column can hold."""
    return text.isdecimal() and len(text) <= DIGITS_MAX


_MATCH: Final = {
    True: f"id = :delivery_id AND (fence = :fence OR CAST(:rank AS integer) >= {_ARRIVED_RANK})",
    False: "provider_id = :provider_id",
}
_RECORD: Final = """
UPDATE delivery SET
    rank = :rank,
    provider_id = :provider_id,
    state = CASE WHEN CAST(:rank AS integer) >= {arrived} THEN 'delivered'
                 WHEN CAST(:rank AS integer) >= {failed} THEN 'failed' ELSE 'sent' END,
    reason = CAST(:reason AS text),
    lease_until = CASE WHEN CAST(:rank AS integer) < {failed} THEN CAST(:ask_at AS bigint) END,
    sent_at = COALESCE(sent_at, :now),
    settled_at = :now,
    facts = NULL
WHERE {match} AND rank < :rank AND channel = 'sms'
    AND (state IN ('sending', 'sent', 'failed', 'unknown', 'ready') OR CAST(:rank AS integer) >= {arrived})
RETURNING {returned}
"""


def _statement(*, by_id: bool) -> TextualSelect:
    sql = _RECORD.format(match=_MATCH[by_id], returned=", ".join(RETURNED), arrived=_ARRIVED_RANK, failed=_FAILED_RANK)
    return text(sql).columns(*(delivery.c[name] for name in RETURNED))


_STATEMENTS: Final = {by_id: _statement(by_id=by_id) for by_id in (True, False)}


async def record_status(
    connection: AsyncConnection, report: StatusReport, *, aftermath: Aftermath, now: datetime
) -> bool:
    """Take a status into the ledger; return whether it changed anything. Repeating it, or any order, is harmless.

    A failure is judged by the same table as a refusal when sending: the channel may go off, a handset that was off
    gets the message once more, our own set-up pauses the notice.
    """
    if not report.rank:
        return False
    await _remember(connection, report, now)
    values = {
        "rank": report.rank,
        "provider_id": report.provider_id,
        "reason": None if report.rank != _FAILED_RANK else str(report.error_code or report.status),
        "now": micros(now),
        "ask_at": micros(now + SILENT_AFTER),
    }
    by_id = report.delivery_id is not None
    if by_id:
        values |= {"delivery_id": report.delivery_id, "fence": report.fence}
    row = (await connection.execute(_STATEMENTS[by_id], values)).first()
    if row is None:
        return False
    if report.rank == _FAILED_RANK:
        await _judge(connection, claimed_from(row, "leave"), report, aftermath=aftermath, now=now)
    return True


async def _judge(
    connection: AsyncConnection, failed: Claimed, report: StatusReport, *, aftermath: Aftermath, now: datetime
) -> None:
    verdict, surprising = twilio_verdict(report.error_code)
    failure = SendFailed(verdict, str(report.error_code or report.status), surprising=surprising)
    settlement = after_failure(failed, failure, now)
    if settlement.state == "ready" and failed.notice_id is not None:
        await put_back(connection, settlement)
    else:  # the words of a message to one person are forgotten by now
        settlement = replace(settlement, state="failed")
    await aftermath.after_settled(connection, [settlement], now)


async def _remember(connection: AsyncConnection, report: StatusReport, now: datetime) -> None:
    known = select(delivery.c.id).where(delivery.c.id == report.delivery_id).scalar_subquery()
    statement = insert_into(connection, provider_event).values(
        provider_id=report.provider_id,
        status=report.status,
        delivery_id=known if report.delivery_id is not None else None,
        error_code=report.error_code,
        at=now,
    )
    await connection.execute(statement.on_conflict_do_nothing(index_elements=["provider_id", "status"]))
