"""The engine: one way to read, one way to write, the same on SQLite and PostgreSQL.

Reading sees one committed state. Writing is one transaction that is durable when it returns: WAL with
synchronous=FULL on SQLite (https://sqlite.org/pragma.html#pragma_synchronous), PostgreSQL's default
synchronous_commit. On SQLite writers take their turn with BEGIN IMMEDIATE: a transaction never fails
half-way because somebody else wrote first.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol

from sqlalchemy import Connection, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from voting.store import postgres, sqlite_connection
from voting.store.postgres import POOL_SIZE
from voting.store.sqlite_connection import OneHopConnection

BUSY_TIMEOUT_MILLISECONDS: Final = 30_000
COMPACT_WAIT_MILLISECONDS: Final = 2_000  # for whoever reads; then the log stays, and it is said


VERSIONS: Final = "alembic_version"  # the table that says at which revision a database is
HEAD: Final = "ballotline_head"  # in a connection's `info`: what `Keeper.keep` takes, of this transaction
SIGNER: Final = "ballotline_signer"  # the execution option under which a connection carries its signer
MEMORY: Final = "ballotline_memory"  # and this one a dict: what this process has read of the database already


class Keeper(Protocol):
    """Who keeps the head of the chain outside the database."""

    def keep(self, seq: int, digest: bytes, given_up: bytes | None, /) -> None:
        """Make the head durable, also in place of the one given up; blocks."""


class Database:
    """Connections to one database; `url` is SQLAlchemy's, with aiosqlite or asyncpg as driver.

    Without a `signer` nothing can be appended to the chain (see `voting.audit.signer`).
    """

    def __init__(self, url: str | URL, signer: Keeper | None = None) -> None:
        self.url: Final = make_url(url)
        self.signer: Final = signer
        self.is_sqlite: Final = self.url.get_backend_name() == "sqlite"
        self.engine: Final[AsyncEngine] = _sqlite_engine(url) if self.is_sqlite else postgres.make_engine(url)
        self.engine.sync_engine.update_execution_options(**{SIGNER: signer, MEMORY: {}})
        self._turn = asyncio.Lock()  # SQLite has one writer: queue here, not in its busy handler
        self._writer: AsyncConnection | None = None

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Yield a connection for reading; whatever it writes is rolled back."""
        async with self.engine.connect() as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Yield a connection in a transaction: committed and durable at the end, or rolled back whole.

        When entries were appended to the chain their head is kept outside the database before this returns.
        """
        async with self._transaction() as connection:
            connection.info.pop(HEAD, None)
            yield connection
            head = connection.info.pop(HEAD, None)
        if head is not None and self.signer is not None:
            await asyncio.to_thread(self.signer.keep, *head)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        if not self.is_sqlite:
            async with self.engine.begin() as connection:
                yield connection
            return
        async with self._turn:
            connection = await self._writer_now()
            try:
                async with connection.begin():
                    yield connection
            except BaseException:
                self._writer = None
                await asyncio.shield(connection.close())  # to the pool, whatever state it is in: that is reset there
                raise

    async def writers_turn(self) -> None:
        """Wait until whoever writes now is done; somebody else may still be faster. On SQLite; others need no turns."""
        if self._turn.locked():
            async with self._turn:
                return

    async def _writer_now(self) -> AsyncConnection:
        """Give the one connection that writes: getting it from the pool costs as much as a short transaction."""
        if self._writer is None:
            connection = await self.engine.connect()
            self._writer = await connection.execution_options(ballotline_writes=True)
        return self._writer

    async def compact(self, tables: Iterable[str]) -> bool:
        """Write tables anew, so that nothing deleted or overwritten is left in free pages, dead rows or the log.

        PostgreSQL's rows then lie in the order of their primary keys, not of their insertion; SQLite writes every
        table. False while another connection still reads what was there before: do it again. Outside transactions.
        """
        async with self.engine.connect() as connection:
            if not self.is_sqlite:
                return await postgres.cluster(connection, tables)
            async with self._turn:
                driver = (await connection.get_raw_connection()).driver_connection
                assert driver is not None
                await driver.execute_fetchall(f"PRAGMA busy_timeout={COMPACT_WAIT_MILLISECONDS}")
                try:
                    await driver.execute_fetchall("VACUUM")
                    [checkpoint] = await driver.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
                    return bool(checkpoint[0] == 0)  # 1: somebody is in the way
                finally:
                    await driver.execute_fetchall(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MILLISECONDS}")

    async def close(self) -> None:
        """Close every connection."""
        if self._writer is not None:
            await self._writer.close()
            self._writer = None
        await self.engine.dispose()


def _sqlite_engine(url: str | URL) -> AsyncEngine:
    engine = create_async_engine(
        url, pool_size=POOL_SIZE, max_overflow=0, connect_args={"async_creator_fn": sqlite_connection.connect}
    )

    @event.listens_for(engine.sync_engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
        connection.isolation_level = None  # we say BEGIN ourselves, below
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MILLISECONDS}")
        if _may_be_ours(cursor):
            cursor.execute("PRAGMA journal_mode=WAL")
        for pragma in (
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",  # what was forgotten is not left readable in a free page
            "recursive_triggers=ON",  # REPLACE fires delete triggers too
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("ballotline_writes", False)
        driver = connection.connection.driver_connection
        assert isinstance(driver, OneHopConnection)
        driver.begin("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _may_be_ours(cursor: Any) -> bool:  # noqa: ANN401 - the driver's own type
    """Tell a database of ours, or an empty file, from somebody else's: theirs stays as it is, byte for byte."""
    cursor.execute("SELECT count(*), count(*) FILTER (WHERE name = ?) FROM sqlite_master", (VERSIONS,))
    [(things, versions)] = cursor.fetchall()
    return bool(versions) or not things
