"""INSERT as the two engines spell it: one that can meet a row already there, and one for hundreds of rows at once."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


def insert_into(connection: AsyncConnection, table: Table) -> Any:  # noqa: ANN401 - two classes with the same methods
    """Begin an INSERT with on_conflict_do_nothing and on_conflict_do_update for this connection's engine."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    return make(table)


async def insert_rows(
    connection: AsyncConnection, table: Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert rows as the driver takes them: instants in microseconds, no defaults, nothing given back.

    Compiled values cost several microseconds a row, which is most of what storing a vote would cost.
    """
    await connection.exec_driver_sql(_plain_insert(table.name, columns, connection.dialect.name), list(rows))


@lru_cache(maxsize=64)
def _plain_insert(table: str, columns: tuple[str, ...], engine: str) -> str:
    marks = [f"${place}" if engine == "postgresql" else "?" for place in range(1, len(columns) + 1)]
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(marks)})"  # noqa: S608 - names of ours
