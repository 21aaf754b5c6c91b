"""What every connection promises: what is committed survives power loss, and the judges are asked."""

import asyncio

import pytest
from sqlalchemy import text

from voting.store.database import Database

# https://sqlite.org/pragma.html: 2 is FULL; foreign keys and judges are asked; a ballot that left the tray is gone.
SQLITE = {"synchronous": 2, "journal_mode": "wal", "foreign_keys": 1, "recursive_triggers": 1, "secure_delete": 1}
POSTGRESQL = {"synchronous_commit": "on", "session_replication_role": "origin"}  # origin: triggers fire


async def test_every_connection_is_durable_and_asks_the_judges(database: Database) -> None:
    """Several at once, so that none is a connection that somebody else has set up; and the one that writes."""
    ask, wanted = ("PRAGMA", SQLITE) if database.is_sqlite else ("SHOW", POSTGRESQL)
    async with asyncio.timeout(10), database.writing() as writer, database.reading() as one, database.reading() as two:
        for connection in (writer, one, two):
            found = {name: await connection.scalar(text(f"{ask} {name}")) for name in wanted}
            assert found == wanted


async def test_what_failed_in_the_middle_is_gone_whole_and_the_next_can_write(database: Database) -> None:
    """Not even the part before the failure is there; and nobody waits for a writer that is no more."""
    statement = text("INSERT INTO roll_file (sha256, path, imported_at) VALUES (:sha256, 'roll.csv', 0)")

    with pytest.raises(RuntimeError, match="on the way"):
        async with database.writing() as connection:
            await connection.execute(statement, {"sha256": b"1"})
            raise RuntimeError("on the way")
    async with asyncio.timeout(10), database.writing() as connection:
        await connection.execute(statement, {"sha256": b"2"})

    async with database.reading() as connection:
        assert list((await connection.execute(text("SELECT sha256 FROM roll_file"))).scalars()) == [b"2"]


async def test_whatever_is_written_while_reading_is_not_kept(database: Database) -> None:
    async with database.reading() as connection:
        await connection.execute(text("INSERT INTO roll_file (sha256, path, imported_at) VALUES ('x', 'roll.csv', 0)"))

    async with database.reading() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM roll_file")) == 0
