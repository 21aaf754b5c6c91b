"""The big numbers of the overview, gathered at most every few seconds for everybody who looks.

At 172,437 members they are scans of whole tables: a page never waits for them twice. Who asks while they are older than
`FRESH_SECONDS` gets the last ones at once and sets off the next gathering; only the first ever asked is waited for.
"""

import asyncio
from dataclasses import dataclass
from datetime import date, datetime
from time import monotonic
from typing import Any, Final
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.house import House
from bot.schema import cursor
from bot.staff.turnout import Turnout, turnout
from messages import reach
from messages.schema import channel
from voting import schema
from voting.model import Window
from voting.packs.mailing_house import journeys, overdue_members
from voting.poll import polls, window
from voting.poll.status import poll_facts
from voting.store.inserts import insert_into

FRESH_SECONDS: Final = 4.0
LOCKED_OUT_MAX: Final = 50
LATE_ROWS: Final = 30
ACTS: Final = "console acts"  # how often the console did something that its numbers show

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LatePage:
    """Overdue packs, by member id; `more`: after which the next page begins, None on the last."""

    rows: tuple[Any, ...]
    more: int | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Numbers of one moment."""

    at: datetime
    facts: dict[str, Any]
    journeys: dict[str, int]
    channels: dict[str, dict[str, int]]
    window: Window
    overdue: int
    overdue_first: LatePage
    locked_out: tuple[str, ...]
    turnout: Turnout

    @property
    def voted(self) -> int:
        """Members whose vote is locked."""
        return int(self.facts["locks"]["online"] + self.facts["locks"]["post"])

    @property
    def eligible(self) -> int:
        """Members who may vote."""
        return int(self.facts["roll"]["eligible"])


class Snapshots:
    """Keeps the last snapshot; one gathering at a time."""

    def __init__(self, house: House, *, fresh_seconds: float = FRESH_SECONDS) -> None:
        self._house, self._fresh_seconds = house, fresh_seconds
        self._last: Snapshot | None = None
        self._gathered_at = 0.0
        self._shows = -1  # up to which act
        self._gathering: asyncio.Task[Snapshot] | None = None

    async def latest(self) -> Snapshot:
        """Give numbers a few seconds old, of after the last act that `expire` was told of; NoPoll."""
        async with self._house.database.reading() as connection:
            act = int(await connection.scalar(select(cursor.c.value).where(cursor.c.name == ACTS)) or 0)
        shown = self._last is not None and self._shows >= act
        if self._last is not None and shown and monotonic() - self._gathered_at < self._fresh_seconds:
            return self._last
        if self._gathering is None or self._gathering.done():
            self._gathering = asyncio.create_task(self._gather(act))
            self._gathering.add_done_callback(_say_if_failed)
        if self._last is not None and shown:
            return self._last
        found = await asyncio.shield(self._gathering)
        return found if self._shows >= act else await self.latest()

    async def expire(self) -> None:
        """Show the last snapshot no more, in any process: something was done that the next request must show."""
        async with self._house.database.writing() as connection:
            statement = insert_into(connection, cursor).values(name=ACTS, value=1)
            more = {"value": cursor.c.value + 1}
            await connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=more))

    async def _gather(self, act: int) -> Snapshot:
        async with self._house.database.reading() as connection:
            found = await gather(connection, self._house.clock())
        self._last, self._gathered_at, self._shows = found, monotonic(), act
        return found


def _say_if_failed(task: asyncio.Task[Snapshot]) -> None:
    """Note a failure nobody waited for: whoever asks next tries again."""
    if not task.cancelled() and (problem := task.exception()) is not None:
        log.warning("the overview's numbers could not be gathered", kind=type(problem).__name__)


async def gather(connection: AsyncConnection, now: datetime) -> Snapshot:
    """Count everything once; NoPoll."""
    poll = await polls.load(connection)
    delivery = await window.current(connection)
    today = now.astimezone(ZoneInfo(poll.timezone)).date()
    late = overdue_members(delivery, today).subquery()
    return Snapshot(
        at=now,
        facts=await poll_facts(connection),
        journeys=await journeys(connection),
        channels=await _channels(connection),
        window=delivery,
        overdue=int(await connection.scalar(select(func.count()).select_from(late)) or 0),
        overdue_first=await overdue_page(connection, delivery, today, 0),
        locked_out=await _locked_out(connection),
        turnout=await turnout(connection, now),
    )


async def overdue_page(connection: AsyncConnection, delivery: Window, today: date, after: int) -> LatePage:
    """Give the overdue packs of members with a greater id than `after`."""
    member, pack = schema.member, schema.pack
    rows = await connection.execute(
        overdue_members(delivery, today)
        .add_columns(member.c.member_no, pack.c.dispatched_on, pack.c.returned_on)
        .where(member.c.id > after)
        .order_by(member.c.id)
        .limit(LATE_ROWS + 1)
    )
    found = tuple(rows)
    return LatePage(found[:LATE_ROWS], found[LATE_ROWS - 1].id if len(found) > LATE_ROWS else None)


async def _channels(connection: AsyncConnection) -> dict[str, dict[str, int]]:
    counted = select(channel.c.kind, channel.c.state, func.count()).group_by(channel.c.kind, channel.c.state)
    rows = {(kind, state): count for kind, state, count in await connection.execute(counted)}
    return {
        kind: {state.value: rows[kind, state] for state in reach.State if (kind, state) in rows}
        for kind in (reach.TELEGRAM, reach.SMS)
    }


async def _locked_out(connection: AsyncConnection) -> tuple[str, ...]:
    member, pack = schema.member, schema.pack
    shut = (
        select(member.c.member_no)
        .join(pack, pack.c.member_id == member.c.id)
        .where(pack.c.locked_out_at.is_not(None), pack.c.state == "live")
        .limit(LOCKED_OUT_MAX)
    )
    return tuple((await connection.execute(shut)).scalars())
