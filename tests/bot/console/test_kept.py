"""What is slow to count: once for everybody who looks, less often the longer it takes, first at the service's start."""

import asyncio
from datetime import datetime
from pathlib import Path

import pytest
from console_house import ConsoleHouse, filled_house
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.console import kept, snapshot
from bot.console.kept import LIFE_OF_TAKEN, Kept
from voting.store.database import Database

FRESH_SECONDS = 4.0
PATIENCE_SECONDS = 60.0


class Counting:
    """Counts how often it counted; each time takes so long, of a time that stands otherwise."""

    def __init__(self, takes: float) -> None:
        self.now, self.takes, self.times = 1_000.0, takes, 0
        self.again = asyncio.Event()

    async def count(self, _connection: AsyncConnection, _now: datetime) -> int:
        self.now, self.times = self.now + self.takes, self.times + 1
        if self.times > 1:
            self.again.set()
        return self.times


@pytest.mark.parametrize(("takes", "life"), [(0.01, FRESH_SECONDS), (3.0, 3.0 * LIFE_OF_TAKEN)])
async def test_a_count_is_kept_the_longer_the_longer_it_took(
    town: ConsoleHouse, monkeypatch: pytest.MonkeyPatch, takes: float, life: float
) -> None:
    counting = Counting(takes)
    monkeypatch.setattr(kept, "monotonic", lambda: counting.now)
    counts = Kept(town.house, counting.count, fresh_seconds=FRESH_SECONDS)
    await counts.latest()
    counting.now += life - 0.001
    await counts.latest()
    assert counting.times == 1
    counting.now += 0.002
    assert await counts.latest() == 1  # at once, the old one
    async with asyncio.timeout(60):
        await counting.again.wait()


async def test_what_was_counted_at_the_start_is_not_waited_for(town: ConsoleHouse) -> None:
    counting = Counting(0)
    counts = Kept(town.house, counting.count, fresh_seconds=60)
    await counts.begin()
    assert (counting.times, await counts.latest(), counting.times) == (1, 1, 1)


async def test_a_start_that_fails_ends_nothing(town: ConsoleHouse) -> None:
    async def fail(_connection: AsyncConnection, _now: datetime) -> int:
        raise OSError("the database is away")

    counts = Kept(town.house, fail, fresh_seconds=60)
    await counts.begin()
    with pytest.raises(OSError, match="away"):
        await counts.latest()


async def test_a_service_that_ends_counts_no_more(town: ConsoleHouse) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def count(_connection: AsyncConnection, _now: datetime) -> int:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return 0

    beginning = asyncio.create_task(Kept(town.house, count, fresh_seconds=60).begin())
    await begun.wait()
    beginning.cancel()
    async with asyncio.timeout(60):
        await ended.wait()
    assert (await asyncio.gather(beginning, return_exceptions=True))[0].__class__ is asyncio.CancelledError


@pytest.mark.parametrize("path", ["/", "/packs", "/lists/unreachable"])
async def test_a_page_says_that_its_numbers_are_still_counted_and_shows_them_once_they_are(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    go_on, counted = asyncio.Event(), asyncio.Event()
    gather = snapshot.gather

    async def slowly(connection: AsyncConnection, now: datetime) -> snapshot.Snapshot:
        await go_on.wait()
        found = await gather(connection, now)
        counted.set()
        return found

    monkeypatch.setattr(snapshot, "gather", slowly)
    async with filled_house(database, tmp_path) as town, town.visitor("Gwen") as gwen:
        monkeypatch.setattr(snapshot, "SOON_SECONDS", 0.01)
        early = (await gwen.looks(path)).text
        go_on.set()
        monkeypatch.setattr(snapshot, "SOON_SECONDS", PATIENCE_SECONDS)
        shown = (await gwen.looks(path)).text
    assert counted.is_set()
    assert ("data-counting" in early, "data-counting" in shown) == (True, False)
    assert ('id="alarms"' in early) == (path == "/")  # what is urgent waits for no number
