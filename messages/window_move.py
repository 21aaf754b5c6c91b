"""The delivery window moves: new days are set, and what is not yet told of the older ones is stopped, as one act."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from messages.notices import supersede
from voting.model import By, Window
from voting.poll import window


@dataclass(frozen=True, slots=True)
class Moved:
    """The window as it is now, and how many messages about an older one will not be sent."""

    window: Window
    stopped: int


async def move_window(connection: AsyncConnection, first_day: date, last_day: date, reason: str, *, by: By) -> Moved:
    """Set the days between which packs arrive, both included, and end every notice of older days that is not done.

    In the caller's transaction. Refusals: those of `window.set_window`.
    """
    made = await window.set_window(connection, first_day, last_day, reason, by=by)
    return Moved(made, await supersede.older_than(connection, made.version, now=by.at))
