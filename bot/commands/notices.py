"""`notice`: draft, approve, send, watch and report what is told to many."""

import asyncio
import html
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import typer

from bot.commands.terminal import (
    DEFAULT_ACTOR,
    OUT,
    VIA,
    Actor,
    AsJson,
    in_house,
    print_facts,
    print_json,
    print_table,
    progress_bar,
)
from bot.edge.links import ways_now
from bot.house import House, clock
from messages.notices import life, notices, reports, sending
from messages.notices.model import ENDED, Content, Notice
from messages.notices.preview import Preview, preview
from messages.notices.report_csv import write_report_csv
from messages.reach import TELEGRAM
from messages.refusals import NoticeTextMissing
from messages.words.wording import Kind
from voting.csv_file import read_moment
from voting.model import By
from voting.poll import polls
from voting.refusals import StaffRefusal

LOOK_SECONDS: Final = 1.0

NoticeId = Annotated[int, typer.Argument(metavar="ID")]


class MomentUnreadable(StaffRefusal):
    """{moment} is not a moment; write it like 2022-08-02T18:00."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(help="What is told to many: two people, one send.", no_args_is_help=True)
    nouns.command("draft")(draft)
    nouns.command("show")(show)
    for name, move in MOVES.items():
        nouns.command(name, help=move.help)(_mover(name, move))
    nouns.command("send")(send)
    nouns.command("watch")(watch)
    nouns.command("list")(list_notices)
    nouns.command("report")(report)
    app.add_typer(nouns, name="notice")


def draft(
    kind: Annotated[Kind, typer.Argument(metavar="KIND", help=", ".join(Kind))],
    audience: Annotated[
        str, typer.Option(help="all, not_dispatched, overdue, not_voted, area:X or language:X.")
    ] = "all",
    text_file: Annotated[
        Path | None,
        typer.Option("--text-file", help=r"For custom: the words; a line \[cy] begins those in another language."),
    ] = None,
    urgent: Annotated[bool, typer.Option("--urgent", help="Before the rest, and in quiet hours too.")] = False,
    send_at: Annotated[str | None, typer.Option(help="Not before this moment, 2022-08-02T18:00.")] = None,
    send_before: Annotated[str | None, typer.Option(help="Not after this moment.")] = None,
    as_json: AsJson = False,
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Write a notice; show whom it would reach, each text, its segments and its cost.

    Example: ballotline notice draft window_changed --audience all
    """

    async def act(house: House) -> Preview:
        ways = await ways_now(house.settings)
        async with house.database.writing() as connection:
            poll = await polls.load(connection)
            content = Content(
                kind=kind,
                audience=audience,
                texts=_texts(text_file, poll.languages[0]) if kind is Kind.CUSTOM else {},
                urgent=urgent,
                send_at=_moment(send_at, poll.timezone),
                send_before=_moment(send_before, poll.timezone),
            )
            made = await notices.draft(connection, content, ways=ways, by=By(actor, VIA, clock()))
            return await preview(connection, made, now=clock())

    _print_preview(in_house(act), as_json=as_json)


def show(notice_id: NoticeId, as_json: AsJson = False) -> None:
    """Show a notice as `draft` did, with what it would do now.

    Example: ballotline notice show 3
    """

    async def act(house: House) -> Preview:
        async with house.database.reading() as connection:
            return await preview(connection, await notices.show(connection, notice_id), now=clock())

    _print_preview(in_house(act), as_json=as_json)


class _Move:
    """One step of a notice's life as a command."""

    def __init__(self, act: Callable[..., Awaitable[Notice]], done: str, what: str) -> None:
        self.act, self.done, self.help = act, done, what


MOVES: Final = {
    "submit": _Move(
        notices.submit,
        "waits for another person: ballotline notice approve {id} --as THEIR-NAME",
        "Offer a notice for approval.\n\nExample: ballotline notice submit 3",
    ),
    "approve": _Move(
        notices.approve,
        "is approved. Next: ballotline notice send {id}",
        "Approve a notice that another person wrote.\n\nExample: ballotline notice approve 3 --as Gwen",
    ),
    "pause": _Move(
        life.pause,
        "is paused; a provider keeps what it has already",
        "Stop sending for now.\n\nExample: ballotline notice pause 3",
    ),
    "resume": _Move(life.resume, "goes on", "Go on where it stopped.\n\nExample: ballotline notice resume 3"),
    "cancel": _Move(
        life.cancel, "is canceled for good", "End a notice for good.\n\nExample: ballotline notice cancel 3"
    ),
}


def _mover(name: str, move: _Move) -> Callable[[int, str], None]:
    def command(notice_id: NoticeId, actor: Actor = DEFAULT_ACTOR) -> None:
        async def act(house: House) -> Notice:
            async with house.database.writing() as connection:
                return await move.act(connection, notice_id, by=By(actor, VIA, clock()))

        in_house(act)
        OUT.print(f"Notice {notice_id} {move.done.format(id=notice_id)}.")

    command.__name__ = name
    return command


