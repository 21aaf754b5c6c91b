"""The door of every page: who is it, may they, did the form come from our own page; and how a refusal is shown.

no session -> 401, how to log in        wrong role -> 403        a form without its token -> 403
a refusal  -> 409, one sentence on the page it came from        not there -> 404        ours broke -> 500
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Protocol

import structlog
from jinja2 import Environment
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot import schema as bot_schema
from bot.alerts.alerts import AlertGone
from bot.console import pages, sessions
from bot.console.sessions import COOKIE, VIA, Guest
from bot.console.snapshot import Snapshots
from bot.house import House
from bot.staff.enrolment import StaffUnknown
from bot.staff.roles import Act, NotYourRole, insist, may
from messages.words.refusal_words import refusal_text
from messages.words.texts import DEFAULT_LANGUAGE, MissingText
from voting import schema as voting_schema
from voting.model import By, Poll
from voting.poll import polls
from voting.refusals import CaseUnknown, NoPoll, NoticeUnknown, Refusal, StaffRefusal, UnknownMember

FIELDS_MAX: Final = 200
KEY_MAX: Final = 2**63 - 1
NOT_THERE: Final = (CaseUnknown, NoticeUnknown, StaffUnknown, AlertGone, UnknownMember)

log = structlog.get_logger()


class FormWrong(StaffRefusal):
    """The form is not complete: {field} is missing or cannot be read."""


class FormStale(StaffRefusal):
    """This page is from another session; nothing was done. Open it again and repeat what you did."""


class Desk(Protocol):
    """What the console needs of the staff's desk."""

    @property
    def wake(self) -> Callable[[], None]:
        """Give what rouses the postman when there is something new to send."""


@dataclass(frozen=True, slots=True)
class Console:
    """What all pages share."""

    house: House
    desk: Desk
    templates: Environment
    snapshots: Snapshots

    @property
    def https(self) -> bool:
        """Whether the console is reached over https."""
        return self.house.settings.public_url.startswith("https://")

    def now(self) -> datetime:
        """Give the time."""
        return self.house.clock()


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of somebody who may be here."""

    console: Console
    request: Request
    guest: Guest
    form: FormData = field(default_factory=FormData)
    refusal: str = ""
    status: int = 200

    @property
    def now(self) -> datetime:
        """Give the time."""
        return self.console.now()

    @property
    def by(self) -> By:
        """Give who acts, how and when, as every act asks for it."""
        return By(self.guest.staff.name, VIA, self.now)

    def path(self, name: str) -> int:
        """Give a number from the address."""
        return int(self.request.path_params[name])

    def asked(self, name: str) -> str:
        """Give a word from the address's query, empty when it is not there."""
        return self.request.query_params.get(name, "").strip()

    def asked_number(self, name: str) -> int | None:
        """Give a number from the query; None when it is not one."""
        raw = self.asked(name)
        return int(raw) if raw.isascii() and raw.isdecimal() and int(raw) <= KEY_MAX else None

    def word(self, name: str) -> str:
        """Give a field of the form, empty when it is not there."""
        value = self.form.get(name, "")
        return value.strip() if isinstance(value, str) else ""

    def number(self, name: str) -> int:
        """Give a number of the form; FormWrong."""
        raw = self.word(name)
        if not (raw.isascii() and raw.isdecimal()) or int(raw) > KEY_MAX:
            raise FormWrong(field=name)
        return int(raw)

    def upload(self, name: str) -> UploadFile:
        """Give a file of the form; FormWrong."""
        value = self.form.get(name)
        if not isinstance(value, UploadFile) or not value.filename:
            raise FormWrong(field=name)
        return value

    @property
    def is_fragment(self) -> bool:
        """Whether only a part of a page is asked for."""
        return self.request.headers.get("HX-Request") == "true"

    def may(self, act: Act) -> bool:
        """Tell whether this person is trusted with an act."""
        return may(self.guest.staff.role, act)

    async def page(self, connection: AsyncConnection, template: str, /, **facts: object) -> Response:
        """Show a whole page."""
        frame = await _frame(self, connection)
        return self._html(template, {**frame, **facts})

    async def part(self, connection: AsyncConnection, template: str, /, **facts: object) -> Response:
        """Show a part of a page."""
        poll = await _poll(connection)
        return self._html(template, {**_basics(self.console, poll, self.now), **self._own(), **facts})

    def back(self, address: str) -> Response:
        """Go to another page after something was done; reloading it does nothing again."""
        return RedirectResponse(address, status_code=303)

    def _own(self) -> dict[str, Any]:
        return {"who": self.guest.staff, "csrf": self.guest.csrf, "may": self.may, "Act": Act, "refusal": self.refusal}

    def _html(self, template: str, facts: Mapping[str, Any]) -> Response:
        return HTMLResponse(self.console.templates.get_template(template).render(facts), self.status)


