"""Notices: the list, writing one with its preview, approval by another person, sending, progress, report."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from time import monotonic
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response, StreamingResponse

from bot.console.compose import Counts, draw, read_content, unwritten
from bot.console.door import Console, Deed, Handler, Screen, Visit, sentence
from bot.console.overview import bar
from bot.edge.links import ways_now
from bot.staff.roles import Act
from messages.audience import Group
from messages.notices import life as notice_life
from messages.notices import notices, sending
from messages.notices.model import EDITABLE, ENDED, Content, Notice
from messages.notices.reports import OUTCOMES, Report, progress, report, report_lines
from messages.reach import TELEGRAM
from messages.schema import delivery
from messages.schema import notice as notice_table
from messages.words.kinds import Kind
from messages.words.texts import fit_language, languages
from messages.words.wording import Ways
from voting.poll import polls
from voting.refusals import Refusal
from voting.schema import member

PAGE: Final = 30
UNREACHED_PAGE: Final = 50
REPORT_LIFE_SECONDS: Final = 20.0
BAR_LIFE_SECONDS: Final = 1.0
NOT_REACHED: Final = ("failed", "skipped", "unknown", "canceled")
Change = Callable[..., Awaitable[Notice]]


class Notices:
    """The pages of notices; what is slow to count is kept for a while."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._counts = Counts()
        self._reports: dict[int, tuple[float, Report]] = {}
        self._report_turn = asyncio.Lock()
        self._bars: dict[int, tuple[float, str, dict[str, Any]]] = {}
        self._known_ways: Ways | None = None

    # -- looking -------------------------------------------------------------------------

    async def show_list(self, visit: Visit) -> Response:
        """List notices, newest first."""
        before = visit.asked_number("before")
        async with self._console.house.database.reading() as connection:
            found = await _page(connection, before)
            more = found[PAGE - 1].id if len(found) > PAGE else None
            listed = found[:PAGE]
            moving = {one.id: await self._bar(connection, one) for one in listed if one.state in {"sending", "paused"}}
            return await visit.page(connection, "notices.html", notices=listed, bars=moving, more=more)

    async def show_new(self, visit: Visit) -> Response:
        """Show an empty form, or what was typed when something was refused."""
        return await self._form(visit, None)

    async def show_edit(self, visit: Visit) -> Response:
        """Show the form of a notice that can still be changed."""
        async with self._console.house.database.reading() as connection:
            found = await notices.show(connection, visit.path("notice_id"))
            notices.refuse_unless(found, EDITABLE)
        return await self._form(visit, found)

    async def show_one(self, visit: Visit) -> Response:
        """Show one notice: what is true of it, and what can be done with it."""
        async with self._console.house.database.reading() as connection:
            found = await notices.show(connection, visit.path("notice_id"))
            poll = await polls.load(connection)
            planned = found.planned_at is not None
            counted = None if planned else self._counts.known(found)
            return await visit.page(
                connection,
                "notice.html",
                notice=found,
                sketch=draw(found, poll, counted),
                planned=planned,
                bar=await self._bar(connection, found) if planned else None,
                editable=found.state in EDITABLE,
                ended=found.state in ENDED,
                alone=found.members is not None and found.members <= poll.staff.approve_over,
            )

    async def show_words(self, visit: Visit) -> Response:
        """Show what a notice says with its audience counted, which may take a moment."""
        async with self._console.house.database.reading() as connection:
            found = await notices.show(connection, visit.path("notice_id"))
            counted = await self._counts.of(connection, found, visit.now)
            drawn = draw(found, await polls.load(connection), counted)
            return await visit.part(connection, "_preview.html", sketch=drawn)

    async def show_progress(self, visit: Visit) -> Response:
        """Show the progress alone, for a bar that moves."""
        async with self._console.house.database.reading() as connection:
            found = await notices.show(connection, visit.path("notice_id"))
            drawn = await self._bar(connection, found)
            return await visit.part(connection, "_progress.html", notice=found, bar=drawn)

    async def show_report(self, visit: Visit) -> Response:
        """Show what became of a notice, member by member counted."""
        notice_id = visit.path("notice_id")
        async with self._console.house.database.reading() as connection:
            told = await self._report(connection, notice_id)
            left, more = await _unreached(connection, notice_id, visit.asked_number("after") or 0)
            return await visit.page(
                connection,
                "report.html",
                report=told,
                notice=told.notice,
                outcomes=tuple(reversed(OUTCOMES)),
                ended=told.notice.state in ENDED,
                unreached=left,
                more=more,
            )

    async def show_csv(self, visit: Visit) -> Response:
        """Give the report of every member as a file."""
        notice_id = visit.path("notice_id")
        async with self._console.house.database.reading() as connection:
            await notices.show(connection, notice_id)
        name = f"notice-{notice_id}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(self._csv(notice_id), media_type="text/csv; charset=utf-8", headers=headers)

    # -- doing ---------------------------------------------------------------------------

    async def preview(self, visit: Visit) -> Response:
        """Show the phones for what is in the form: as one types, or as a page of its own."""
        ways = await self._ways()
        async with self._console.house.database.reading() as connection:
            poll = await polls.load(connection)
            try:
                written = await unwritten(connection, read_content(visit, poll), poll, ways, visit.now)
                drawn = draw(written, poll, await self._counts.of(connection, written, visit.now))
            except Refusal as refusal:
                if not visit.is_fragment:
                    raise
                said = replace(visit, refusal=sentence(refusal, poll.timezone))
                return await said.part(connection, "_preview.html", sketch=None)
            if visit.is_fragment:
                return await visit.part(connection, "_preview.html", sketch=drawn)
        return await self._form(visit, None)

    async def draft(self, visit: Visit) -> Response:
        """Keep a new notice; and offer it for approval, if that was pressed."""
        ways = await self._ways()
        async with self._console.house.database.writing() as connection:
            content = read_content(visit, await polls.load(connection))
            made = await notices.draft(connection, content, ways=ways, by=visit.by)
            if visit.word("then") == "submit":
                await notices.submit(connection, made.id, by=visit.by)
        return visit.back(f"/console/notices/{made.id}")

    async def edit(self, visit: Visit) -> Response:
        """Keep a change; it needs its approval anew."""
        notice_id = visit.path("notice_id")
        async with self._console.house.database.writing() as connection:
            content = read_content(visit, await polls.load(connection))
            await notices.edit(connection, notice_id, content, version=visit.number("version"), by=visit.by)
            if visit.word("then") == "submit":
                await notices.submit(connection, notice_id, by=visit.by)
        return visit.back(f"/console/notices/{notice_id}")

    async def send(self, visit: Visit) -> Response:
        """Let it go."""
        providers = self._console.house.settings.channels_on
        return await self._change(visit, sending.send, providers=providers)

    async def resend(self, visit: Visit) -> Response:
        """Draft it again for whom it did not reach."""
        ways = await self._ways()
        async with self._console.house.database.writing() as connection:
            made = await sending.resend_to_unreached(connection, visit.path("notice_id"), ways=ways, by=visit.by)
        return visit.back(f"/console/notices/{made.id}")

    async def try_on(self, visit: Visit) -> Response:
        """Send it to one's own chat and nobody else."""
        person = visit.guest.staff
        notice_id = visit.path("notice_id")
        async with self._console.house.database.writing() as connection:
            for language in (await polls.load(connection)).languages:
                await sending.try_on(
                    connection,
                    notice_id,
                    channel=TELEGRAM,
                    address=str(person.user_id),
                    language=fit_language(language),
                    occasion=f"{person.id}:{language}:{visit.now.timestamp()}",
                    now=visit.now,
                )
        self._console.desk.wake()
        return visit.back(f"/console/notices/{notice_id}?tried=1")

    def change(self, act: Change, *, takes_version: bool = False) -> Handler:
        """Make the handler of an act that needs nothing but the notice as it was seen."""

        async def handler(visit: Visit) -> Response:
            more = {"version": visit.number("version")} if takes_version else {}
            return await self._change(visit, act, **more)

        return handler

    async def _change(self, visit: Visit, act: Change, **more: object) -> Response:
        notice_id = visit.path("notice_id")
        async with self._console.house.database.writing() as connection:
            await notices.locked(connection, notice_id, version=visit.number("version"))
            await act(connection, notice_id, by=visit.by, **more)
        self._reports.pop(notice_id, None)
        self._console.desk.wake()
        return visit.back(f"/console/notices/{notice_id}")

    # -- parts ---------------------------------------------------------------------------

    async def _form(self, visit: Visit, found: Notice | None) -> Response:
        ways = await self._ways()
        async with self._console.house.database.reading() as connection:
            poll = await polls.load(connection)
            drawn, typed = None, _typed(visit, found, poll.timezone)
            try:
                content = read_content(visit, poll) if visit.form else _content(typed, found)
                written = await unwritten(connection, content, poll, ways, visit.now)
                drawn = draw(written, poll, self._counts.known(written))
            except Refusal as refusal:
                visit = visit if visit.refusal else replace(visit, refusal=sentence(refusal, poll.timezone))
            return await visit.page(
                connection,
                "notice_form.html",
                notice=found,
                typed=typed,
                sketch=drawn,
                kinds=[kind.value for kind in Kind],
                groups=[group.value for group in Group],
                with_value=("area", "language", "unreached"),
                languages=[language for language in languages() if language in poll.languages],
            )

    async def _ways(self) -> Ways:
        if self._known_ways is None:
            self._known_ways = await ways_now(self._console.house.settings)
        return self._known_ways

    async def _bar(self, connection: AsyncConnection, found: Notice) -> dict[str, Any]:
        """Count a notice's progress, or give one that is a second old; it counts every row, and many may look."""
        life = REPORT_LIFE_SECONDS if found.state in ENDED else BAR_LIFE_SECONDS
        known = self._bars.get(found.id)
        if known is not None and known[1] == found.state and monotonic() - known[0] < life:
            return known[2]
        drawn = bar(await progress(connection, found.id))
        self._bars[found.id] = (monotonic(), found.state, drawn)
        return drawn

    async def _report(self, connection: AsyncConnection, notice_id: int) -> Report:
        """Count the report, or give one a few seconds old: it reads every row of the notice."""
        async with self._report_turn:
            known = self._reports.get(notice_id)
            if known is not None and monotonic() - known[0] < REPORT_LIFE_SECONDS:
                return replace(known[1], notice=await notices.show(connection, notice_id))
            found = await report(connection, notice_id)
            self._reports[notice_id] = (monotonic(), found)
            return found

    async def _csv(self, notice_id: int) -> AsyncIterator[str]:
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(("member_no", "outcome", "channel", "reason", "at"))
        async with self._console.house.database.reading() as connection:
            async for line in report_lines(connection, notice_id):
                at = line.at.isoformat(timespec="seconds") if line.at else ""
                writer.writerow((line.member_no, line.outcome, line.channel, line.reason, at))
                if out.tell() > 65_536:  # noqa: PLR2004 - a piece worth sending
                    yield _emptied(out)
        yield _emptied(out)

    def screens(self) -> tuple[Screen, ...]:
        """Give what can be looked at."""
        one = "/notices/{notice_id:int}"
        return (
            Screen("/notices", Act.SEE_NOTICES, self.show_list),
            Screen("/notices/new", Act.WRITE_NOTICES, self.show_new),
            Screen(one, Act.SEE_NOTICES, self.show_one),
            Screen(f"{one}/edit", Act.WRITE_NOTICES, self.show_edit),
            Screen(f"{one}/words", Act.SEE_NOTICES, self.show_words),
            Screen(f"{one}/progress", Act.SEE_NOTICES, self.show_progress),
            Screen(f"{one}/report", Act.SEE_NOTICES, self.show_report),
            Screen(f"{one}/report.csv", Act.SEE_NOTICES, self.show_csv),
        )

    def deeds(self) -> tuple[Deed, ...]:
        """Give what can be done."""
        one = "/notices/{notice_id:int}"
        simple = {
            "submit": (Act.WRITE_NOTICES, self.change(notices.submit)),
            "approve": (Act.APPROVE_NOTICES, self.change(notices.approve, takes_version=True)),
            "send": (Act.SEND_NOTICES, self.send),
            "pause": (Act.SEND_NOTICES, self.change(notice_life.pause)),
            "resume": (Act.SEND_NOTICES, self.change(notice_life.resume)),
            "cancel": (Act.SEND_NOTICES, self.change(notice_life.cancel)),
            "try": (Act.WRITE_NOTICES, self.try_on),
            "resend": (Act.WRITE_NOTICES, self.resend),
        }
        return (
            Deed("/notices/preview", Act.WRITE_NOTICES, self.preview, self.show_new),
            Deed("/notices/new", Act.WRITE_NOTICES, self.draft, self.show_new),
            Deed(f"{one}/edit", Act.WRITE_NOTICES, self.edit, self.show_edit),
            *(Deed(f"{one}/{name}", act, do, self.show_one) for name, (act, do) in simple.items()),
        )


