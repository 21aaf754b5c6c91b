"""What is slow to count, counted at most every so often for everybody who looks.

A page never waits for it twice. Who asks while the last count is too old gets it at once and sets off the next; only
the first ever asked for is waited for.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from time import monotonic
from typing import Generic, TypeVar

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.house import House

Counted = TypeVar("Counted")
Gather = Callable[[AsyncConnection, datetime], Awaitable[Counted]]

log = structlog.get_logger()


class Kept(Generic[Counted]):
    """Keeps the last count; one counting at a time."""

    def __init__(self, house: House, gather: Gather[Counted], *, fresh_seconds: float) -> None:
        self._house, self._gather, self._fresh_seconds = house, gather, fresh_seconds
        self._last: Counted | None = None
        self._gathered_at = 0.0
        self._stale = False
        self._gathering: asyncio.Task[Counted] | None = None

    async def latest(self) -> Counted:
        """Give the last count; NoPoll."""
        if self._last is not None and not self._stale and monotonic() - self._gathered_at < self._fresh_seconds:
            return self._last
        if self._gathering is None or self._gathering.done():
            self._gathering = asyncio.create_task(self._count())
            self._gathering.add_done_callback(_say_if_failed)
        if self._last is not None and not self._stale:
            return self._last
        return await asyncio.shield(self._gathering)

    def expire(self) -> None:
        """Show the last count no more: something was done that the next request must show."""
        self._stale = True

    async def _count(self) -> Counted:
        self._stale = False
        async with self._house.database.reading() as connection:
            found = await self._gather(connection, self._house.clock())
        self._last, self._gathered_at = found, monotonic()
        return found


def _say_if_failed(task: asyncio.Task[Counted]) -> None:
    """Note a failure nobody waited for: whoever asks next tries again."""
    if not task.cancelled() and (problem := task.exception()) is not None:
        log.warning("the overview's numbers could not be gathered", kind=type(problem).__name__)
