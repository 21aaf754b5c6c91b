"""Lists that a members' office works through: each a page at a time, and whole as a CSV file."""

import io
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import PhoneNumberFormat
from sqlalchemy import ColumnElement, Select
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response, StreamingResponse

from bot.console import office
from bot.console.door import Screen
from bot.console.listed import list_page
from bot.console.office import Office
from bot.console.pages import member_address
from bot.console.speech import Speech
from bot.console.visit import Visit, load_poll
from bot.staff.roles import Act
from bot.staff.turnout import STEP, Turnout
from voting.imports.report import PeoplesCsv
from voting.schema import member

PAGE: Final = 50
ROWS_AT_ONCE: Final = 500
PIECE_CHARACTERS: Final = 65_536
SPREADSHEETS_MARK: Final = "\ufeff"  # without it a spreadsheet takes UTF-8 for something else


Cell = str | int | date | datetime | None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a list, and where more of it is."""

    cells: tuple[Cell, ...]
    address: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list. `columns`: keys of the words over them."""

    name: str
    act: Act
    columns: tuple[str, ...]
    lines: Callable[["Asked"], AsyncIterator[Line]]
    paged: bool = True


@dataclass(slots=True)
class Asked:
    """What a list is read with. `after` and `limit`: one page of it, then `more` says whether another follows it.

    Without a limit it is read whole.
    """

    visit: Visit
    connection: AsyncConnection
    speech: Speech
    known: Turnout
    office: Office
    after: int = 0
    limit: int | None = None
    more: int | None = None

    async def members(self, name: str, found: Select[Any]) -> AsyncIterator[Any]:
        """Read the members of a list, by id."""
        if self.limit is None:
            async for row in self.rows(found, member.c.id):
                yield row
            return
        page = await list_page(self.connection, found, self.office.listed[name], after=self.after, limit=self.limit)
        self.more = page.more
        for row in page.rows:
            yield row

    async def rows(self, found: Select[Any], by: ColumnElement[Any]) -> AsyncIterator[Any]:
        """Read all rows in the order of a key, piece by piece."""
        async with self.connection.stream(found.order_by(by)) as rows:
            async for piece in rows.partitions(ROWS_AT_ONCE):
                for row in piece:
                    yield row


async def _show(listing: Listing, visit: Visit) -> Response:
    """Show a page of a list."""
    counted = await visit.console.snapshots.both_soon()
    async with visit.console.house.database.reading() as connection:
        if counted is None:
            return await visit.page(connection, "counting.html")
        known, counts = counted[0].turnout, counted[1]
        speech = visit.speech(await load_poll(connection))
        limit = PAGE if listing.paged else None
        asked = Asked(visit, connection, speech, known, counts, visit.asked_number("after") or 0, limit)
        page = [line async for line in listing.lines(asked)]
        return await visit.page(
            connection,
            "list.html",
            listing=listing,
            lines=[(line.address, [_shown(cell, speech) for cell in line.cells]) for line in page],
            more=asked.more,
            first_page=not asked.after,
            step=STEP,
            office=counts,
        )


async def _download(listing: Listing, visit: Visit) -> Response:
    """Give a whole list as a CSV file, sent as it is read."""
    headers = {"Content-Disposition": f'attachment; filename="{listing.name}.csv"'}
    return StreamingResponse(_csv(listing, visit), media_type="text/csv; charset=utf-8", headers=headers)


async def _csv(listing: Listing, visit: Visit) -> AsyncIterator[str]:
    out = io.StringIO()
    writer = PeoplesCsv(out)
    snapshots = visit.console.snapshots  # before there is a connection, since counting takes one of its own
    known, counts = (await snapshots.latest()).turnout, await snapshots.office.latest()
    async with visit.console.house.database.reading() as connection:
        speech = visit.speech(await load_poll(connection))
        out.write(SPREADSHEETS_MARK)
        writer.row(speech.t(column) for column in listing.columns)
        async for line in listing.lines(Asked(visit, connection, speech, known, counts)):
            writer.row(_for_spreadsheet(cell, speech) for cell in line.cells)
            if out.tell() > PIECE_CHARACTERS:
                yield _emptied(out)
    yield _emptied(out)


def _shown(cell: Cell, speech: Speech) -> str:
    if isinstance(cell, datetime):
        return speech.moment(cell)
    if isinstance(cell, date):
        return speech.day(cell)
    return speech.number(cell) if isinstance(cell, int) else cell or ""


def _for_spreadsheet(cell: Cell, speech: Speech) -> str | int:
    """Write days and moments so that a spreadsheet knows and sorts them, whatever the language."""
    if isinstance(cell, datetime):
        return f"{cell.astimezone(ZoneInfo(speech.zone)):%Y-%m-%d %H:%M}"
    return cell.isoformat() if isinstance(cell, date) else "" if cell is None else cell


def _emptied(out: io.StringIO) -> str:
    written = out.getvalue()
    out.seek(0)
    out.truncate()
    return written


async def _unreachable(asked: Asked) -> AsyncIterator[Line]:
    say = asked.speech.say
    async for row in asked.members(office.UNREACHABLE, office.unreachable()):
        chat = _why(asked.speech, row.chat_state, row.chat_reason) if row.chat_state else say("no_chat", "reason")
        texts = (
            _why(asked.speech, row.texts_state, row.texts_reason)
            if row.texts_state
            else say(row.phone_reason or "missing", "reason")
        )
        names = asked.speech.language_name(row.language)
        cells = (row.member_no, row.area, names, _dialled(row.phone), chat, texts)
        yield Line(cells, member_address(row.member_no))


