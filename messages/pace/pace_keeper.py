"""One process holds a provider's pace; the others send answers in chats out of a share it grants them.

Several processes may run, and the provider counts them as one. The holder proves that it lives by counting up
`beat`; who sees it stand still for `silent_seconds` of their own clock takes over. No clock of another machine
is believed. A holder that could not beat stops sending before anybody can take over.

Of the limit, the others have `OTHERS_SHARE` together while there are any; a new process sends nothing until the holder
has made room for it. So the sum never exceeds the limit, whoever comes and goes.

Of a process that is `gone` for certain (see bot/inbox/predecessors.py) nobody waits for the silence: its place is
free at once. Only what it may have sent in its last second still counts.
"""

import asyncio
import math
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from messages.pace.pacer import Pacer
from messages.pace.peers import Peers, nobody_is_known_to_be_gone
from messages.pace.queue import loop_time
from messages.pace.spacing import WINDOW_SECONDS
from messages.schema import pace_share, pacer
from voting.store.database import Database
from voting.store.inserts import insert_into

BEAT_SECONDS: Final = 1.0
SILENT_SECONDS: Final = 5.0  # then the holder is taken for dead
TRUST_SHARE: Final = 0.8  # of that time a process relies on its last beat
OTHERS_SHARE: Final = 0.25
_UNLIMITED_STORED: Final = 1e9  # infinity, as a number every database has

log = structlog.get_logger()


