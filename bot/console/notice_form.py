"""Writing a notice: the form, what is typed shown on phones as one types, kept as a draft or a change."""

from dataclasses import replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from starlette.responses import Response

from bot.console.compose import Counts, draw, read_content, unwritten
from bot.console.refusals import said
from bot.console.visit import Console, Visit
from bot.edge.links import ways_now
from messages.audience import Group
from messages.notices import notices
from messages.notices.model import EDITABLE, Content, Notice
from messages.words.kinds import Kind
from messages.words.texts import languages
from messages.words.wording import Ways
from voting.local_time import FIRST, SECOND, comes_twice
from voting.poll import polls
from voting.refusals import Refusal

_MOMENTS: Final = ("send_at", "send_before")


class NoticeForm:
    """The pages on which a notice is written; `counts` are shared with those that show it."""

    def __init__(self, console: Console, counts: Counts) -> None:
        self._console, self._counts = console, counts
        self._known_ways: Ways | None = None

    async def show_new(self, visit: Visit) -> Response:
        """Show an empty form, or what was typed when something was refused."""
        return await self._form(visit, None)

    async def show_edit(self, visit: Visit) -> Response:
        """Show the form of a notice that can still be changed."""
        async with self._console.house.database.reading() as connection:
            found = await notices.show(connection, visit.path("notice_id"))
            notices.refuse_unless(found, EDITABLE)
        return await self._form(visit, found)

    async def preview(self, visit: Visit) -> Response:
        """Show the phones for what is in the form: as one types, or as a page of its own."""
        ways = await self.ways()
        async with self._console.house.database.reading() as connection:
            poll = await polls.load(connection)
            try:
                written = await unwritten(connection, read_content(visit, poll), poll, ways, visit.now)
                drawn = draw(written, poll, await self._counts.of(connection, written, visit.now))
            except Refusal as refusal:
                if not visit.is_fragment:
                    raise
                told = replace(visit, refusal=said(refusal, visit.speech(poll)))
                return await told.part(connection, "_preview.html", sketch=None)
            if visit.is_fragment:
                return await visit.part(connection, "_preview.html", sketch=drawn)
        return await self._form(visit, None)

    async def draft(self, visit: Visit) -> Response:
        """Keep a new notice; and offer it for approval, if that was pressed."""
        ways = await self.ways()
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

    async def ways(self) -> Ways:
        """Give how members can reach us, asked for once. TokenWrong, TelegramAway."""
        if self._known_ways is None:
            self._known_ways = await ways_now(self._console.house.settings)
        return self._known_ways

    async def _form(self, visit: Visit, found: Notice | None) -> Response:
        ways = await self.ways()
        async with self._console.house.database.reading() as connection:
            poll = await polls.load(connection)
            drawn, typed = None, _typed(visit, found, poll.timezone)
            try:
                content = read_content(visit, poll) if visit.form else _content(typed, found)
                written = await unwritten(connection, content, poll, ways, visit.now)
                drawn = draw(written, poll, self._counts.known(written))
            except Refusal as refusal:
                visit = visit if visit.refusal else replace(visit, refusal=said(refusal, visit.speech(poll)))
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
                twice=[name for name in _MOMENTS if _comes_twice(typed.get(name, ""), poll.timezone)],
            )


def _typed(visit: Visit, found: Notice | None, zone: str) -> dict[str, str]:
    """Give what stands in the form's fields: what was typed, else the notice, else what the address asks for."""
    if visit.form:
        return {name: value for name, value in visit.form.items() if isinstance(value, str)}
    if found is None:
        kind = visit.asked("kind") if visit.asked("kind") in set(Kind) else Kind.PACK_DELAYED.value
        return {"kind": kind, "audience": "all"}
    content = found.content
    local = {name: moment.astimezone(ZoneInfo(zone)) for name in _MOMENTS if (moment := getattr(content, name))}
    group, _, value = content.audience.partition(":")
    return {
        "kind": content.kind,
        "audience": group,
        "audience_value": value,
        "urgent": "yes" if content.urgent else "",
        "texts_when_held": "yes" if content.texts_when_held else "",
        "on_unknown": content.on_unknown,
        **{name: moment.strftime("%Y-%m-%dT%H:%M") for name, moment in local.items()},
        **{f"{name}_which": SECOND if moment.fold else FIRST for name, moment in local.items()},
        **{f"text_{language}": text for language, text in content.texts.items()},
    }


def _comes_twice(raw: str, zone: str) -> bool:
    """Whether what stands in a field is a local time that the clocks show twice: then the form asks which."""
    try:
        return bool(raw) and comes_twice(datetime.fromisoformat(raw).replace(tzinfo=None), ZoneInfo(zone))
    except (ValueError, OverflowError):
        return False


def _content(typed: dict[str, str], found: Notice | None) -> Content:
    return found.content if found is not None else Content(kind=typed["kind"], audience=typed["audience"])