Handler = Callable[[Visit], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Screen:
    """Something to look at: GET."""

    path: str
    act: Act
    show: Handler


@dataclass(frozen=True, slots=True)
class Deed:
    """Something to do: POST. `again` shows the page it is done from, with the sentence of a refusal."""

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


def open_deed(console: Console, deed: Deed) -> Endpoint:
    """Make the endpoint of a deed."""

    async def act(request: Request) -> Response:
        guest = await _guest(console, request)
        if guest is None:
            return await nobody(console, request)
        visit = Visit(console, request, guest)
        try:
            insist(guest.staff.role, deed.act)
        except NotYourRole as refusal:
            return await _refused(visit, refusal, 403)
        async with request.form(max_files=1, max_fields=FIELDS_MAX) as form:
            visit = replace(visit, form=form)
            if not _token_fits(visit):
                return await _refused(visit, FormStale(), 403)
            try:
                return await deed.do(visit)
            except Refusal as refusal:
                said = sentence(refusal, await zone_of(console))
            try:
                return await deed.again(replace(visit, refusal=said, status=409))
            except Refusal as refusal:
                return await _refused(visit, refusal, 404 if isinstance(refusal, NOT_THERE) else 409)

    return _guarded(console, act)


def _guarded(console: Console, endpoint: Endpoint) -> Endpoint:
    async def guarded(request: Request) -> Response:
        if any(isinstance(value, int) and value > KEY_MAX for value in request.path_params.values()):
            return plain(console, "missing.html", 404)
        try:
            return await endpoint(request)
        except HTTPException:
            raise
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        except Exception:  # the outermost edge of a page: the log has the details, the person a way on
            log.exception("a page of the console broke", page=request.scope["route"].path)
            return plain(console, "broken.html", 500)

    return guarded


async def nobody(console: Console, request: Request, *, refusal: str = "", status: int = 401) -> Response:
    """Say how to log in."""
    headers = {"HX-Refresh": "true"} if request.headers.get("HX-Request") else None
    return plain(console, "door.html", status, headers=headers, refusal=refusal, token=None)


def plain(
    console: Console, template: str, status: int, *, headers: Mapping[str, str] | None = None, **facts: object
) -> Response:
    """Show a page that needs nobody and no database."""
    facts = {"refusal": "", **facts}
    return HTMLResponse(console.templates.get_template(template).render(facts), status, headers=headers)


async def _guest(console: Console, request: Request) -> Guest | None:
    async with console.house.database.reading() as connection:
        return await sessions.find(connection, console.house.secrets, request.cookies.get(COOKIE), console.now())


def _token_fits(visit: Visit) -> bool:
    given = visit.request.headers.get("X-CSRF-Token") or visit.word("csrf")
    return hmac.compare_digest(given.encode(), visit.guest.csrf.encode())


async def _refused(visit: Visit, refusal: Refusal, status: int) -> Response:
    said = sentence(refusal, await zone_of(visit.console))
    shown = replace(visit, refusal=said, status=status)
    async with visit.console.house.database.reading() as connection:
        return await shown.page(connection, "refused.html")


def sentence(refusal: Refusal, zone: str) -> str:
    """Say a refusal in one sentence, its instants in this time zone."""
    try:
        return refusal_text(refusal, DEFAULT_LANGUAGE, zone)
    except MissingText:  # the staff's own refusals speak English only
        return str(refusal)


async def zone_of(console: Console) -> str:
    """Give the poll's time zone."""
    async with console.house.database.reading() as connection:
        poll = await _poll(connection)
    return poll.timezone if poll else pages.FALLBACK_ZONE


async def _poll(connection: AsyncConnection) -> Poll | None:
    try:
        return await polls.load(connection)
    except NoPoll:
        return None


def _basics(console: Console, poll: Poll | None, now: datetime) -> dict[str, Any]:
    zone = poll.timezone if poll else pages.FALLBACK_ZONE
    return {
        "poll": poll,
        "now": now,
        "zone": zone,
        "when": lambda value: pages.instant(value, zone, now),
        "span": pages.span,
        "ago": lambda value: pages.span((now - value).total_seconds()),
        "attributes": pages.attributes,
        "settings": console.house.settings,
    }


async def _frame(visit: Visit, connection: AsyncConnection) -> dict[str, Any]:
    """Gather what stands around every page."""
    poll = await _poll(connection)
    alert, case = bot_schema.alert, voting_schema.case
    alarms = select(func.count()).where(alert.c.ended_at.is_(None), alert.c.acknowledged_by.is_(None))
    open_cases = select(func.count()).select_from(case).where(case.c.state != "settled")
    return {
        **_basics(visit.console, poll, visit.now),
        **visit._own(),  # noqa: SLF001 - the frame is the visit's own
        "alarms": int(await connection.scalar(alarms) or 0),
        "open_cases": int(await connection.scalar(open_cases) or 0),
        "here": visit.request.url.path,
    }