class PaceKeeper:
    """Keeps one provider's `pace` true for this process; `process` is a name no other process has."""

    def __init__(
        self,
        database: Database,
        provider: str,
        pace: Pacer,
        *,
        process: str,
        gone: Callable[[str], bool] = nobody_is_known_to_be_gone,
        now: Callable[[], datetime],
        beat_seconds: float = BEAT_SECONDS,
        silent_seconds: float = SILENT_SECONDS,
    ) -> None:
        self.holding = False
        self._database = database
        self._provider = provider
        self._pace = pace
        self._limit = pace.limit
        self._process = process
        self._now = now
        self._beat_seconds = beat_seconds
        self._silent_seconds = silent_seconds
        self._peers = Peers(gone, silent_seconds)
        self._lessened_at = -math.inf
        pace.change_limit(0)

    async def run(self, stop: asyncio.Event) -> None:
        """Beat until `stop`, then let go."""
        while not stop.is_set():
            try:
                await self.beat()
            except (DBAPIError, OSError) as problem:  # the trust runs out by itself
                log.warning(
                    "the database did not answer the pace keeper", provider=self._provider, error=type(problem).__name__
                )
            self._pace.slowed.clear()
            await self._until_next_beat(stop)
        with suppress(DBAPIError, OSError):
            await self.let_go()

    async def beat(self) -> None:
        """Say that this process lives; hold, take over, or take what the holder grants."""
        began = loop_time()
        async with self._database.writing() as connection:
            row = await self._row(connection)
            if row.lifted_at is not None:  # an officer ended the hold
                self._pace.lift()
            held = row.holder == self._process
            if not held and (row.holder is None or self._peers.is_lost(row.holder, row.beat, began)):
                self._remember(row, began)
                held = True
            limit = await (self._hold(connection, row.beat, began) if held else self._ask(connection))
            if limit < self._pace.limit:
                self._pace.change_limit(limit)  # less for us before more for others, which the commit gives
        self.holding = held
        if limit != self._pace.limit:
            self._pace.change_limit(limit)
        self._pace.open_until(began + self._silent_seconds * TRUST_SHARE)

    async def look(self) -> None:
        """See as early as can be whether the holder is gone: what it sent last counts for a second from then."""
        async with self._database.reading() as connection:
            holder = await connection.scalar(select(pacer.c.holder).where(pacer.c.provider == self._provider))
        if holder is not None:
            self._peers.is_gone(holder, loop_time())

    async def let_go(self) -> None:
        """Leave the pace to whoever comes next, at once."""
        self.holding = False
        kept = self._kept()
        self._pace.change_limit(0)
        mine = (pacer.c.provider == self._provider, pacer.c.holder == self._process)
        async with self._database.writing() as connection:
            await connection.execute(update(pacer).where(*mine).values(holder=None, beat=pacer.c.beat + 1, **kept))
            await connection.execute(delete(pace_share).where(pace_share.c.process == self._process))

    async def _row(self, connection: AsyncConnection) -> Any:  # noqa: ANN401 - a row
        ours = select(pacer).where(pacer.c.provider == self._provider).with_for_update()
        found = (await connection.execute(ours)).first()
        if found is not None:
            return found
        statement = insert_into(connection, pacer).values(provider=self._provider, beat=0)
        await connection.execute(statement.on_conflict_do_nothing(index_elements=["provider"]))
        return (await connection.execute(ours)).one()

    def _remember(self, row: Any, now: float) -> None:  # noqa: ANN401 - a row of `pacer`
        """Begin where the last holder was: a RetryAfter outlives a restart, and so does what was sent just now."""
        self._pace.change_limit(self._limit)
        if row.beat:
            last_sent_at = self._peers.gone_since(row.holder, now)  # at the latest
            self._pace.hold(last_sent_at + WINDOW_SECONDS - now)  # its messages of that second count with ours
        if row.rate is not None and row.rate < _UNLIMITED_STORED:
            self._pace.recover(row.rate)
        if row.hold_until is not None and row.hold_until > self._now():
            self._pace.hold((row.hold_until - self._now()).total_seconds())

    def _kept(self) -> dict[str, Any]:
        rate = self._pace.rate
        held_seconds = self._pace.held_for()
        return {
            "rate": _UNLIMITED_STORED if math.isinf(rate) else rate,
            "hold_until": self._now() + timedelta(seconds=held_seconds) if held_seconds else None,
        }

    async def _hold(self, connection: AsyncConnection, beat: int, now: float) -> float:
        """Count up as the holder, grant the others their share, and return what is left for us."""
        kept = {"holder": self._process, "beat": beat + 1, "lifted_at": None, **self._kept()}
        await connection.execute(update(pacer).where(pacer.c.provider == self._provider).values(kept))
        rows = (await connection.execute(select(pace_share).where(pace_share.c.provider == self._provider))).all()
        others = [row for row in rows if row.process != self._process]
        gone = {row.process for row in others if self._peers.is_forgotten(row.process, row.beat, now)}
        if gone or len(others) < len(rows):
            await connection.execute(delete(pace_share).where(_of(self._provider, {*gone, self._process})))
        return await self._grant(connection, [row for row in others if row.process not in gone], now)

    async def _grant(self, connection: AsyncConnection, others: Sequence[Any], now: float) -> float:
        """Share out among the others: who gets less is told first, who gets more a while later."""
        if not others:
            return self._limit
        if math.isinf(self._limit):
            share, left = _UNLIMITED_STORED, self._limit
        else:
            share = self._limit * OTHERS_SHARE / len(others)
            left = self._limit * (1 - OTHERS_SHARE)
        less = {row.process for row in others if row.rate > share}
        more = {row.process for row in others if row.rate < share}
        if less:
            self._lessened_at = now
        changed = less or (more if now - self._lessened_at >= self._silent_seconds * TRUST_SHARE else set())
        if changed:
            await connection.execute(update(pace_share).where(_of(self._provider, changed)).values(rate=share))
        return left

    async def _ask(self, connection: AsyncConnection) -> float:
        """Count up as one of the others, and return what the holder grants."""
        statement = insert_into(connection, pace_share).values(
            provider=self._provider, process=self._process, beat=1, rate=0.0
        )
        granted = await connection.execute(
            statement.on_conflict_do_update(
                index_elements=["provider", "process"], set_={"beat": pace_share.c.beat + 1}
            ).returning(pace_share.c.rate)
        )
        rate = granted.scalar_one()
        return math.inf if rate >= _UNLIMITED_STORED else float(rate)

    async def _until_next_beat(self, stop: asyncio.Event) -> None:
        """Wait for the next beat; a 429 is remembered at once."""
        waits = [asyncio.ensure_future(stop.wait()), asyncio.ensure_future(self._pace.slowed.wait())]
        try:
            await asyncio.wait(waits, timeout=self._beat_seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


def _of(provider: str, processes: Collection[str]) -> ColumnElement[bool]:
    return and_(pace_share.c.provider == provider, pace_share.c.process.in_(processes))
