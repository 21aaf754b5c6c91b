"""The durable inbox by itself: order within a queue, a repetition stored once, old rows forgotten."""

import asyncio
from datetime import datetime, timedelta

import pytest
from prepared import NOW, rows
from sqlalchemy import insert

from bot.inbox import arrivals
from bot.inbox.arrivals import Arrivals
from bot.inbox.inbox import KEEP_DONE, Envelope, Letter, claim, purge, store
from bot.schema import inbox
from voting.refusals import Fault
from voting.store.database import Database
from voting.store.together import TooMany

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


class Receiving:
    """The way in of webhooks, with a clock that is asked once a transaction and a count of how often it woke."""

    def __init__(self, database: Database) -> None:
        self.transactions = self.woken = 0
        self.arrivals = Arrivals(database, ENVELOPE, wake=self._wake, clock=self._clock)

    def _clock(self) -> datetime:
        self.transactions += 1
        return NOW

    def _wake(self) -> None:
        self.woken += 1


def letter(number: int) -> Letter:
    return Letter("telegram", str(number), "telegram:1", {"update_id": number})


async def test_letters_that_arrive_together_are_stored_in_one_transaction_and_their_reader_is_woken(
    database: Database,
) -> None:
    receiving = Receiving(database)

    await asyncio.gather(*(receiving.arrivals.put(letter(number % 50)) for number in range(60)))

    assert sorted(int(key) for (key,) in await rows(database, inbox, inbox.c.key)) == list(range(50))
    assert (receiving.transactions, receiving.woken) == (1, 1)


async def test_nobody_is_told_that_a_letter_is_stored_when_it_is_not(database: Database) -> None:
    receiving = Receiving(database)
    unwritable = Letter("telegram", "1", "telegram:1", {"update_id": {1, 2}})

    with pytest.raises(Fault, match="letters: TypeError"):
        await receiving.arrivals.put(unwritable)

    assert receiving.woken == 0
    await receiving.arrivals.put(letter(1))
    assert len(await rows(database, inbox)) == 1


async def test_more_than_a_process_holds_is_told_to_come_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "WAITING_MAX", 3)
    narrow = Receiving(database).arrivals

    given = await asyncio.gather(*(narrow.put(letter(number)) for number in range(5)), return_exceptions=True)

    assert [type(answer) for answer in given] == [type(None)] * 3 + [TooMany] * 2


async def test_at_the_end_what_was_handed_over_is_stored_first(database: Database) -> None:
    receiving = Receiving(database)
    handed = asyncio.create_task(receiving.arrivals.put(letter(1)))
    await asyncio.sleep(0)  # it has asked

    await receiving.arrivals.finish()

    assert len(await rows(database, inbox)) == 1
    await handed
