"""The inbox's reader while the database goes away and comes back: nothing is forgotten, nothing waits for a lease."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from prepared import NOW, rows
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.inbox import reader as reading
from bot.inbox.inbox import Claimed, Envelope, Letter, claim, hand_back, store
from bot.inbox.reader import Reader
from bot.schema import inbox
from voting.hour_keys import HourKeys
from voting.store.database import Database

ENVELOPE = Envelope(HourKeys.make())
PATIENCE_SECONDS = 30.0


class Failing:
    """A database that is away for the next `times` transactions; `commits`: it does what it was told, and is gone."""

    def __init__(self, database: Database, *, commits: bool) -> None:
        self._database, self._commits = database, commits
        self.times = 0

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        self.times -= 1
        if self.times >= 0 and not self._commits:
            raise ConnectionResetError
        async with self._database.writing() as connection:
            yield connection
        if self.times >= 0:
            raise ConnectionResetError


@pytest.mark.parametrize("commits", [False, True])
async def test_rows_are_handled_once_each_though_the_database_goes_away_at_every_step(
    database: Database, commits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "DATABASE_PAUSE_SECONDS", 0.01)
    failing = Failing(database, commits=commits)
    handled: list[str] = []
    both = asyncio.Event()

    async def handle(row: Claimed) -> None:
        handled.append(row.key)
        failing.times = 2  # what it did is to be written down now
        if len(handled) == 2:
            both.set()

    async def failed(row: Claimed, problem: Exception) -> None:
        raise AssertionError(row) from problem

    async with database.writing() as connection:
        await store(connection, ENVELOPE, [Letter("telegram", key, "queue", {"update_id": 1}) for key in "ab"], NOW)
    reader = Reader(failing, ENVELOPE, "me", handle, failed, lambda: NOW)  # type: ignore[arg-type] # as it writes
    failing.times = 2  # the claim, too
    working = asyncio.create_task(reader.run())
    async with asyncio.timeout(PATIENCE_SECONDS):
        await both.wait()
        while {state for (state,) in await rows(database, inbox, inbox.c.state)} != {"done"}:  # noqa: ASYNC110 - another task's doing
            await asyncio.sleep(0.01)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)

    assert handled == ["a", "b"]


async def test_a_reader_that_ends_while_the_database_is_away_ends_in_order(
    database: Database,
) -> None:
    failing = Failing(database, commits=False)
    handled = asyncio.Event()

    async def handle(_: Claimed) -> None:
        failing.times = 1_000
        handled.set()

    async def failed(row: Claimed, problem: Exception) -> None:
        raise AssertionError(row) from problem

    async with database.writing() as connection:
        await store(connection, ENVELOPE, [Letter("telegram", "a", "queue", {"update_id": 1})], NOW)
    reader = Reader(failing, ENVELOPE, "me", handle, failed, lambda: NOW)  # type: ignore[arg-type] # as it writes
    working = asyncio.create_task(reader.run())
    async with asyncio.timeout(PATIENCE_SECONDS):
        await handled.wait()
    working.cancel()
    (ended,) = await asyncio.gather(working, return_exceptions=True)

    assert isinstance(ended, asyncio.CancelledError)
    assert await rows(database, inbox, inbox.c.key, inbox.c.state) == [("a", "new")]


async def test_rows_whose_claim_was_never_heard_of_are_free_at_once_and_it_was_no_try(database: Database) -> None:
    async with database.writing() as connection:
        letters = [Letter("telegram", key, key, {"update_id": 1}) for key in "abc"]
        await store(connection, ENVELOPE, letters, NOW)
        await connection.execute(update(inbox).where(inbox.c.key == "c").values(claimed_by="other", lease_until=NOW))
        mine = await claim(connection, ENVELOPE, who="me", now=NOW, most=2)

    async with database.writing() as connection:
        await hand_back(connection, who="me", but=[mine[0].id])

    found = {key: rest for key, *rest in await rows(database, inbox, inbox.c.key, inbox.c.claimed_by, inbox.c.tries)}
    assert found == {"a": ["me", 1], "b": [None, 0], "c": ["other", 0]}
