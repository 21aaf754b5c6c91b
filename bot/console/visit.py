"""One request to the console: who asks, what the form and the address say, and how a page is shown in answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from jinja2 import Environment
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot import schema as bot_schema
from bot.console import pages, tongues
from bot.console.notice_counts import NoticeCounts
from bot.console.refusals import said
from bot.console.sessions import VIA, Guest
from bot.console.snapshot import Snapshots
from bot.console.speech import Speech
from bot.house import House
from bot.staff import languages
from bot.staff.roles import Act, may
from voting import schema as voting_schema
from voting.local_time import instant_of
from voting.model import By, Poll
from voting.poll import polls
from voting.refusals import NoPoll, Refusal, StaffRefusal

KEY_MAX: Final = 2**63 - 1


class FormWrong(StaffRefusal):
    """The form is not complete: {field} is missing or cannot be read."""


class Desk(Protocol):
    """What the console needs of the staff's desk."""

    @property
    def wake(self) -> Callable[[], None]:
        """Give what wakes the postman when there is something new to send."""


@dataclass(frozen=True, slots=True)
class Console:
    """What all pages share."""

    house: House
    desk: Desk
    templates: Environment
    snapshots: Snapshots
    notice_counts: NoticeCounts = field(default_factory=NoticeCounts)

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
        """Give a field of the form, empty when it is not there. FormWrong."""
        value = self.form.get(name, "")
        if not isinstance(value, str):
            return ""
        if "\0" in value:  # PostgreSQL has no text with it
            raise FormWrong(field=name)
        return value.strip()

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

    def speech(self, poll: Poll | None) -> Speech:
        """Give how this person is spoken to."""
        language = languages.fitting(self.guest.staff.language, poll)
        return Speech(language, self.now) if poll is None else Speech(language, self.now, poll.timezone)

    async def page(self, connection: AsyncConnection, template: str, /, **facts: object) -> Response:
        """Show a whole page."""
        poll = await load_poll(connection)
        return _html(
            self, template, {**_basics(self, poll), **await _waiting(connection), **_frame(self, poll), **facts}
        )

    async def part(self, connection: AsyncConnection, template: str, /, **facts: object) -> Response:
        """Show a part of a page."""
        return _html(self, template, {**_basics(self, await load_poll(connection)), **facts})

    async def refused(self, refusal: Refusal) -> "Visit":
        """Give this visit with a refusal that its page will say."""
        async with self.console.house.database.reading() as connection:
            speech = self.speech(await load_poll(connection))
        return replace(self, refusal=said(refusal, speech))

    def back(self, address: str) -> Response:
        """Go to another page after something was done; reloading it does nothing again."""
        return RedirectResponse(address, status_code=303)


def _frame(visit: Visit, poll: Poll | None) -> dict[str, Any]:
    """Give what only a whole page has around it."""
    asked = visit.request.url
    looks = visit.request.method == "GET"
    return {
        "here": asked.path,
        "again": f"{asked.path}?{asked.query}".rstrip("?") if looks else "/console/",
        "others": [tag for tag in languages.spoken(poll) if tag != visit.speech(poll).language],
    }


def _basics(visit: Visit, poll: Poll | None) -> dict[str, Any]:
    return {
        **pages.spoken(visit.speech(poll)),
        "poll": poll,
        "settings": visit.console.house.settings,
        "who": visit.guest.staff,
        "csrf": visit.guest.csrf,
        "may": visit.may,
        "Act": Act,
        "refusal": visit.refusal,
    }


def _html(visit: Visit, template: str, facts: Mapping[str, Any]) -> Response:
    return HTMLResponse(visit.console.templates.get_template(template).render(facts), visit.status)


def plain(
    console: Console,
    request: Request,
    template: str,
    status: int,
    *,
    headers: Mapping[str, str] | None = None,
    **facts: object,
) -> Response:
    """Show a page that needs nobody and no database, in the language of the browser."""
    speech = Speech(tongues.of_browser(request), console.now())
    facts = {"refusal": "", **pages.spoken(speech), **facts}
    return HTMLResponse(console.templates.get_template(template).render(facts), status, headers=headers)


async def load_poll(connection: AsyncConnection) -> Poll | None:
    """Give the poll, None while there is none."""
    try:
        return await polls.load(connection)
    except NoPoll:
        return None


async def _waiting(connection: AsyncConnection) -> dict[str, int]:
    """Count what waits for somebody, for the head of every page."""
    alert, case = bot_schema.alert, voting_schema.case
    alarms = select(func.count()).where(alert.c.ended_at.is_(None), alert.c.acknowledged_by.is_(None))
    open_cases = select(func.count()).select_from(case).where(case.c.state != "settled")
    return {
        "alarms": int(await connection.scalar(alarms) or 0),
        "open_cases": int(await connection.scalar(open_cases) or 0),
    }


def read_time(visit: Visit, name: str, poll: Poll) -> datetime | None:
    """Read a date and time as the browser sends it, in a form or an address: local, in the poll's zone.

    None when it is empty. FormWrong, HourComesTwice, HourSkipped.
    """
    raw, which = (visit.word(field) or visit.asked(field) for field in (name, f"{name}_which"))
    if not raw:
        return None
    try:
        return instant_of(datetime.fromisoformat(raw), ZoneInfo(poll.timezone), which=which)
    except (ValueError, OverflowError):
        raise FormWrong(field=name) from None
