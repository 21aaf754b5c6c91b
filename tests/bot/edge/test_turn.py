"""Which of several processes polls: one at a time, and the next one when it is gone, fallen silent or gives up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import select

from bot.edge import turn as turns
from bot.edge.hearing import CONFLICT, SILENCE_MAX_SECONDS, SILENT, Hearing
from bot.edge.turn import SILENT_SECONDS, Turn
from bot.schema import turn
from voting.store.database import Database


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def _quick_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "BEAT_SECONDS", 0.01)


class Worker:
    """One process's turn; `polls` is set while it does its work."""

    def __init__(self, database: Database, who: str, clock: Clock, gone: set[str]) -> None:
        self.hearing = Hearing(clock=clock)
        self.turn = Turn(database, who, self.hearing, gone=gone.__contains__, clock=clock)
        self.polls, self.rests = asyncio.Event(), asyncio.Event()
        self.rests.set()

    async def work(self) -> None:
        self.polls.set()
        self.rests.clear()
        try:
            await asyncio.Event().wait()
        finally:
            self.polls.clear()
            self.rests.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.turn.work_while_mine(self.work))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def within_patience(event: asyncio.Event) -> None:
    async with asyncio.timeout(20):
        await event.wait()


async def beats(database: Database) -> int:
    async with database.reading() as connection:
        return int(await connection.scalar(select(turn.c.beat)) or 0)


async def until_more_beats(database: Database, more: int = 3) -> None:
    before = await beats(database)
    async with asyncio.timeout(20):
        while await beats(database) < before + more:  # noqa: ASYNC110 - another task's doing
            await asyncio.sleep(0.005)


async def test_one_polls_and_the_other_begins_when_it_gives_up(database: Database) -> None:
    clock = Clock()
    one, two = Worker(database, "one", clock, set()), Worker(database, "two", clock, set())
    async with two.running():
        async with one.running():
            await within_patience(one.polls if one.polls.is_set() else two.polls)
            await until_more_beats(database)
            first, second = (one, two) if one.polls.is_set() else (two, one)
            assert second.rests.is_set()
        if first is one:
            await one.turn.give_up()
            await within_patience(two.polls)
        assert two.polls.is_set() or second is one


async def test_whoever_is_surely_gone_is_followed_at_once(database: Database) -> None:
    clock, gone = Clock(), set[str]()
    one, two = Worker(database, "one", clock, gone), Worker(database, "two", clock, gone)
    async with one.running():
        await within_patience(one.polls)
    async with two.running():
        await asyncio.sleep(0.05)
        assert two.rests.is_set()

        gone.add("one")

        await within_patience(two.polls)


async def test_whoever_falls_silent_is_followed_by_our_own_clock(database: Database) -> None:
    clock = Clock()
    one, two = Worker(database, "one", clock, set()), Worker(database, "two", clock, set())
    async with one.running():
        await within_patience(one.polls)
    assert not await two.turn._is_mine()
    clock.now += SILENT_SECONDS - 0.1
    assert not await two.turn._is_mine()
    clock.now += 0.1

    assert await two.turn._is_mine()


async def test_a_holder_that_was_followed_stops_polling(database: Database) -> None:
    clock = Clock()
    one = Worker(database, "one", clock, set())
    async with one.running():
        await within_patience(one.polls)
        async with database.writing() as connection:
            await connection.execute(turn.update().values(holder="two"))

        await within_patience(one.rests)


async def test_work_that_breaks_ends_with_its_error(database: Database) -> None:
    worker = Worker(database, "one", Clock(), set())

    async def breaks() -> None:
        raise LookupError("of ours")

    with pytest.raises(LookupError, match="of ours"):
        await worker.turn.work_while_mine(breaks)


async def test_who_does_not_poll_reports_what_the_one_who_does_hears(database: Database) -> None:
    clock = Clock()
    one, two = Worker(database, "one", clock, set()), Worker(database, "two", clock, set())
    assert await one.turn._is_mine()
    assert not await two.turn._is_mine()

    clock.now += SILENCE_MAX_SECONDS
    assert one.hearing.trouble == SILENT
    assert two.hearing.trouble is None
    assert await one.turn._is_mine()
    assert not await two.turn._is_mine()
    assert two.hearing.trouble == SILENT

    one.hearing.heard()
    assert await one.turn._is_mine()
    assert not await two.turn._is_mine()
    assert two.hearing.trouble is None
    assert two.hearing.silence_seconds == 0


async def test_whoever_begins_to_poll_has_a_minute_of_patience_again() -> None:
    clock = Clock()
    hearing = Hearing(clock=clock)
    hearing.listens = False
    hearing.told(CONFLICT)
    clock.now += 10 * SILENCE_MAX_SECONDS
    assert hearing.trouble == CONFLICT

    hearing.listens = True

    assert hearing.trouble is None
    assert hearing.silence_seconds == 0


async def test_while_the_database_is_away_the_holder_goes_on_and_nobody_begins(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    one, two = Worker(database, "one", clock, set()), Worker(database, "two", clock, set())
    assert await one.turn._is_mine()

    def away() -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(database, "writing", away)

    assert await one.turn._is_mine()
    assert not await two.turn._is_mine()
