"""Login and logout: a login link is shown before it is used.

Opening the link only shows a button. Chat apps fetch the links that they show, and a link that works once must not be
used up by such a request. With the button the browser gets a random value: a form that it posts twice by one press is
known by it.
"""

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.console import sessions, tongues
from bot.console.refusals import said
from bot.console.sessions import COOKIE, SESSION_LIFE
from bot.console.speech import Speech
from bot.console.visit import Console, FormWrong, Visit, load_poll, plain
from bot.staff import languages, login_links, tickets
from bot.staff.login_links import LoginLinkUnusable

BROWSER: Final = "ballotline_login"  # the cookie of who was shown the button
BROWSER_CHARACTERS_MAX: Final = 64
OURS_BEGIN: Final = "/console/"  # of an address on this site
OURS: Final = frozenset({None, "same-origin", "none"})  # of Sec-Fetch-Site; browsers before 2023 do not send it


@dataclass(frozen=True, slots=True)
class Entrance:
    """The routes that need no session, or end one; and the choice of a language."""

    console: Console

    async def show(self, request: Request) -> Response:
        """Show the button that uses the link."""
        answer = plain(self.console, request, "door.html", 200, token=request.path_params["token"])
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
            return plain(self.console, request, "door.html", 403, token=None)
        now = self.console.now()
        try:
            async with house.database.writing() as connection:
                staff = await login_links.redeem_login(
                    connection, house.secrets, request.path_params["token"], now, browser=_browser(request)
                )
                token = await sessions.begin(connection, house.secrets, staff, now)
        except LoginLinkUnusable as refusal:
            sentence = said(refusal, Speech(tongues.of_browser(request), now))
            return plain(self.console, request, "door.html", 409, token=None, refusal=sentence)
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
        tongues.remember(answer, staff.language, secure=self.console.https)
        return answer

    async def speak(self, visit: Visit) -> Response:
        """Speak another language with this person, here and in the chat; go back to the page they were on."""
        wanted = visit.word("language")
        async with self.console.house.database.writing() as connection:
            if wanted not in languages.spoken(await load_poll(connection)):
                raise FormWrong(field="language")
            await languages.choose(connection, visit.guest.staff.id, wanted)
        page = visit.word("again")
        answer = visit.back(page if page.startswith(OURS_BEGIN) else OURS_BEGIN)
        tongues.remember(answer, wanted, secure=self.console.https)
        return answer

    async def leave(self, visit: Visit) -> Response:
        """End the session."""
        async with self.console.house.database.writing() as connection:
            await sessions.end(connection, visit.guest, visit.now)
        speech = Speech(tongues.of_browser(visit.request), visit.now)
        answer = plain(self.console, visit.request, "door.html", 200, token=None, refusal=speech.t("door.logged_out"))
        answer.delete_cookie(COOKIE, path="/console")
        return answer


def _browser(request: Request) -> str:
    value = request.cookies.get(BROWSER, "")
    return value if len(value) <= BROWSER_CHARACTERS_MAX else ""