def _emptied(out: io.StringIO) -> str:
    written = out.getvalue()
    out.seek(0)
    out.truncate()
    return written


async def _page(connection: AsyncConnection, before: int | None) -> list[Notice]:
    """Give a page of notices and one more, newest first."""
    if before is None:
        return await notices.list_notices(connection, PAGE + 1)
    older = select(notice_table.c.id).where(notice_table.c.id < before).order_by(notice_table.c.id.desc())
    ids = (await connection.execute(older.limit(PAGE + 1))).scalars().all()
    return [await notices.show(connection, notice_id) for notice_id in ids]


async def _unreached(connection: AsyncConnection, notice_id: int, after: int) -> tuple[list[Any], int | None]:
    """Give a page of rows that told nobody, by id, and where the next begins."""
    rows = await connection.execute(
        select(delivery.c.id, member.c.member_no, delivery.c.channel, delivery.c.state, delivery.c.reason)
        .join(member, member.c.id == delivery.c.member_id)
        .where(delivery.c.notice_id == notice_id, delivery.c.state.in_(NOT_REACHED), delivery.c.id > after)
        .order_by(delivery.c.id + 0)  # by state first: few rows told nobody, and in order of id one reads them all
        .limit(UNREACHED_PAGE + 1)
    )
    found = list(rows)
    return found[:UNREACHED_PAGE], found[UNREACHED_PAGE - 1].id if len(found) > UNREACHED_PAGE else None


def _typed(visit: Visit, found: Notice | None, zone: str) -> dict[str, str]:
    """Give what stands in the form's fields: what was typed, else the notice, else what the address asks for."""
    if visit.form:
        return {name: value for name, value in visit.form.items() if isinstance(value, str)}
    if found is None:
        kind = visit.asked("kind") if visit.asked("kind") in set(Kind) else Kind.PACK_DELAYED.value
        return {"kind": kind, "audience": "all"}
    content = found.content
    group, _, value = content.audience.partition(":")
    moments = {
        name: moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")
        for name, moment in (("send_at", content.send_at), ("send_before", content.send_before))
        if moment is not None
    }
    return {
        "kind": content.kind,
        "audience": group,
        "audience_value": value,
        "urgent": "yes" if content.urgent else "",
        "on_unknown": content.on_unknown,
        **moments,
        **{f"text_{language}": text for language, text in content.texts.items()},
    }


def _content(typed: dict[str, str], found: Notice | None) -> Content:
    return found.content if found is not None else Content(kind=typed["kind"], audience=typed["audience"])
