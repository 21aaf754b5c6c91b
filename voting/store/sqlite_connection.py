"""An aiosqlite connection with one call to its thread per statement, which runs it and brings its rows back.

Otherwise making a cursor, executing, fetching and closing are four calls to the connection's thread, a transaction
begins and ends with two more, and for small statements the calls cost more than the work.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, Final

import aiosqlite

BROUGHT_MAX: Final = 2_000  # rows that come back with the statement; of a longer answer the rest is fetched later


class OneHopCursor(aiosqlite.Cursor):
    """A cursor whose first rows are there when its statement is done."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self.iter_chunk_size = BROUGHT_MAX
        self._conn = connection
        self._brought: list[Any] = []
        self._more = False

    async def execute(self, sql: str, parameters: Iterable[Any] | None = None) -> "OneHopCursor":
        """Execute one statement and bring its first rows."""
        await self._hop(self._run, sql, () if parameters is None else parameters)
        return self

    async def executemany(self, sql: str, parameters: Iterable[Iterable[Any]]) -> "OneHopCursor":
        """Execute one statement for each of the rows given."""
        await self._hop(self._run_many, sql, parameters)
        return self

    async def fetchone(self) -> Any:  # noqa: ANN401 - the driver's own rows, here and below
        """Give the next row, or None."""
        rows = await self.fetchmany(1)
        return rows[0] if rows else None

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        """Give the next rows, fewer than `size` only at the end."""
        wanted = self.arraysize if size is None else size
        if self._more and len(self._brought) < wanted:
            missing = max(wanted - len(self._brought), BROUGHT_MAX)
            more = await self._hop(self._cursor.fetchmany, missing)
            self._brought += more
            self._more = len(more) == missing
        given, self._brought = self._brought[:wanted], self._brought[wanted:]
        return given

    async def fetchall(self) -> list[Any]:
        """Give all rows that are left."""
        if self._more:
            self._brought += await self._hop(self._cursor.fetchall)
            self._more = False
        given, self._brought = self._brought, []
        return given

    async def close(self) -> None:
        """Close the cursor: the thread is called only for a statement that is not at its end."""
        self._brought = []
        if self._more:
            self._more = False
            await self._hop(self._cursor.close)

    async def _hop(self, work: Callable[..., Any], *given: object) -> Any:  # noqa: ANN401 - whatever the work gives
        return await self._conn._execute(work, *given)  # type: ignore[no-untyped-call]  # noqa: SLF001 - by inheritance

    def _run(self, sql: str, parameters: Any) -> None:  # noqa: ANN401 - what sqlite3 takes
        self._cursor = self._conn._conn.execute(sql, parameters)  # noqa: SLF001 - as above
        if self._cursor.description is not None:
            self._brought = self._cursor.fetchmany(BROUGHT_MAX)
            self._more = len(self._brought) == BROUGHT_MAX

    def _run_many(self, sql: str, parameters: Any) -> None:  # noqa: ANN401 - what sqlite3 takes
        self._cursor = self._conn._conn.executemany(sql, parameters)  # noqa: SLF001 - as above


class OneHopConnection(aiosqlite.Connection):
    """A connection whose cursors cost nothing before and after their statement, and whose transactions little.

    A transaction begins with its first statement, in the same call, and nobody waits for its rollback: whatever comes
    next on this connection comes after it.
    """

    _begin: str | None = None  # what begins the transaction that was asked for, until its first statement
    _begun = False  # a transaction was handed to the thread, and not yet its end

    async def _connect(self) -> "OneHopConnection":
        """Open the database. When there is none, end the thread first: it would report to a loop that may be closed."""
        try:
            await super()._connect()
        except sqlite3.Error:
            await asyncio.to_thread(self._thread.join)
            raise
        return self

    def begin(self, statement: str) -> None:
        """Begin a transaction with the next statement."""
        self._begin = statement

    async def commit(self) -> None:
        """Commit; return when it is durable."""
        self._begin = None  # nothing was asked of it
        if self._begun:
            await super().commit()
            self._begun = False

    async def rollback(self) -> None:
        """Have what was begun rolled back. It cannot fail unless the next statement does."""
        self._begin = None
        if self._begun:
            self._begun = False
            self._tx.put_nowait((None, self._roll_back))

    def cursor(self) -> OneHopCursor:  # type: ignore[override]  # SQLAlchemy enters it; nobody awaits it
        """Give a cursor; its counterpart in the thread comes with the first statement."""
        return OneHopCursor(self)

    async def _execute(self, fn: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as it inherits
        begin, self._begin = self._begin, None
        if begin is None:
            return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]
        self._begun = True
        return await super()._execute(self._begin_with, begin, fn, *args, **kwargs)  # type: ignore[no-untyped-call]

    def _begin_with(self, begin: str, work: Callable[..., Any], *given: Any, **named: Any) -> Any:  # noqa: ANN401 - as above
        self._conn.execute(begin)
        return work(*given, **named)

    def _roll_back(self) -> None:
        if self._conn.in_transaction:
            self._conn.rollback()


def connect(database: str | Path, **named: Any) -> OneHopConnection:  # noqa: ANN401 - sqlite3.connect's own arguments
    """Open a database, as aiosqlite's connect does."""
    connection = OneHopConnection(partial(sqlite3.connect, database, **named), BROUGHT_MAX)
    connection._thread.daemon = True  # noqa: SLF001 - as SQLAlchemy does with its own
    return connection
