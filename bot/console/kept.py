"""What is slow to count, counted at most every so often for everybody who looks; less often, the longer it takes.

A page never waits for it twice. Who asks while the last count is too old gets it at once and sets off the next; only
the first ever asked for is waited for, and the service makes it when it starts.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from time import monotonic
from typing import Final, Generic, TypeVar

import structlog
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.house import House
from bot.schema import cursor
from voting.store.inserts import insert_into

Counted = TypeVar("Counted")
Gather = Callable[[AsyncConnection, datetime], Awaitable[Counted]]

LIFE_OF_TAKEN: Final = 10.0  # a count that took a second is kept for so many: it has a small share of the time
ACTS: Final = "console acts"  # how often the console did something that its numbers show

log = structlog.get_logger()


class Kept(Generic[Counted]):
    """Keeps the last count; one counting at a time."""

    def __init__(self, house: House, gather: Gather[Counted], *, fresh_seconds: float) -> None:
        self._house, self._gather, self._fresh_seconds = house, gather, fresh_seconds
        self._last: Counted | None = None
        self._fresh_until = 0.0
        self._shows = -1  # up to which act
        self._gathering: asyncio.Task[Counted] | None = None

    async def latest(self) -> Counted:
        """Give the last count, if it is of after the last act that `expire` was told of; NoPoll."""
        async with self._house.database.reading() as connection:
            act = int(await connection.scalar(select(cursor.c.value).where(cursor.c.name == ACTS)) or 0)
        shown = self._shows >= act
        if self._last is not None and shown and monotonic() < self._fresh_until:
            return self._last
        if self._gathering is None or self._gathering.done():
            self._gathering = asyncio.create_task(self._count(act))
            self._gathering.add_done_callback(_say_if_failed)
        if self._last is not None and shown:
            return self._last
        found = await asyncio.shield(self._gathering)
        return found if self._shows >= act else await self.latest()

    async def begin(self) -> None:
        """Count before anybody asks. Cancelled, it counts no more; when it fails, who asks first tries again."""
        try:
            await self.latest()
        except asyncio.CancelledError:
            if self._gathering is not None:
                self._gathering.cancel()
            raise
        except (DBAPIError, OSError) as problem:
            log.warning("nothing could be counted at the start", kind=type(problem).__name__)

    async def _count(self, act: int) -> Counted:
        began = monotonic()
        async with self._house.database.reading() as connection:
            found = await self._gather(connection, self._house.clock())
        now = monotonic()
        self._fresh_until = now + max(self._fresh_seconds, LIFE_OF_TAKEN * (now - began))
        self._last, self._shows = found, act
        return found


async def expire(house: House) -> None:
    """Show the last counts no more, in any process: something was done that the next request must show."""
    async with house.database.writing() as connection:
        statement = insert_into(connection, cursor).values(name=ACTS, value=1)
        more = {"value": cursor.c.value + 1}
        await connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=more))


def _say_if_failed(task: asyncio.Task[Counted]) -> None:
    """Note a failure nobody waited for: whoever asks next tries again."""
    if not task.cancelled() and (problem := task.exception()) is not None:
        log.warning("the overview's numbers could not be gathered", kind=type(problem).__name__)
