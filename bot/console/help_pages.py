"""Help: the handbook in the console, with its pictures."""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from bot.console import handbook
from bot.console.door import Screen
from bot.console.visit import Visit, load_poll
from bot.staff.roles import Act


async def index(visit: Visit) -> Response:
    """Show the first page of the handbook."""
    return await _page(visit, handbook.INDEX)


async def show(visit: Visit) -> Response:
    """Show a page of the handbook."""
    return await _page(visit, visit.request.path_params["page"])


async def picture(visit: Visit) -> Response:
    """Show a picture."""
    named = visit.request.path_params
    found = handbook.picture(named["name"], named["language"])
    if found is None:
        raise HTTPException(404)
    return Response(found, media_type="image/webp", headers={"Cache-Control": "private, max-age=3600"})


async def _page(visit: Visit, name: str) -> Response:
    if name not in handbook.PAGES:
        raise HTTPException(404)
    async with visit.console.house.database.reading() as connection:
        wanted = visit.speech(await load_poll(connection)).language
        heading, text = handbook.rendered(name, wanted)
        return await visit.page(
            connection,
            "help.html",
            heading=heading,
            text=text,
            text_language=handbook.language_of(name, wanted),
            first=name == handbook.INDEX,
            index=handbook.ADDRESS,
        )


SCREENS: Final = (
    Screen("/help", Act.OPEN_CONSOLE, index),
    Screen("/help/{page}", Act.OPEN_CONSOLE, show),
    Screen("/help/pictures/{language}/{name}", Act.OPEN_CONSOLE, picture),
)