async def _without_pack(asked: Asked) -> AsyncIterator[Line]:
    async for row in asked.members(office.WITHOUT_PACK, office.without_pack()):
        names, why = asked.speech.language_name(row.language), asked.speech.say(row.state or "never", "no_pack")
        yield Line((row.member_no, row.area, names, why, row.ended_at), member_address(row.member_no))


async def _overdue(asked: Asked) -> AsyncIterator[Line]:
    found = await office.overdue(asked.connection, asked.visit.now)
    async for row in asked.members(office.OVERDUE, found):
        days = (row.dispatched_on, row.delivered_on, row.returned_on)
        yield Line((row.member_no, row.area, _dialled(row.phone), *days), member_address(row.member_no))


def _waiting(visit: Visit) -> dict[str, Select[Any]]:
    """Give what may wait for a second person and this one may see."""
    kinds = {
        "notice": (Act.SEE_NOTICES, office.submitted_notices),
        "replacement": (Act.SEE_PACKS, office.asked_replacements),
        "case": (Act.SEE_CASES, office.proposed_cases),
    }
    return {kind: make() for kind, (act, make) in kinds.items() if visit.may(act)}


async def count_second_person(visit: Visit, connection: AsyncConnection) -> int:
    """Count what waits for a second person."""
    return await office.count_for_second(connection, list(_waiting(visit).values()))


async def _second_person(asked: Asked) -> AsyncIterator[Line]:
    """Give what the visitor may see of what waits, each kind from its oldest."""
    for kind, found in _waiting(asked.visit).items():
        async for row in asked.rows(found, found.selected_columns.id):
            about, place = _ABOUT[kind](row, asked.speech)
            yield Line((asked.speech.say(kind, "waits"), about, row.asked_by, row.asked_at), place)


def _about_notice(row: Any, speech: Speech) -> tuple[str, str]:  # noqa: ANN401 - a row
    return f"{row.id} · {speech.say(row.kind, 'notice_kind')}", f"{_NOTICES}/{row.id}"


def _about_replacement(row: Any, _speech: Speech) -> tuple[str, str]:  # noqa: ANN401 - a row
    return f"{row.member_no} · {row.reason}" if row.reason else row.member_no, member_address(row.member_no)


def _about_case(row: Any, speech: Speech) -> tuple[str, str]:  # noqa: ANN401 - a row
    return f"{row.id} · {speech.say(row.outcome, 'case_outcome')}", f"/console/cases/{row.id}"


async def _reminders(asked: Asked) -> AsyncIterator[Line]:
    """Give how many had voted when a reminder went, and how many voted in the day before and the day after."""
    known = asked.known
    for row in await office.reminders(asked.connection):
        went = row.planned_at
        before, then, after = (
            office.voted_by(known, moment) for moment in (went - office.DAY, went, went + office.DAY)
        )
        about = f"{row.id} · {asked.speech.say(row.kind, 'notice_kind')}"
        cells = (about, went, row.members, then, then - before, after - then)
        yield Line(cells, f"{_NOTICES}/{row.id}/report" if asked.visit.may(Act.SEE_NOTICES) else "")


def _dialled(phone: str | None) -> str | None:
    """Write a number in groups, as people dial it; without spaces a spreadsheet would take it for a plain number."""
    return phone and phonenumbers.format_number(phonenumbers.parse(phone), PhoneNumberFormat.INTERNATIONAL)


def _why(speech: Speech, state: str, reason: str | None) -> str:
    return speech.say(reason, "reason") if reason else speech.say(state, "channel_state")


_ABOUT: Final = {"notice": _about_notice, "replacement": _about_replacement, "case": _about_case}
_NOTICES: Final = "/console/notices"
_MEMBER: Final = ("head.member", "field.area", "field.language")
LISTINGS: Final = (
    Listing(
        office.UNREACHABLE,
        Act.SEE_MEMBERS,
        (*_MEMBER, "field.mobile", "head.telegram", "head.texts"),
        _unreachable,
    ),
    Listing(office.WITHOUT_PACK, Act.SEE_PACKS, (*_MEMBER, "head.why", "head.when"), _without_pack),
    Listing(
        office.OVERDUE,
        Act.SEE_PACKS,
        ("head.member", "field.area", "field.mobile", "head.dispatched", "member.delivered", "head.came_back"),
        _overdue,
    ),
    Listing(
        "second_person",
        Act.SEE_OVERVIEW,
        ("head.what", "head.about", "head.who", "head.when"),
        _second_person,
        paged=False,
    ),
    Listing(
        "reminder",
        Act.SEE_TURNOUT,
        ("head.notice", "head.when", "preview.members", "head.voted_then", "head.day_before", "head.day_after"),
        _reminders,
        paged=False,
    ),
)
SCREENS: Final = tuple(
    screen
    for listing in LISTINGS
    for screen in (
        Screen(f"/lists/{listing.name}", listing.act, partial(_show, listing)),
        Screen(f"/lists/{listing.name}.csv", listing.act, partial(_download, listing)),
    )
)
