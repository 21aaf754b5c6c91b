"""PostgreSQL's own: what a URL may say, a connection that the server has ended, and statements that take their time."""

import asyncio
import socket
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from voting.store import postgres
from voting.store.database import Database

PATIENCE_SECONDS = 30.0


@pytest.fixture
def engine_name() -> str:
    return "postgresql"


class Looked(Exception):
    """Nobody is connected to in this test."""


async def asked_of_driver(url: str) -> dict[str, Any]:
    """Give what the driver would be asked for."""
    engine = postgres.make_engine(url)
    found: dict[str, Any] = {}

    def look(_dialect: object, _record: object, _arguments: object, named: dict[str, Any]) -> None:
        found.update(named)
        raise Looked

    event.listen(engine.sync_engine, "do_connect", look)
    with pytest.raises(Looked):
        await engine.connect()
    return found


async def test_a_plain_url_asks_for_nothing_special() -> None:
    asked = await asked_of_driver("postgresql+asyncpg://me@here/poll")

    assert asked.keys() == {"host", "user", "database", "timeout"}


async def test_behind_a_pooler_no_statement_has_a_name() -> None:
    asked = await asked_of_driver("postgresql+asyncpg://me@here/poll?prepared_statement_cache_size=0")

    assert asked["statement_cache_size"] == asked["prepared_statement_cache_size"] == 0
    assert asked["prepared_statement_name_func"]() == ""
    assert not postgres.is_pooled(make_url("postgresql+asyncpg://me@here/poll?prepared_statement_cache_size=9"))


@pytest.mark.parametrize(
    ("query", "target"),
    [
        ("host=one:5432&host=two:5433", "read-write"),
        ("host=one,two&port=5432,5433", "read-write"),
        ("host=one:5432&host=two:5433&target_session_attrs=any", "any"),
        ("host=one:5432", None),
    ],
)
async def test_of_several_hosts_the_one_that_takes_writes_is_used(query: str, target: str | None) -> None:
    asked = await asked_of_driver(f"postgresql+asyncpg://me@/poll?{query}")

    assert asked.get("target_session_attrs") == target


async def test_what_libpq_takes_is_passed_on_as_libpq_takes_it() -> None:
    asked = await asked_of_driver("postgresql+asyncpg://me@here/poll?sslmode=verify-full&sslrootcert=/etc/a%20b.pem")

    assert asked["dsn"] == "postgresql://?sslmode=verify-full&sslrootcert=%2Fetc%2Fa+b.pem"
    assert asked.keys() == {"host", "user", "database", "timeout", "dsn"}


async def test_nobody_is_given_a_connection_that_the_server_has_ended(database: Database) -> None:
    async with database.reading() as connection, database.reading() as other:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        await other.execute(text("SELECT pg_terminate_backend(:process)"), {"process": driver.get_server_pid()})
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not driver.is_closed():  # noqa: ASYNC110 - another process's doing
                await asyncio.sleep(0.01)

    for _ in range(3):
        async with database.writing() as connection:
            assert await connection.scalar(text("SELECT 1")) == 1


async def test_that_no_connection_becomes_free_is_a_database_that_is_away(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "POOL_SIZE", 1)
    monkeypatch.setattr(postgres, "POOL_TIMEOUT_SECONDS", 0.01)
    database = Database(database_url)

    async with database.reading():
        with pytest.raises(OSError, match="limit of size 1"):
            async with database.reading():
                pass
    await database.close()


async def test_a_peer_that_vanished_is_found_out() -> None:
    with socket.socket() as line:
        transport = SimpleNamespace(get_extra_info=lambda _name: line)
        record = SimpleNamespace(driver_connection=SimpleNamespace(_transport=transport))

        postgres._on_connect(None, record)

        assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 10


async def test_nobody_stands_between_us_and_a_plain_server(database: Database) -> None:
    async with database.reading() as connection:
        assert not await postgres.is_behind_pooler(connection)


@pytest.mark.parametrize(
    ("before", "now", "counted"), [(0, 2_000, True), (0, 900, False), (2_048, 4_000, False), (2_048, 4_096, True)]
)
async def test_a_table_is_counted_anew_when_it_has_doubled(
    database: Database, before: int, now: int, counted: bool
) -> None:
    async with database.writing() as connection:
        await connection.execute(text("CREATE TEMPORARY TABLE filling AS SELECT generate_series(1, 7) AS number"))
        await postgres.plan_anew(connection, "filling", before, now)

        known = await connection.scalar(text("SELECT reltuples FROM pg_class WHERE relname = 'filling'"))

        assert known == (7 if counted else -1)
        await connection.execute(text("DROP TABLE filling"))


async def test_to_write_tables_anew_takes_the_time_it_takes(database: Database, database_url: str) -> None:
    """Here it waits for somebody who reads; a role with a `statement_timeout` would cut it off."""
    async with database.writing() as connection:
        name = await connection.scalar(text("SELECT current_database()"))
        await connection.execute(text(f"ALTER DATABASE {name} SET statement_timeout = '2s'"))
    hurried = Database(database_url)
    waiting = text("""
        SELECT count(*) FROM pg_stat_activity
        WHERE query LIKE 'CLUSTER%' AND wait_event_type = 'Lock' AND now() - query_start > interval '2500 ms'
    """)
    async with hurried.reading() as connection:
        with pytest.raises(DBAPIError, match="statement timeout"):
            await connection.execute(text("SELECT pg_sleep(60)"))

    async with database.reading() as reader:
        await reader.execute(text("SELECT * FROM lock"))
        compacting = asyncio.create_task(hurried.compact(["lock"]))
        async with asyncio.timeout(PATIENCE_SECONDS), database.reading() as other:
            while not await other.scalar(waiting):
                assert not compacting.done(), compacting.result()
                await other.rollback()
                await asyncio.sleep(0.01)
    assert await compacting is False  # somebody read
    assert await hurried.compact(["lock"])
    await hurried.close()
