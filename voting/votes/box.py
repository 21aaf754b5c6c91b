"""From the tray to the box: ballots are mixed in a pool, a random part is moved under fresh ids in a shuffled order.

A pool, not a queue: at each move a random MOVE_AT_ONCE of at least POOL_AT_LEAST ballots go, so that which ballots
moved together says little about when they were cast; the rest moves at the close. The digest of each move is on the
chain; what cannot be hidden from somebody who copies the database all the time is said in SECURITY.md.
"""

import hashlib
import secrets as randomness
from datetime import datetime
from typing import Final

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.audit import chain
from voting.model import By
from voting.store.database import Database

POOL_AT_LEAST: Final = 500
MOVE_AT_ONCE: Final = 250
BALLOT_ID_BYTES: Final = 16

_RANDOM: Final = randomness.SystemRandom()


async def move_tray(
    database: Database, *, now: datetime, at_least: int = POOL_AT_LEAST, take: int = MOVE_AT_ONCE
) -> int:
    """Move ballots while the tray holds `at_least`; return how many moved."""
    moved = 0
    while True:
        async with database.writing() as connection:
            if (await _tray_size(connection)) < at_least:
                return moved
            moved += await _move(connection, take, now)


async def empty_tray(database: Database, *, now: datetime) -> int:
    """Move every ballot, at the close; return how many moved."""
    async with database.writing() as connection:
        return await _move(connection, None, now)


async def _tray_size(connection: AsyncConnection) -> int:
    return int(await connection.scalar(select(func.count()).select_from(schema.tray)) or 0)


async def _move(connection: AsyncConnection, take: int | None, now: datetime) -> int:
    everything = (await connection.execute(select(schema.tray).with_for_update(skip_locked=True))).all()
    chosen = _RANDOM.sample(everything, len(everything) if take is None else min(take, len(everything)))
    if not chosen:
        return 0
    boxed = [{"id": randomness.token_bytes(BALLOT_ID_BYTES), "sealed": row.sealed} for row in chosen]
    await connection.execute(insert(schema.box), boxed)
    for first in range(0, len(chosen), MOVE_AT_ONCE):
        ids = [row.id for row in chosen[first : first + MOVE_AT_ONCE]]
        await connection.execute(delete(schema.tray).where(schema.tray.c.id.in_(ids)))
    digest = hashlib.sha256(b"".join(sorted(row.sealed for row in chosen))).hexdigest()
    await chain.append(connection, "ballots_boxed", {"n": len(chosen), "sealed": digest}, by=By.system(now))
    return len(chosen)
