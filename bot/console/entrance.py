"""Login and logout: a login link is shown before it is used.

Opening the link only shows a button. Chat apps fetch the links that they show, and a link that works once must not be
used up by such a request. With the button the browser gets a random value: a form that it posts twice by one press is
known by it.
"""

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.console import sessions
from bot.console.sessions import COOKIE, SESSION_LIFE
from bot.console.visit import Console, Visit, plain
from bot.staff import login_links, tickets
from bot.staff.login_links import LoginLinkUnusable

BROWSER: Final = "ballotline_login"  # the cookie of who was shown the button
BROWSER_CHARACTERS_MAX: Final = 64
OURS: Final = frozenset({None, "same-origin", "none"})  # of Sec-Fetch-Site; browsers before 2023 do not send it


@dataclass(frozen=True, slots=True)
class Entrance:
    """The three routes that need no session, or end one."""

    console: Console

    async def show(self, request: Request) -> Response:
        """Show the button that uses the link."""
        answer = plain(self.console, "door.html", 200, token=request.path_params["token"])
        answer.set_cookie(
            BROWSER,
            _browser(request) or tickets.new_token(),
            max_age=int(login_links.LIFE.total_seconds()),
            path="/console/login",
            httponly=True,
            samesite="strict",
            secure=self.console.https,
        )
        return answer

    async def enter(self, request: Request) -> Response:
        """Use the link and begin a session."""
        house = self.console.house
        if request.headers.get("Sec-Fetch-Site") not in OURS:
            return plain(self.console, "door.html", 403, token=None)
        now = self.console.now()
        try:
            async with house.database.writing() as connection:
                staff = await login_links.redeem_login(
                    connection, house.secrets, request.path_params["token"], now, browser=_browser(request)
                )
                token = await sessions.begin(connection, house.secrets, staff, now)
        except LoginLinkUnusable as refusal:
            return plain(self.console, "door.html", 409, token=None, refusal=str(refusal))
        answer = RedirectResponse("/console/", status_code=303)
        answer.set_cookie(
            COOKIE,
            token,
            max_age=int(SESSION_LIFE.total_seconds()),
            path="/console",
            httponly=True,
            samesite="strict",
            secure=self.console.https,
        )
        return answer

    async def leave(self, visit: Visit) -> Response:
        """End the session."""
        async with self.console.house.database.writing() as connection:
            await sessions.end(connection, visit.guest, visit.now)
        answer = plain(self.console, "door.html", 200, token=None, refusal="You are logged out.")
        answer.delete_cookie(COOKIE, path="/console")
        return answer


def _browser(request: Request) -> str:
    value = request.cookies.get(BROWSER, "")
    return value if len(value) <= BROWSER_CHARACTERS_MAX else ""
