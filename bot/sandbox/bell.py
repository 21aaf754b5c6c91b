"""Waiting for something to become true, without polling and without sleeping."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Bell:
    """Rung when something changed; whoever waits then looks again.

    Only for use within one event loop: nothing here is locked.
    """

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []

    def ring(self) -> None:
        """Wake everyone who waits."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def until(self, found: Callable[[], T | None], timeout_seconds: float) -> T | None:
        """Return the first value `found` gives that is not None; None when the time is over.

        `found` is asked once at the start and then after every ring.
        """
        try:
            async with asyncio.timeout(timeout_seconds):
                while (value := found()) is None:
                    await self._rung()
                return value
        except TimeoutError:
            return None

    async def _rung(self) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            await future
        finally:
            if future in self._waiting:
                self._waiting.remove(future)
