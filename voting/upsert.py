"""INSERT that can meet a row already there: the two engines spell it alike, SQLAlchemy keeps them apart."""

from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


def insert_into(connection: AsyncConnection, table: Table) -> Any:  # noqa: ANN401 - two classes with the same methods
    """Begin an INSERT with on_conflict_do_nothing and on_conflict_do_update for this connection's engine."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    return make(table)
