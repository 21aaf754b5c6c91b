"""A notice after it was sent: paused, resumed, canceled, superseded by a newer window, done.

Each change is one update of the notice's row. Every claim reads that row, so a change holds from the next claim on,
within a second. The queued rows of a canceled notice are marked afterwards, in batches: a person who cancels does
not wait for 172,437 updates.
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, literal, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from messages.notices import supersede
from messages.notices.model import ENDED, Notice
from messages.notices.notices import locked, record, refuse_unless, show
from messages.refusals import NoticeEnded
from messages.schema import delivery, notice
from voting.model import By
from voting.schema import window

SWEPT_MAX: Final = 5_000  # rows a step
_SWEPT: Final = ("canceled", "superseded")  # states of a notice whose queued rows are never sent


async def pause(connection: AsyncConnection, notice_id: int, *, by: By) -> Notice:
    """Stop sending for now. What a provider has taken already is not called back. Pausing twice changes nothing."""
    found = await locked(connection, notice_id)
    if found.state == "paused":
        return found
    refuse_unless(found, {"sending"})
    values = {"state": "paused", "pause_reason": "by_staff"}
    return await _change(connection, found, "notice_paused", values, by=by)


async def resume(connection: AsyncConnection, notice_id: int, *, by: By) -> Notice:
    """Send the rest of a paused notice. Resuming twice changes nothing."""
    found = await locked(connection, notice_id)
    if found.state == "sending":
        return found
    refuse_unless(found, {"paused"})
    values = {"state": "sending", "pause_reason": None}
    return await _change(connection, found, "notice_resumed", values, by=by)


async def cancel(connection: AsyncConnection, notice_id: int, *, by: By) -> Notice:
    """End a notice for good, at any time before it is done."""
    found = await locked(connection, notice_id)
    if found.state == "canceled":
        return found
    if found.state in ENDED:
        raise NoticeEnded(notice_id=notice_id, state=found.state)
    values = {"state": "canceled", "ended_at": by.at}
    return await _change(connection, found, "notice_canceled", values, by=by)


async def finish(connection: AsyncConnection, now: datetime) -> list[int]:
    """End notices with nothing left to send or to find out; return them."""
    ended = await connection.execute(
        update(notice).where(_finished()).values(state="done", ended_at=now).returning(notice.c.id)
    )
    return sorted(ended.scalars())


def _finished() -> ColumnElement[bool]:
    """Whether a notice has nothing left to send or to find out; one question per state, so that an index answers."""
    left = (
        delivery.c.state == "ready",
        delivery.c.state == "sending",
        and_(delivery.c.state == "unknown", delivery.c.lease_until.is_not(None)),
    )
    rows = (exists(select(literal(1)).where(delivery.c.notice_id == notice.c.id, state)) for state in left)
    return and_(notice.c.state == "sending", *(~row for row in rows))


async def anything_to_end(connection: AsyncConnection) -> bool:
    """Whether `finish` or `sweep` would change something: cheap, and takes no lock."""
    overtaken = await supersede.overtaken(connection)
    found = await connection.execute(
        union_all(
            select(notice.c.id).where(_finished()),
            select(notice.c.id).where(
                notice.c.state.in_(_SWEPT),
                exists(select(literal(1)).where(delivery.c.notice_id == notice.c.id, delivery.c.state == "ready")),
            ),
        ).limit(1)
    )
    return overtaken or found.first() is not None


async def sweep(connection: AsyncConnection, now: datetime) -> int:
    """Mark at most SWEPT_MAX queued rows of ended notices as canceled; return how many.

    Notices about an older window than the newest are ended first.
    """
    newest = await connection.execute(select(window.c.version).order_by(window.c.version.desc()).limit(1))
    version = newest.scalar_one_or_none()
    if version is not None:
        await supersede.older_than(connection, version, now=now)
    ended = await connection.execute(select(notice.c.id).where(notice.c.state.in_(_SWEPT)))
    ids = list(ended.scalars())
    left = select(delivery.c.id).where(delivery.c.notice_id.in_(ids), delivery.c.state == "ready").limit(SWEPT_MAX)
    why = select(notice.c.state).where(notice.c.id == delivery.c.notice_id).scalar_subquery()
    swept = await connection.execute(
        update(delivery).where(delivery.c.id.in_(left)).values(state="canceled", reason=why, settled_at=now)
    )
    return swept.rowcount


async def _change(connection: AsyncConnection, found: Notice, kind: str, values: dict[str, Any], *, by: By) -> Notice:
    await connection.execute(update(notice).where(notice.c.id == found.id).values(values))
    await record(connection, kind, found.id, {}, by=by)
    return await show(connection, found.id)
