"""Notices whose time has come: checked as if they were sent now, then planned; held for staff if that fails.

Weeks may lie between approval and sending. A notice is held if it would go to far more people than were approved, if
it is not what was approved, or if its last moment has passed. A held notice goes to nobody: it needs approval again,
and staff are told.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from messages.notices.approval import refuse_unapproved
from messages.notices.model import Notice
from messages.notices.notices import NOT_APPROVED, record, refuse_too_late, show
from messages.notices.preview import Preview, preview
from messages.notices.sending import BOTH, plan_sending
from messages.schema import notice
from voting.model import By
from voting.poll import polls
from voting.refusals import Refusal

HELD: Final = "held:"  # what a held notice's reason begins with; the refusal's key follows


@dataclass(frozen=True, slots=True)
class Held:
    """A notice that did not go at its time: the `key` and the `facts` of what refused it."""

    notice_id: int
    key: str
    facts: Mapping[str, Any]
    at: datetime


OnHeld = Callable[[AsyncConnection, Held], Awaitable[None]]


async def hold_quietly(_connection: AsyncConnection, _held: Held) -> None:
    """Tell nobody: for tools and tests without staff."""


def _due(now: datetime) -> Select[int]:
    return select(notice.c.id).where(notice.c.state == "scheduled", notice.c.send_at <= now)


async def any_scheduled(connection: AsyncConnection, now: datetime) -> bool:
    """Whether the time of a notice has come: cheap, and takes no lock."""
    return (await connection.execute(_due(now).limit(1))).first() is not None


async def start_scheduled(
    connection: AsyncConnection,
    *,
    providers: Collection[str] = BOTH,
    on_held: OnHeld = hold_quietly,
    now: datetime,
) -> list[int]:
    """Plan the notices whose time has come; return them. One that reaches nobody any more is done.

    One that may not go is held: told to `on_held` in the same transaction, and not among the returned.
    """
    ids = list((await connection.execute(_due(now).order_by(notice.c.id).with_for_update())).scalars())
    return [one for one in ids if await _start(connection, one, providers=providers, on_held=on_held, now=now)]


async def _start(
    connection: AsyncConnection, notice_id: int, *, providers: Collection[str], on_held: OnHeld, now: datetime
) -> bool:
    found = await show(connection, notice_id)
    poll = await polls.load(connection)
    seen = None
    try:
        refuse_too_late(found.content, now)
        seen = await preview(connection, found, now=now)
        refuse_unapproved(found, seen, approve_over=poll.staff.approve_over)
    except Refusal as why:
        held = Held(notice_id, why.key, why.facts, now)
        await _hold(connection, found, seen, held)
        await on_held(connection, held)
        return False
    await plan_sending(connection, found, seen, by=By.system(now), providers=providers)
    return True


async def _hold(connection: AsyncConnection, found: Notice, seen: Preview | None, held: Held) -> None:
    """Put a notice back before its approval: as a draft if it cannot even be counted."""
    values: dict[str, Any] = {**NOT_APPROVED, "pause_reason": HELD + held.key, "version": found.version + 1}
    if seen is None:
        values |= {"state": "draft"}
    else:
        values |= {"state": "submitted", **seen.counted}
    await connection.execute(update(notice).where(notice.c.id == found.id).values(values))
    body = {"why": held.key, "approved": found.members, "members": None if seen is None else seen.members}
    await record(connection, "notice_held", found.id, body, by=By.system(held.at))
