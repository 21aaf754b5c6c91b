"""SQLite's connection that brings rows back with their statement: long answers, streams, errors, nothing begun."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from voting.store.database import Database
from voting.store.sqlite_connection import BROUGHT_MAX, connect

NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :last) SELECT i FROM n"


@pytest.fixture
async def numbers(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'numbers.db'}")
    async with database.writing() as connection:
        await connection.execute(text("CREATE TABLE one (id INTEGER PRIMARY KEY)"))
    yield database
    await database.close()


@pytest.mark.parametrize("last", [1, BROUGHT_MAX - 1, BROUGHT_MAX, BROUGHT_MAX + 1, 3 * BROUGHT_MAX + 7])
async def test_every_row_comes_once_and_in_order_however_many_there_are(numbers: Database, last: int) -> None:
    async with numbers.reading() as connection:
        all_at_once = list((await connection.execute(text(NUMBERS), {"last": last})).scalars())
        stream = await connection.stream(text(NUMBERS), {"last": last})
        in_parts = [row.i async for row in stream]
        by_hand = await connection.stream(text(NUMBERS), {"last": last})
        first = await by_hand.fetchone()
        some = await by_hand.fetchmany(10)
        await by_hand.close()  # with rows left over

    assert all_at_once == in_parts == list(range(1, last + 1))
    assert first is not None
    assert [first.i, *(row.i for row in some)] == list(range(1, min(last, 11) + 1))


async def test_a_refused_row_leaves_the_connection_as_good_as_new(numbers: Database) -> None:
    with pytest.raises(IntegrityError):
        async with numbers.writing() as connection:
            await connection.execute(text("INSERT INTO one VALUES (:id)"), [{"id": 1}, {"id": 2}, {"id": 1}])
    with pytest.raises(OperationalError, match="no such table"):
        async with numbers.reading() as connection:
            await connection.execute(text("SELECT * FROM nowhere"))
    async with numbers.writing() as connection:
        made = await connection.execute(text("INSERT INTO one VALUES (1), (2) RETURNING id"))
        assert list(made.scalars()) == [1, 2]
    async with numbers.reading() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM one")) == 2


async def test_what_was_begun_and_not_committed_is_rolled_back(numbers: Database) -> None:
    async with numbers.reading() as connection:
        await connection.execute(text("INSERT INTO one VALUES (9)"))
    async with numbers.reading() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM one")) == 0


async def test_a_database_that_cannot_be_opened_leaves_no_thread_behind(tmp_path: Path) -> None:
    """A thread that outlived the loop it answers to would end a one-line refusal with its own traceback."""
    before = set(threading.enumerate())
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        await connect(tmp_path / "nowhere" / "numbers.db")

    left = set(threading.enumerate()) - before
    assert not [thread for thread in left if "connection_worker" in thread.name]


async def test_by_the_driver_alone_rows_come_one_by_one_too(tmp_path: Path) -> None:
    """Nothing of SQLAlchemy's asks for a single row; whoever has the connection in hand may."""
    async with connect(tmp_path / "numbers.db") as connection:
        cursor = connection.cursor()
        await cursor.execute("SELECT 1 UNION ALL SELECT 2")

        assert [await cursor.fetchone() for _ in range(3)] == [(1,), (2,), None]


# -- transactions --------------------------------------------------------------------------


async def test_a_transaction_begins_with_its_first_statement_and_one_without_any_never_does(numbers: Database) -> None:
    said: list[str] = []
    async with numbers.engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        await driver.set_trace_callback(said.append)
        async with connection.begin():
            pass
        async with connection.begin() as undone:
            await undone.rollback()
        assert said == []

        await connection.execute(text("SELECT 1"))
        await connection.rollback()
        async with connection.begin():
            await connection.execute(text("SELECT 2"))

    assert said == ["BEGIN", "SELECT 1", "ROLLBACK", "BEGIN", "SELECT 2", "COMMIT"]


async def test_a_statement_whose_caller_has_gone_is_rolled_back_and_the_next_transaction_is_its_own(
    numbers: Database,
) -> None:
    begun = asyncio.Event()

    async def write_slowly() -> None:
        async with numbers.writing() as connection:
            begun.set()
            await connection.execute(text("INSERT INTO one " + NUMBERS), {"last": 100_000})

    writing = asyncio.create_task(write_slowly())
    await begun.wait()
    await asyncio.sleep(0)  # the statement is in the thread's hands
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)

    async with numbers.writing() as connection:
        await connection.execute(text("INSERT INTO one VALUES (7)"))
    async with numbers.reading() as connection:
        assert list(await connection.scalars(text("SELECT id FROM one"))) == [7]


async def test_a_turn_that_somebody_else_has_is_refused_with_the_first_statement_and_had_later(
    numbers: Database,
) -> None:
    writer = (await (await numbers._writer_now()).get_raw_connection()).driver_connection
    assert writer is not None
    await writer.execute_fetchall("PRAGMA busy_timeout=0")
    other = Database(numbers.url)
    async with other.writing() as elsewhere:
        await elsewhere.execute(text("INSERT INTO one VALUES (1)"))
        with pytest.raises(OperationalError, match="locked"):
            async with numbers.writing() as connection:
                await connection.execute(text("INSERT INTO one VALUES (2)"))
    await other.close()

    async with numbers.writing() as connection:
        await connection.execute(text("INSERT INTO one VALUES (3)"))
    async with numbers.reading() as connection:
        assert list(await connection.scalars(text("SELECT id FROM one ORDER BY id"))) == [1, 3]
