"""Close the poll once everything that members sent before is handled: a press received in time is a vote."""

import asyncio
from typing import Final

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.schema import inbox
from voting.model import By, Poll
from voting.poll import polls
from voting.refusals import Refusal
from voting.store.database import Database

WAIT_SECONDS: Final = 20.0  # for what was received before
LOOK_EVERY_SECONDS: Final = 0.25  # another process may be handling it


class StillHandling(Refusal):
    """{count} messages that came before this moment are not handled yet. Let `ballotline run` go on and close again."""


async def close_poll(database: Database, *, by: By, wait_seconds: float = WAIT_SECONDS) -> Poll:
    """Close the poll as of `by.at`. StillHandling after `wait_seconds`; PollNotOpen, PollOver."""
    last = asyncio.get_running_loop().time() + wait_seconds
    while True:
        async with database.writing() as connection:
            waiting = await _waiting(connection, by)
            if not waiting:
                return await polls.close_poll(connection, by=by)
        if asyncio.get_running_loop().time() >= last:
            raise StillHandling(count=waiting)
        await asyncio.sleep(LOOK_EVERY_SECONDS)


async def _waiting(connection: AsyncConnection, by: By) -> int:
    """Count what was received before and is not handled; nothing more is stored until this transaction ends."""
    if connection.dialect.name == "postgresql":
        await connection.execute(text("LOCK TABLE inbox IN SHARE MODE"))
    mine = (inbox.c.state == "new", inbox.c.source == "telegram", inbox.c.received_at < by.at)
    return int(await connection.scalar(select(func.count()).where(*mine)) or 0)
