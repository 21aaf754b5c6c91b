"""The door of every page: who is it, may they, did the form come from our own page; and how a refusal is shown.

no session -> 401, how to log in        wrong role -> 403        a form without its token -> 403
a refusal  -> 409, one sentence on the page it came from        not there -> 404        ours broke -> 500
"""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from bot.alerts.alerts import AlertGone
from bot.console import sessions
from bot.console.sessions import COOKIE, Guest
from bot.console.visit import KEY_MAX, Console, Visit, plain
from bot.staff.enrolment import StaffUnknown
from bot.staff.roles import Act, NotYourRole, insist
from messages.refusals import NoticeUnknown
from voting.refusals import CaseUnknown, Refusal, StaffRefusal, UnknownMember

FIELDS_MAX: Final = 200
NOT_THERE: Final = (CaseUnknown, NoticeUnknown, StaffUnknown, AlertGone, UnknownMember)

log = structlog.get_logger()


class FormStale(StaffRefusal):
    """This page is from another session; nothing was done. Open it again and repeat what you did."""


Handler = Callable[[Visit], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Screen:
    """Something to look at: GET."""

    path: str
    act: Act
    show: Handler


@dataclass(frozen=True, slots=True)
class Action:
    """An action: POST. `again` shows the page it is done from, with the sentence of a refusal."""

    path: str
    act: Act
    do: Handler
    again: Handler


Endpoint = Callable[[Request], Awaitable[Response]]


def open_screen(console: Console, screen: Screen) -> Endpoint:
    """Make the endpoint of a screen."""

    async def look(request: Request) -> Response:
        guest = await _guest(console, request)
        if guest is None:
            return await nobody(console, request)
        visit = Visit(console, request, guest)
        try:
            insist(guest.staff.role, screen.act)
            return await screen.show(visit)
        except NotYourRole as refusal:
            return await _refused(visit, refusal, 403)
        except Refusal as refusal:
            return await _refused(visit, refusal, 404 if isinstance(refusal, NOT_THERE) else 409)

    return _guarded(console, look)


def open_action(console: Console, action: Action) -> Endpoint:
    """Make the endpoint of an action."""

    async def act(request: Request) -> Response:
        guest = await _guest(console, request)
        if guest is None:
            return await nobody(console, request)
        visit = Visit(console, request, guest)
        try:
            insist(guest.staff.role, action.act)
        except NotYourRole as refusal:
            return await _refused(visit, refusal, 403)
        async with request.form(max_files=1, max_fields=FIELDS_MAX) as form:
            visit = replace(visit, form=form)
            if not _token_fits(visit):
                return await _refused(visit, FormStale(), 403)
            try:
                return await action.do(visit)
            except Refusal as refusal:
                again = replace(await visit.refused(refusal), status=409)
            try:
                return await action.again(again)
            except Refusal as refusal:
                return await _refused(visit, refusal, 404 if isinstance(refusal, NOT_THERE) else 409)

    return _guarded(console, act)


def _guarded(console: Console, endpoint: Endpoint) -> Endpoint:
    async def guarded(request: Request) -> Response:
        if any(isinstance(value, int) and value > KEY_MAX for value in request.path_params.values()):
            return plain(console, request, "missing.html", 404)
        try:
            return await endpoint(request)
        except HTTPException:
            raise
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        except Exception:  # the outermost edge of a page: the log has the details, the person a way on
            log.exception("a page of the console broke", page=request.scope["route"].path)
            return plain(console, request, "broken.html", 500)

    return guarded


async def nobody(console: Console, request: Request) -> Response:
    """Say how to log in."""
    headers = {"HX-Refresh": "true"} if request.headers.get("HX-Request") else None
    return plain(console, request, "door.html", 401, headers=headers, token=None)


async def _guest(console: Console, request: Request) -> Guest | None:
    async with console.house.database.reading() as connection:
        return await sessions.find(connection, console.house.secrets, request.cookies.get(COOKIE), console.now())


def _token_fits(visit: Visit) -> bool:
    given = visit.request.headers.get("X-CSRF-Token") or visit.word("csrf")
    return hmac.compare_digest(given.encode(), visit.guest.csrf.encode())


async def _refused(visit: Visit, refusal: Refusal, status: int) -> Response:
    shown = replace(await visit.refused(refusal), status=status)
    async with visit.console.house.database.reading() as connection:
        return await shown.page(connection, "refused.html")