def send(
    notice_id: NoticeId,
    watching: Annotated[bool, typer.Option("--watch", help="Show progress until it has ended.")] = False,
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Let a notice go; `ballotline run` sends it.

    Example: ballotline notice send 3 --watch
    """

    async def act(house: House) -> None:
        on = house.settings.channels_on
        async with house.database.writing() as connection:
            sent = await sending.send(connection, notice_id, by=By(actor, VIA, clock()), providers=on)
            counts = await reports.progress(connection, notice_id)
        OUT.print(f"Notice {notice_id} is {sent.state}: {sum(counts.values())} messages planned.")
        if watching:
            await _watch(house, notice_id)

    in_house(act)


def watch(notice_id: NoticeId) -> None:
    """Show a notice's progress until it has ended.

    Example: ballotline notice watch 3
    """

    async def act(house: House) -> None:
        await _watch(house, notice_id)

    in_house(act)


async def _watch(house: House, notice_id: int) -> None:
    async with house.database.reading() as connection:
        total = sum((await reports.progress(connection, notice_id)).values())
    with progress_bar(f"Notice {notice_id}", total or None) as moved:
        while True:
            async with house.database.reading() as connection:
                counts = await reports.progress(connection, notice_id)
                state = (await notices.show(connection, notice_id)).state
            moved(sum(counts.values()) - counts.get("ready", 0) - counts.get("sending", 0))
            if state in ENDED:
                break
            await asyncio.sleep(LOOK_SECONDS)
    OUT.print(f"Notice {notice_id} is {state}. See: ballotline notice report {notice_id}")


def list_notices(as_json: AsJson = False) -> None:
    """List notices, newest first.

    Example: ballotline notice list
    """

    async def act(house: House) -> list[Notice]:
        async with house.database.reading() as connection:
            return await notices.list_notices(connection)

    rows = [_facts(notice) for notice in in_house(act)]
    if as_json:
        print_json({"notices": rows})
        return
    columns = ["id", "kind", "audience", "state", "members", "cost", "author", "approved_by"]
    print_table("Notices", columns, [[row[column] for column in columns] for row in rows])


def report(
    notice_id: NoticeId,
    as_json: AsJson = False,
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Write each member's outcome to this file.")] = None,
) -> None:
    """Say who was told, who was not and why, of whom it is not known.

    Example: ballotline notice report 3 --csv told.csv
    """

    async def act(house: House) -> dict[str, Any]:
        async with house.database.reading() as connection:
            if csv_file is not None:
                await write_report_csv(connection, notice_id, csv_file)
            return (await reports.report(connection, notice_id)).as_json()

    facts = in_house(act)
    if as_json:
        print_json({**facts, "csv": csv_file})
        return
    flat = {name: _flat(value) for name, value in facts.items() if value not in (None, {})}
    print_facts(f"Notice {notice_id}", flat)
    if csv_file is not None:
        OUT.print(f"Each member's outcome is in {csv_file}.")


def _print_preview(seen: Preview, *, as_json: bool) -> None:
    if as_json:
        print_json(seen.as_json())
        return
    reached = {name: count for name, count in seen.audience.items() if count}
    facts = {
        "kind": seen.kind,
        "audience": f"{seen.audience_name}: {seen.members} members",
        "by": _flat(reached),
        "cost": f"{seen.cost} {seen.currency}",
    }
    print_facts(f"Notice {seen.notice_id}", facts)
    for one in seen.texts:
        size = f", {one.encoding}, {_segments(one.segments)} each, {one.cost} {seen.currency}" if one.segments else ""
        OUT.print()
        OUT.print(f"[bold]{one.channel}, {one.language}[/bold] ({one.recipients} recipients{size})")
        OUT.print(_as_read(one.text) if one.channel == TELEGRAM else one.text, markup=False)
    OUT.print()
    OUT.print(f"Next, as another person: ballotline notice approve {seen.notice_id} --as THEIR-NAME")


def _segments(count: int) -> str:
    return "1 segment" if count == 1 else f"{count} segments"


def _as_read(markup: str) -> str:
    """Give a Telegram message as a person reads it, without its HTML."""
    return html.unescape(re.sub(r"<[^>]+>", "", markup))


def _texts(file: Path | None, first: str) -> dict[str, str]:
    """Read words by language: a line such as [cy] begins another; before any, it is the poll's first."""
    if file is None:
        raise NoticeTextMissing(language=first)
    found: dict[str, list[str]] = {}
    language = first
    for line in file.read_text(encoding="utf-8-sig").splitlines():
        if line.startswith("[") and line.rstrip().endswith("]"):
            language = line.strip()[1:-1].strip()
        else:
            found.setdefault(language, []).append(line)
    return {language: "\n".join(lines).strip() for language, lines in found.items() if any(map(str.strip, lines))}


def _moment(raw: str | None, timezone: str) -> datetime | None:
    if raw is None:
        return None
    moment = read_moment(raw, ZoneInfo(timezone))
    if moment is None:
        raise MomentUnreadable(moment=raw)
    return moment


def _facts(notice: Notice) -> dict[str, Any]:
    return {
        "id": notice.id,
        "kind": str(notice.content.kind),
        "audience": notice.content.audience,
        "state": notice.state,
        "pause_reason": notice.pause_reason,
        "members": notice.members,
        "cost": notice.cost,
        "author": notice.author,
        "approved_by": notice.approved_by,
        "created_at": notice.created_at,
        "send_at": notice.content.send_at,
        "ended_at": notice.ended_at,
    }


def _flat(value: object) -> object:
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in value.items())
    return value
