"""SQLite's connection that brings rows back with their statement: long answers, streams, errors, nothing begun."""

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
