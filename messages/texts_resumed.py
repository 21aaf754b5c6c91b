"""Texts that the account's limit for a day holds back, let go by an officer before the day is over.

The hold is the pace holder's, in whichever process that is: it sees the wish at its next beat, within a second. If the
limit was not raised, Twilio's next answer holds texts again.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from messages.refusals import NoReasonGiven
from messages.schema import pacer
from voting.audit import chain
from voting.model import By
from voting.refusals import StaffRefusal
from voting.typed_text import one_line

LONG: Final = timedelta(minutes=1)  # a shorter hold ends before anybody could read of it
_TEXTS: Final = pacer.c.provider == "twilio"


class TextsNotHeld(StaffRefusal):
    """Texts are not held back."""


async def held_until(connection: AsyncConnection, now: datetime) -> datetime | None:
    """Give until when texts are held back; None when they go, or will in a moment."""
    until: datetime | None = await connection.scalar(
        select(pacer.c.hold_until).where(_TEXTS, pacer.c.lifted_at.is_(None))
    )
    return until if until is not None and until > now + LONG else None


async def resume(connection: AsyncConnection, reason: str, *, by: By) -> datetime:
    """Let them go; return until when they were held. NoReasonGiven, TextsNotHeld."""
    why = one_line(reason)
    if not why:
        raise NoReasonGiven
    await connection.execute(select(pacer.c.provider).where(_TEXTS).with_for_update())
    until = await held_until(connection, by.at)
    if until is None:
        raise TextsNotHeld
    await connection.execute(update(pacer).where(_TEXTS).values(hold_until=None, lifted_at=by.at))
    await chain.append(connection, "texts_resumed", {"held_until": until.isoformat(), "reason": why}, by=by)
    return until
