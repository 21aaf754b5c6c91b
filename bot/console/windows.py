"""The delivery window: every version of it, and a new one."""

from datetime import date
from typing import Final

from starlette.responses import Response

from bot.console.door import Action, Screen
from bot.console.visit import Visit
from bot.staff.roles import Act
from messages.window_move import move_window
from voting.poll import window
from voting.refusals import WrongDay


async def show(visit: Visit) -> Response:
    """Show the versions, newest first, and the form of the next."""
    async with visit.console.house.database.reading() as connection:
        versions = await window.history(connection)
        return await visit.page(connection, "window.html", versions=versions[::-1], typed=visit.form)


async def set_new(visit: Visit) -> Response:
    """Set new days; notices about older ones are overtaken in the same transaction."""
    first, last = _day(visit.word("first_day")), _day(visit.word("last_day"))
    async with visit.console.house.database.writing() as connection:
        await move_window(connection, first, last, visit.word("reason"), by=visit.by)
    await visit.console.snapshots.expire()
    visit.console.desk.wake()
    return visit.back("/console/window?set=1")


def _day(raw: str) -> date:
    try:
        return date.fromisoformat(raw)
    except ValueError:
        raise WrongDay(day=raw or "–") from None


SCREENS: Final = (Screen("/window", Act.SEE_WINDOWS, show),)
ACTIONS: Final = (Action("/window", Act.SET_WINDOW, set_new, show),)
