"""Transactions of one kind, one after the other, where what each reads must not change before it writes."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


async def wait_for_turn(connection: AsyncConnection, turn: int) -> None:
    """Wait until no other transaction has this turn, and keep it to the end; on SQLite a writer is alone anyway."""
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": turn})
