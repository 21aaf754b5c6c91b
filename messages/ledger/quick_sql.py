"""Run the ledger's two frequent statements with one call to SQLite's thread; SQLAlchemy needs four.

They run in the caller's transaction, on the caller's connection. Rows come as the driver gives them, without types.
Measured on SQLite, settle and claim together: processor time 0.49 ms instead of 0.93 with one row in a transaction,
1.04 instead of 1.50 with 16, 6.0 instead of 6.8 with 200. The database's one writer is free sooner, too.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, as each engine wants it; parameters are `:named`."""

    sqlite: str
    postgresql: str
    clause: TextClause = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "clause", text(self.postgresql))


async def fetch(
    connection: AsyncConnection, statement: Statement, values: Mapping[str, Any]
) -> Sequence[Sequence[Any]]:
    """Run a statement and give all its rows; DBAPIError as SQLAlchemy would raise it."""
    if connection.dialect.name == "postgresql":
        return (await connection.execute(statement.clause, values)).all()
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None
    try:
        return list(await driver.execute_fetchall(statement.sqlite, values))
    except sqlite3.Error as problem:
        raise DBAPIError.instance(statement.sqlite, None, problem, sqlite3.Error) from problem
