"""The durable inbox by itself: order within a queue, a repetition stored once, old rows forgotten."""

from datetime import timedelta

from prepared import NOW, rows
from sqlalchemy import insert

from bot.inbox.inbox import KEEP_DONE, Envelope, Letter, claim, purge, store
from bot.schema import inbox
from voting.store.database import Database

ENVELOPE = Envelope(bytes(32))


async def test_the_oldest_row_of_each_queue_is_taken_and_the_next_waits_for_it(database: Database) -> None:
    letters = [Letter("telegram", key, key[0], {"update_id": place}) for place, key in enumerate(("a1", "a2", "b1"))]
    async with database.writing() as connection:
        await store(connection, ENVELOPE, letters, NOW)
        await store(connection, ENVELOPE, letters, NOW)  # the provider says it again

    first = await claim(database, ENVELOPE, who="one", now=NOW, most=10)
    second = await claim(database, ENVELOPE, who="two", now=NOW, most=10)

    assert [(row.key, row.payload) for row in first] == [("a1", {"update_id": 0}), ("b1", {"update_id": 2})]
    assert second == []
    assert len(await rows(database, inbox)) == 3


async def test_rows_done_long_ago_are_forgotten_and_no_others(database: Database) -> None:
    long_ago = NOW - KEEP_DONE - timedelta(seconds=1)
    made = {
        "done long ago": ("done", long_ago),
        "failed long ago": ("failed", long_ago),
        "done just now": ("done", NOW),
        "never done": ("new", None),
    }
    async with database.writing() as connection:
        for key, (state, done_at) in made.items():
            values = {"source": "telegram", "key": key, "queue": "q", "received_at": long_ago, "payload": None}
            await connection.execute(insert(inbox).values(state=state, done_at=done_at, **values))

        assert await purge(connection, NOW) == 2

    assert {key for (key,) in await rows(database, inbox, inbox.c.key)} == {"done just now", "never done"}
