"""Keeps the keys of past hours no longer than something that waits needs them.

What waits is the inbox, codes held for the other code of their pack, and open papers. What nobody comes back for is
forgotten first, and papers are closed anew, so that one person who walks away holds nothing back for all.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.house import House
from bot.member.chats import STEP_LIFE
from bot.member.code_desk import HELD, HELD_PACK, PURPOSES
from bot.schema import chat, inbox
from voting.hour_keys import HourKeys, closed_in, hour_bytes
from voting.votes.waiting_papers import close_papers_anew, forget_old_papers, oldest_paper

KEPT: Final = timedelta(hours=1)  # at least, for what is being stored or read just now

_HELD: Final[tuple[ColumnElement[str], ...]] = tuple(chat.c.facts[name].as_string() for name in (HELD, HELD_PACK))
_HOLDING: Final = (chat.c.step.in_([step.value for step in PURPOSES]), or_(*(held.is_not(None) for held in _HELD)))


async def oldest_needed(connection: AsyncConnection, hours: HourKeys, now: datetime) -> datetime:
    """Give the oldest moment whose key is still needed: an hour ago, or when something was closed that still waits.

    A row is asked for before what its handling leaves behind, so that nothing on its way from one to the other is
    missed. What was closed before the oldest key cannot be opened, and holds nothing back.
    """
    since = hour_bytes(hours.oldest)
    waiting = select(inbox.c.payload).where(inbox.c.state == "new", inbox.c.payload >= since)
    row = (await connection.execute(waiting.order_by(inbox.c.payload).limit(1))).scalar()
    codes = [await connection.scalar(select(func.min(held)).where(*_HOLDING, since.hex() <= held)) for held in _HELD]
    paper = await oldest_paper(connection, hours.oldest)
    found = [row, paper, *(bytes.fromhex(held) for held in codes if held is not None)]
    return min([now - KEPT, *(closed_in(closed) for closed in found if closed is not None)])


@dataclass(frozen=True, slots=True)
class HoursKeeper:
    """Erases the keys of past hours."""

    house: House

    async def keep(self) -> None:
        """Forget what nobody comes back for, erase each key that nothing needs, close papers anew for the next time."""
        database, hours, now = self.house.database, self.house.secrets.hours, self.house.clock()
        async with database.writing() as connection:
            await forget_old_papers(connection, now)
            await _forget_held(connection, now)
        async with database.reading() as connection:
            oldest = await oldest_needed(connection, hours, now)
        await asyncio.to_thread(hours.forget_before, oldest)
        await close_papers_anew(database, hours, now)


async def _forget_held(connection: AsyncConnection, now: datetime) -> None:
    """Forget held codes whose conversation has lapsed, also for what was received and is not handled yet."""
    waiting = await connection.scalar(select(func.min(inbox.c.received_at)).where(inbox.c.state == "new"))
    lapsed = min(now, waiting or now) - STEP_LIFE
    nothing: dict[str, Any] = {"facts": {}}
    await connection.execute(update(chat).where(*_HOLDING, chat.c.step_at < lapsed).values(nothing))
