"""Works through the inbox: rows are claimed, handled, tried again or set aside, and written down together.

The lease of a row is kept as long as it is worked on.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError

from bot.inbox.inbox import (
    TRIES_MAX,
    Claimed,
    Envelope,
    PutOff,
    Unreadable,
    backlog,
    claim,
    hand_back,
    keep_leases,
)
from bot.schema import inbox
from voting.store.database import Database
from voting.store.many_values import among, listed

LEASE_KEPT_SECONDS: Final = 5.0  # how often the leases of what is worked on are made longer
CLAIM_MAX: Final = 128  # queues worked on at once
RETRY_AFTER: Final = timedelta(seconds=2)  # doubled with each try
GOODBYE_SECONDS: Final = 5.0  # for rows being worked on when the service ends
DATABASE_PAUSE_SECONDS: Final = 0.5  # while the database is away
MANY_ROWS: Final = 16  # claimed at once: when so many come together, they are gathered for MANY_PAUSE_SECONDS
MANY_PAUSE_SECONDS: Final = 0.1  # and then claimed, and written down, in one transaction rather than in ten
IDLE_SECONDS: Final = 1.0  # how long a row stored by another process may wait to be seen

log = structlog.get_logger()

Handler = Callable[[Claimed], Awaitable[None]]
OnFailed = Callable[[Claimed, Exception], Awaitable[None]]


@dataclass
class Reader:
    """Works through the inbox: one row per queue at a time, up to CLAIM_MAX queues in parallel.

    `handle` must be repeatable: after a crash between its work and our note of it, it is called again. A row whose
    handling failed TRIES_MAX times, or that is Unreadable, is set aside as `failed` and `on_failed` is told.
    """

    database: Database
    envelope: Envelope
    who: str
    handle: Handler
    on_failed: OnFailed
    clock: Callable[[], datetime]
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _busy: dict[int, asyncio.Task[None]] = field(default_factory=dict)  # by row
    _finished: list[int] = field(default_factory=list)
    _again: list[tuple[Claimed, timedelta]] = field(default_factory=list)
    _given_up: list[tuple[Claimed, Exception]] = field(default_factory=list)
    _unsure: bool = False  # whether rows may be claimed that this process was never given

    def wake(self) -> None:
        """Say that something was stored."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        keeping = asyncio.create_task(self._keep_leases())
        try:
            while True:
                self._wake.clear()
                room = CLAIM_MAX - len(self._busy)
                try:
                    claimed = await self._turn(room)
                except (DBAPIError, OSError) as problem:
                    log.warning("the database did not answer the inbox's reader", kind=type(problem).__name__)
                    await asyncio.sleep(DATABASE_PAUSE_SECONDS)
                    continue
                for row in claimed:
                    self._busy[row.id] = asyncio.create_task(self._work(row))
                if len(claimed) >= MANY_ROWS:
                    await asyncio.sleep(MANY_PAUSE_SECONDS)
                got_all = not claimed or len(claimed) < room  # what comes next, or is free next, wakes us
                if got_all and not self._finished and not self._again and not self._given_up:
                    await self._sleep()
        finally:
            keeping.cancel()
            await self._leave()

    async def idle(self) -> bool:
        """Tell whether nothing waits and nothing is being worked on."""
        async with self.database.reading() as connection:
            waiting, _ = await backlog(connection, self.clock())
        return waiting == 0 and not self._busy

    async def _sleep(self) -> None:
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            return  # look again: another process may have stored something

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(LEASE_KEPT_SECONDS)
            try:
                if self._busy:
                    await keep_leases(self.database, list(self._busy), who=self.who, now=self.clock())
            except (DBAPIError, OSError) as problem:  # the database is away: the next time, or the lease runs out
                log.warning("leases could not be kept", kind=type(problem).__name__)

    async def _work(self, row: Claimed) -> None:
        try:
            await self.handle(row)
        except Unreadable as problem:
            log.error("a row of the inbox cannot be read", row=row.id, source=row.source, kind=problem.kind)  # noqa: TRY400 - a trace could hold a word of it
            self._given_up.append((row, problem))
        except PutOff as wait:
            log.info("inbox row waits", row=row.id, source=row.source, tries=row.tries, wait_seconds=wait.seconds)
            self._try_again(row, wait, timedelta(seconds=wait.seconds), wait.tries_max)
        except Exception as problem:  # the outermost loop: one row must not stop the rest
            kind = type(problem).__name__
            log.exception(
                "a row of the inbox could not be handled", row=row.id, source=row.source, tries=row.tries, kind=kind
            )
            self._try_again(row, problem, RETRY_AFTER * 2 ** (row.tries - 1), TRIES_MAX)
        else:
            self._finished.append(row.id)
        del self._busy[row.id]
        self.wake()

    def _try_again(self, row: Claimed, problem: Exception, after: timedelta, tries_max: int) -> None:
        if row.tries < tries_max:
            self._again.append((row, after))
        else:
            self._given_up.append((row, problem))

    async def _turn(self, room: int) -> list[Claimed]:
        """Write down what finished since the last time, and claim up to `room` more, in one transaction."""
        finished, self._finished = self._finished, []
        again, self._again = self._again, []
        given_up, self._given_up = self._given_up, []
        if room <= 0 and not finished and not again and not given_up:
            return []
        try:
            claimed = await self._write_down(finished, again, given_up, room)
        except BaseException:  # whether it was committed or not: all of it can be written once more
            self._finished, self._again = finished + self._finished, again + self._again
            self._given_up = given_up + self._given_up
            self._unsure = True
            raise
        for row, problem in given_up:
            await self._tell(row, problem)
        return [row for row in claimed if row.id not in self._busy]  # a clock that jumped ends no work under way

    async def _write_down(
        self,
        finished: Sequence[int],
        again: Sequence[tuple[Claimed, timedelta]],
        given_up: Sequence[tuple[Claimed, Exception]],
        room: int,
    ) -> list[Claimed]:
        now = self.clock()
        async with self.database.writing() as connection:
            if self._unsure:
                await hand_back(connection, who=self.who, but=self._known() | {row.id for row, _ in again})
            done = {"payload": None, "done_at": now, "lease_until": None}
            for state, ids in (("done", finished), ("failed", [row.id for row, _ in given_up])):
                if ids:
                    of_these = among(connection.dialect.name, inbox.c.id)
                    await connection.execute(update(inbox).where(of_these).values(state=state, **done), listed(ids))
            for row, after in again:
                later = {"lease_until": now + after, "claimed_by": None}
                await connection.execute(update(inbox).where(inbox.c.id == row.id).values(later))
            claimed = []
            if room > 0:
                claimed = await claim(connection, self.envelope, who=self.who, now=now, most=room)
        self._unsure = False
        return claimed

    def _known(self) -> set[int]:
        """Give the rows that this process works on, or has to write something down of."""
        waiting = (row.id for row, _ in (*self._again, *self._given_up))
        return {*self._busy, *self._finished, *waiting}

    async def _tell(self, row: Claimed, problem: Exception) -> None:
        try:
            await self.on_failed(row, problem)
        except Exception as trouble:  # as in _work: a row nobody can be told of must not stop the rest
            log.exception("nobody was told of a failed row", row=row.id, kind=type(trouble).__name__)

    async def _leave(self) -> None:
        """Let what is being worked on end: a row cut off would make its queue wait for the lease."""
        tasks = set(self._busy.values())
        if tasks:
            await asyncio.wait(tasks, timeout=GOODBYE_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        try:
            await self._turn(room=0)
        except (DBAPIError, OSError) as problem:  # the rows' leases run out, and they are handled again
            log.warning("what was finished at the end could not be written down", kind=type(problem).__name__)
