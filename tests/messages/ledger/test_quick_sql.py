"""The short way to SQLite gives what the long way gives: rows, errors, and the caller's transaction."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from messages.ledger.quick_sql import Statement, fetch
from voting.store.database import Database

WORDS = Statement("SELECT :one AS a, :two AS b", "SELECT CAST(:one AS text) AS a, CAST(:two AS bigint) AS b")
NOTHING = Statement("SELECT 1 WHERE 1 = :one", "SELECT 1 WHERE 1 = CAST(:one AS integer)")
WRONG = Statement("SELECT * FROM no_such_table", "SELECT * FROM no_such_table")
INSERT = Statement(
    "INSERT INTO opt_out (address, reason, since) VALUES (:address, 'x', 1) RETURNING address",
    "INSERT INTO opt_out (address, reason, since) VALUES (:address, 'x', 1) RETURNING address",
)


async def test_rows_come_in_the_order_of_their_columns(database: Database) -> None:
    async with database.reading() as connection:
        assert [tuple(row) for row in await fetch(connection, WORDS, {"one": "x", "two": 2})] == [("x", 2)]
        assert list(await fetch(connection, NOTHING, {"one": 2})) == []


async def test_an_error_is_sqlalchemys_on_both_engines(database: Database) -> None:
    """Whoever waits for the database catches one kind of error."""
    with pytest.raises(DBAPIError, match="no_such_table"):
        async with database.reading() as connection:
            await fetch(connection, WRONG, {})


async def test_what_was_written_is_undone_with_the_callers_transaction(database: Database) -> None:
    async def write(*, fail: bool) -> None:
        async with database.writing() as connection:
            await fetch(connection, INSERT, {"address": "+447700900001"})
            if fail:
                raise RuntimeError

    with pytest.raises(RuntimeError):
        await write(fail=True)
    async with database.reading() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM opt_out"))).scalar_one() == 0
    await write(fail=False)
    async with database.reading() as connection:
        assert (await connection.execute(text("SELECT address FROM opt_out"))).scalar_one() == "+447700900001"


async def test_a_broken_rule_of_the_table_is_an_integrity_error_too(database: Database) -> None:
    with pytest.raises(DBAPIError, match=r"(?i)unique"):
        async with database.writing() as connection:
            for _ in range(2):
                await fetch(connection, INSERT, {"address": "+447700900001"})
