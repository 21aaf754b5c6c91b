"""The console's table of routes: every page and every action, with the act that says which roles may."""

from collections.abc import Sequence

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from bot.console import cases, chain_page, channels, help_pages, members, overview, packs, people, windows
from bot.console.door import Action, Screen, open_action, open_screen
from bot.console.entrance import Entrance
from bot.console.headers import SecurityHeaders
from bot.console.imports import Imports
from bot.console.lists import SCREENS as LISTS
from bot.console.notices import Notices
from bot.console.pages import FOLDER, environment
from bot.console.snapshot import Snapshots
from bot.console.visit import Console, Desk, plain
from bot.house import House
from bot.staff.roles import Act


def console_routes(house: House, staff_desk: Desk, snapshots: Snapshots | None = None) -> list[BaseRoute]:
    """Give the routes of `/console`; `snapshots` that somebody counts before the first visit, if anybody does."""
    console = Console(house, staff_desk, environment(), snapshots or Snapshots(house))
    screens, actions = table(console)
    entrance = Entrance(console)

    async def missing(request: Request) -> Response:
        return plain(console, request, "missing.html", 404)

    routes: list[BaseRoute] = [
        Route("/login/{token:str}", entrance.show, methods=["GET"]),
        Route("/login/{token:str}", entrance.enter, methods=["POST"]),
        *(Route(screen.path, open_screen(console, screen), methods=["GET"]) for screen in screens),
        *(Route(action.path, open_action(console, action), methods=["POST"]) for action in actions),
        Mount("/static", _Kept(directory=FOLDER / "static")),
        Route("/{path:path}", missing),
    ]
    https = house.settings.public_url.startswith("https://")

    async def home(_request: Request) -> Response:
        return RedirectResponse("/console/")

    return [
        Route("/console", home, methods=["GET"]),
        Mount("/console", routes=routes, middleware=[Middleware(SecurityHeaders, https=https)]),
    ]


def table(console: Console) -> tuple[Sequence[Screen], Sequence[Action]]:
    """Give every page and every action; the test of roles walks it."""
    notices, imports, entrance = Notices(console), Imports(console), Entrance(console)
    screens = (
        *overview.SCREENS,
        *notices.screens(),
        *members.SCREENS,
        *channels.SCREENS,
        *windows.SCREENS,
        *packs.SCREENS,
        *cases.SCREENS,
        *imports.screens(),
        *people.SCREENS,
        *chain_page.SCREENS,
        *help_pages.SCREENS,
        *LISTS,
    )
    actions = (
        *overview.ACTIONS,
        *notices.actions(),
        *members.ACTIONS,
        *channels.ACTIONS,
        *windows.ACTIONS,
        *chain_page.ACTIONS,
        *packs.ACTIONS,
        *cases.ACTIONS,
        *imports.actions(),
        *people.ACTIONS,
        Action("/language", Act.OPEN_CONSOLE, entrance.speak, overview.show),
        Action("/logout", Act.OPEN_CONSOLE, entrance.leave, overview.show),
    )
    return screens, actions


class _Kept(StaticFiles):
    """Static files under an address that changes with their content: a browser keeps them."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return answer
