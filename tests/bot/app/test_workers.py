"""What a worker does beside others."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta

from bot.app.place import Place
from bot.app.workers import worker_chores
from bot.inbox import predecessors
from bot.inbox.inbox import Envelope, Letter, claim, store
from bot.schema import inbox
from voting.hour_keys import HourKeys
from voting.store.database import Database

SECOND = Place(2, 1, listening=0, lifeline=0, ready=0)


async def test_a_worker_goes_on_with_what_a_killed_one_had_begun(database: Database) -> None:
    """Neither waits for the lease nor for the one that is started in its place: that one may take long."""
    now, envelope, woken = datetime.now(UTC), Envelope(HourKeys.make()), asyncio.Event()
    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await killed.wait()
    begun = {"claimed_by": f"{predecessors.place()}/{killed.pid}/dead", "lease_until": now + timedelta(seconds=20)}
    async with database.writing() as connection:
        await store(connection, envelope, [Letter("telegram", "1", "ada", {"update_id": 1})], now)
        await connection.execute(inbox.update().values(begun))
    chores = {chore.name: chore for chore in worker_chores(SECOND, database, wake=woken.set)}

    await chores["take over"].act()

    assert woken.is_set()
    async with database.writing() as connection:
        assert [row.key for row in await claim(connection, envelope, who="me", now=now, most=10)] == ["1"]
