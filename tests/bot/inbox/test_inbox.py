"""The durable inbox by itself: order within a queue, a repetition stored once, old rows forgotten."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from prepared import NOW, rows
from sqlalchemy import insert, update

from bot.inbox import arrivals
from bot.inbox.arrivals import Arrivals
from bot.inbox.inbox import KEEP_DONE, PUT_OFF_FEW, Claimed, Envelope, Letter, PutOff, backlog, claim, purge, store
from bot.inbox.reader import Reader
from bot.schema import inbox
from voting.hour_keys import HourKeys
from voting.refusals import Fault
from voting.store.database import Database
from voting.store.together import TooMany

ENVELOPE = Envelope(HourKeys.make())


async def test_the_oldest_row_of_each_queue_is_taken_and_the_next_waits_for_it(database: Database) -> None:
    letters = [Letter("telegram", key, key[0], {"update_id": place}) for place, key in enumerate(("a1", "a2", "b1"))]
    async with database.writing() as connection:
        await store(connection, ENVELOPE, letters, NOW)
        await store(connection, ENVELOPE, letters, NOW)  # the provider says it again

    async with database.writing() as connection:
        first = await claim(connection, ENVELOPE, who="one", now=NOW, most=10)
    async with database.writing() as connection:
        second = await claim(connection, ENVELOPE, who="two", now=NOW, most=10)

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


LATE = NOW + timedelta(minutes=5)
ROWS = {
    "one that nobody takes": ({"lease_until": None}, NOW),
    "one that is worked on": ({"claimed_by": "one", "lease_until": LATE + timedelta(seconds=9)}, NOW),
    "one whose holder is gone": ({"claimed_by": "one", "lease_until": NOW}, NOW),
    "one that waits for its provider": ({"claimed_by": None, "lease_until": LATE + timedelta(seconds=9)}, None),
    "one that waited for its provider": ({"claimed_by": None, "lease_until": LATE - timedelta(seconds=9)}, NOW),
}


@pytest.mark.parametrize(("values", "oldest"), ROWS.values(), ids=ROWS.keys())
async def test_what_waits_for_its_provider_says_nothing_about_the_service(
    database: Database, values: dict[str, Any], oldest: datetime | None
) -> None:
    """Whoever has their own chat held for an hour, and writes on, does not make /readyz say no."""
    async with database.writing() as connection:
        behind = [Letter("telegram", key, "telegram:1", {}) for key in ("1", "2")]
        await store(connection, ENVELOPE, behind, NOW)
        await connection.execute(update(inbox).where(inbox.c.key == "1").values(**values))
        assert await backlog(connection, LATE) == (2, oldest)

        await store(connection, ENVELOPE, [Letter("telegram", "3", "telegram:2", {})], LATE)
        assert await backlog(connection, LATE) == (3, oldest or LATE)  # another's counts


@pytest.mark.parametrize(("held", "oldest"), [(PUT_OFF_FEW, None), (PUT_OFF_FEW + 1, NOW)], ids=["a few", "many"])
async def test_many_that_wait_for_their_provider_do_say_something(
    database: Database, held: int, oldest: datetime | None
) -> None:
    """Nothing gets out: /readyz says no."""
    async with database.writing() as connection:
        letters = [Letter("telegram", str(chat), f"telegram:{chat}", {}) for chat in range(held)]
        await store(connection, ENVELOPE, letters, NOW)
        await connection.execute(update(inbox).values(claimed_by=None, lease_until=LATE + timedelta(seconds=9)))

        assert await backlog(connection, LATE) == (held, oldest)


async def test_a_row_that_was_put_off_is_known_as_such(database: Database) -> None:
    async def handle(_row: Claimed) -> None:
        raise PutOff(60.0)

    async def nobody(_row: Claimed, _problem: Exception) -> None:
        """Is told of nothing."""

    async with database.writing() as connection:
        await store(connection, ENVELOPE, [Letter("telegram", "1", "telegram:1", {})], NOW)
    reading = Reader(database, ENVELOPE, who="one", handle=handle, on_failed=nobody, clock=lambda: LATE)
    running = asyncio.create_task(reading.run())
    async with asyncio.timeout(10):
        while await rows(database, inbox, inbox.c.claimed_by, inbox.c.tries) != [(None, 1)]:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    async with database.reading() as connection:
        assert await backlog(connection, LATE) == (1, None)
