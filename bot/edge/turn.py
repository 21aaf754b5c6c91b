"""Whose turn it is to poll: of several processes one fetches updates, and another one goes on when it is gone.

A row names the holder and a number that it counts up. Who has seen the number stand still for a while takes the row,
by a clock of its own: no clock of another machine is trusted. Two who poll for a moment lose nothing, since the inbox
takes each update once; Telegram tells them of each other, and the row soon ends it.
"""

import asyncio
from collections.abc import Callable, Coroutine
from time import monotonic
from typing import Any, Final

import structlog
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.edge.hearing import Hearing
from bot.inbox import predecessors
from bot.schema import turn
from voting.store.database import Database

BEAT_SECONDS: Final = 1.0
SILENT_SECONDS: Final = 5.0  # then whoever held it is taken to be gone
NAME: Final = "telegram"

log = structlog.get_logger()


class Turn:
    """The turn of this process, which is named `who`; the others hear from `hearing` what the holder hears."""

    def __init__(
        self,
        database: Database,
        who: str,
        hearing: Hearing,
        *,
        gone: Callable[[str], bool] = predecessors.is_gone,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._database, self._who, self._hearing = database, who, hearing
        self._gone, self._clock = gone, clock
        hearing.listens = False
        self._seen: tuple[str, int, float] | None = None  # holder, number, and when it was first seen

    async def work_while_mine(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do `work` whenever it is this process's turn, until cancelled; what it raises is raised."""
        while True:
            if not await self._is_mine():
                await asyncio.sleep(BEAT_SECONDS)
                continue
            log.info("this process polls")
            working = asyncio.create_task(work())
            try:
                while await self._is_mine():
                    done, _ = await asyncio.wait([working], timeout=BEAT_SECONDS)
                    if done:
                        return working.result()
            finally:
                working.cancel()
                await asyncio.gather(working, return_exceptions=True)
            log.warning("another process polls")

    async def give_up(self) -> None:
        """Let another process begin at once."""
        async with self._database.writing() as connection:
            await connection.execute(delete(turn).where(turn.c.name == NAME, turn.c.holder == self._who))

    async def _is_mine(self) -> bool:
        """Count up as the holder, or take over from one that is gone; while the database is away, all is as before."""
        try:
            async with self._database.writing() as connection:
                mine = await self._beat(connection) or await self._take(connection)
        except IntegrityError:  # somebody else took it in this moment
            mine = False
        except (DBAPIError, OSError) as problem:
            log.warning("the turn to poll could not be kept", kind=type(problem).__name__)
            return self._hearing.listens
        self._hearing.listens = mine
        return mine

    async def _beat(self, connection: AsyncConnection) -> bool:
        values = {"beat": turn.c.beat + 1, "trouble": self._hearing.trouble if self._hearing.listens else None}
        mine = update(turn).where(turn.c.name == NAME, turn.c.holder == self._who)
        return (await connection.execute(mine.values(values))).rowcount == 1

    async def _take(self, connection: AsyncConnection) -> bool:
        row = (await connection.execute(select(turn).where(turn.c.name == NAME))).one_or_none()
        if row is None:
            await connection.execute(insert(turn).values(name=NAME, holder=self._who, beat=0))
            return True
        self._hearing.told(row.trouble)
        if not (self._gone(row.holder) or self._is_silent(row.holder, row.beat)):
            return False
        theirs = update(turn).where(turn.c.name == NAME, turn.c.holder == row.holder, turn.c.beat == row.beat)
        return (await connection.execute(theirs.values(holder=self._who, beat=0, trouble=None))).rowcount == 1

    def _is_silent(self, holder: str, beat: int) -> bool:
        now = self._clock()
        if self._seen is None or self._seen[:2] != (holder, beat):
            self._seen = (holder, beat, now)
        return now - self._seen[2] >= SILENT_SECONDS
