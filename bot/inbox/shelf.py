"""Storing what webhooks hand over: letters that arrive together share one transaction, answered after commit."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog

from bot.inbox.inbox import Envelope, Letter, store
from voting.refusals import Fault
from voting.store.database import Database

TOGETHER_MAX: Final = 256
WAITING_MAX: Final = 10_000  # beyond this a webhook is answered 503 and the provider comes again

log = structlog.get_logger()


class ShelfFull(Fault):
    """More is waiting to be stored than this process holds."""


class Shelf:
    """`put` returns once the letter is durable, or raises; then the provider must not be told that it is."""

    def __init__(
        self, database: Database, envelope: Envelope, *, wake: Callable[[], None], clock: Callable[[], datetime]
    ) -> None:
        self._database, self._envelope, self._wake, self._clock = database, envelope, wake, clock
        self._waiting: asyncio.Queue[tuple[Letter, asyncio.Future[None]]] = asyncio.Queue(WAITING_MAX)

    async def put(self, letter: Letter) -> None:
        """Store one letter; a repetition is as good as stored."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        try:
            self._waiting.put_nowait((letter, stored))
        except asyncio.QueueFull:
            raise ShelfFull("the inbox cannot take more for the moment") from None
        await stored

    async def run(self) -> None:
        """Store until cancelled."""
        while True:
            together = [await self._waiting.get()]
            while len(together) < TOGETHER_MAX and not self._waiting.empty():
                together.append(self._waiting.get_nowait())
            await self._store(together)

    async def _store(self, together: list[tuple[Letter, asyncio.Future[None]]]) -> None:
        try:
            async with self._database.writing() as connection:
                await store(connection, self._envelope, [letter for letter, _ in together], self._clock())
        except Exception as problem:  # the outermost loop: whoever waits is told, the shelf goes on
            log.exception("letters could not be stored", letters=len(together))
            for _, stored in together:
                if not stored.done():
                    stored.set_exception(Fault(f"not stored: {type(problem).__name__}"))
            return
        for _, stored in together:
            if not stored.done():
                stored.set_result(None)
        self._wake()
