"""Notices: the list, one of them with its preview, approval by another person, sending, progress, report."""

import io
from collections.abc import AsyncIterator
from functools import partial
from typing import Any, Final

from sqlalchemy import ColumnElement, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response, StreamingResponse

from bot.console.compose import Counts, draw
from bot.console.door import Action, Handler, Screen
from bot.console.notice_form import NoticeForm
from bot.console.visit import Console, Visit
from bot.staff.roles import Act
from messages.notices import life as notice_life
from messages.notices import notices, report_csv, sending
from messages.notices.model import EDITABLE, ENDED, Notice
from messages.notices.notices import Change
from messages.notices.reports import OUTCOMES, report_lines
from messages.reach import TELEGRAM
from messages.schema import NOT_REACHED, delivery
from messages.schema import notice as notice_table
from messages.words.texts import fit_language
from voting.poll import polls
from voting.schema import member

PAGE: Final = 30
UNREACHED_PAGE: Final = 50


class Notices:
    """The pages of notices; what is slow to count is kept for a while."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._counts, self._kept = Counts(), console.notice_counts
        self._form = NoticeForm(console, self._counts)

    # -- looking -------------------------------------------------------------------------

    async def show_list(self, visit: Visit) -> Response:
        """List notices, newest first."""
        before = visit.asked_number("before")
        async with self._console.house.database.reading() as connection:
            found = await _page(connection, before)
            more = found[PAGE - 1].id if len(found) > PAGE else None
            listed = found[:PAGE]
            moving = {
                one.id: await self._kept.bar(connection, one) for one in listed if one.state in {"sending", "paused"}
            }
            return await visit.page(connection, "notices.html", notices=listed, bars=moving, more=more)

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
                bar=await self._kept.bar(connection, found) if planned else None,
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
            drawn = await self._kept.bar(connection, found)
            return await visit.part(connection, "_progress.html", notice=found, bar=drawn)

    async def show_report(self, visit: Visit) -> Response:
        """Show what became of a notice, member by member counted."""
        notice_id = visit.path("notice_id")
        async with self._console.house.database.reading() as connection:
            told = await self._kept.report(connection, notice_id)
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

    async def send(self, visit: Visit) -> Response:
        """Let it go."""
        providers = self._console.house.settings.channels_on
        return await self._change(visit, partial(sending.send, providers=providers))

    async def resend(self, visit: Visit) -> Response:
        """Draft it again for whom it did not reach."""
        ways = await self._form.ways()
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

    def change(self, act: Change) -> Handler:
        """Make the handler of an act that needs nothing but the notice as it was seen."""

        async def handler(visit: Visit) -> Response:
            return await self._change(visit, act)

        return handler

    async def _change(self, visit: Visit, act: Change) -> Response:
        notice_id = visit.path("notice_id")
        async with self._console.house.database.writing() as connection:
            await notices.locked(connection, notice_id, version=visit.number("version"))
            await act(connection, notice_id, by=visit.by)
        self._kept.forget(notice_id)
        self._console.desk.wake()
        return visit.back(f"/console/notices/{notice_id}")

    async def _csv(self, notice_id: int) -> AsyncIterator[str]:
        out = io.StringIO()
        writer = report_csv.begin(out)
        async with self._console.house.database.reading() as connection:
            async for line in report_lines(connection, notice_id):
                writer.row(report_csv.cells(line))
                if out.tell() > 65_536:  # noqa: PLR2004 - a piece worth sending
                    yield _emptied(out)
        yield _emptied(out)

    def screens(self) -> tuple[Screen, ...]:
        """Give what can be looked at."""
        one = "/notices/{notice_id:int}"
        return (
            Screen("/notices", Act.SEE_NOTICES, self.show_list),
            Screen("/notices/new", Act.WRITE_NOTICES, self._form.show_new),
            Screen(one, Act.SEE_NOTICES, self.show_one),
            Screen(f"{one}/edit", Act.WRITE_NOTICES, self._form.show_edit),
            Screen(f"{one}/words", Act.SEE_NOTICES, self.show_words),
            Screen(f"{one}/progress", Act.SEE_NOTICES, self.show_progress),
            Screen(f"{one}/report", Act.SEE_NOTICES, self.show_report),
            Screen(f"{one}/report.csv", Act.SEE_NOTICES, self.show_csv),
        )

    def actions(self) -> tuple[Action, ...]:
        """Give what can be done."""
        one = "/notices/{notice_id:int}"
        simple = {
            "submit": (Act.WRITE_NOTICES, self.change(notices.submit)),
            "approve": (Act.APPROVE_NOTICES, self.change(notices.approve)),
            "send": (Act.SEND_NOTICES, self.send),
            "pause": (Act.SEND_NOTICES, self.change(notice_life.pause)),
            "resume": (Act.SEND_NOTICES, self.change(notice_life.resume)),
            "cancel": (Act.SEND_NOTICES, self.change(notice_life.cancel)),
            "try": (Act.WRITE_NOTICES, self.try_on),
            "resend": (Act.WRITE_NOTICES, self.resend),
        }
        return (
            Action("/notices/preview", Act.WRITE_NOTICES, self._form.preview, self._form.show_new),
            Action("/notices/new", Act.WRITE_NOTICES, self._form.draft, self._form.show_new),
            Action(f"{one}/edit", Act.WRITE_NOTICES, self._form.edit, self._form.show_edit),
            *(Action(f"{one}/{name}", act, do, self.show_one) for name, (act, do) in simple.items()),
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
    # Written out: of a parameter SQLite does not know that the index has all such rows.
    told_nobody: list[ColumnElement[str]] = [literal_column(f"'{state}'") for state in NOT_REACHED]
    rows = await connection.execute(
        select(delivery.c.id, member.c.member_no, delivery.c.channel, delivery.c.state, delivery.c.reason)
        .join(member, member.c.id == delivery.c.member_id)
        .where(delivery.c.notice_id == notice_id, delivery.c.state.in_(told_nobody), delivery.c.id > after)
        .order_by(delivery.c.id)
        .limit(UNREACHED_PAGE + 1)
    )
    found = list(rows)
    return found[:UNREACHED_PAGE], found[UNREACHED_PAGE - 1].id if len(found) > UNREACHED_PAGE else None
