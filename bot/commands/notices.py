"""`notice`: draft, approve, send, watch and report what is told to many."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from bot.commands.spoken import audience_name, kind_name, moment, name_of, report_facts, state_name, text
from bot.commands.terminal import (
    DEFAULT_ACTOR,
    OUT,
    VIA,
    Actor,
    AsJson,
    print_facts,
    print_json,
    print_table,
    read_time,
)
from messages.words.kinds import Kind
from voting.model import By

NoticeId = Annotated[int, typer.Argument(metavar="ID")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(help="What is told to many: two people, one send.", no_args_is_help=True)
    nouns.command("draft")(draft)
    nouns.command("show")(show)
    for name, about in MOVES.items():
        nouns.command(name, help=about)(_mover(name))
    nouns.command("send")(send)
    nouns.command("resume-texts")(resume_texts)
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
    texts_when_held: Annotated[
        bool,
        typer.Option("--texts-when-held", help="By text while Telegram takes nothing for over a minute."),
    ] = False,
    as_json: AsJson = False,
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Write a notice; show whom it would reach, each text, its segments and its cost.

    Example: ballotline notice draft window_changed --audience all
    """
    from bot.commands.notice_page import print_preview
    from bot.commands.notice_texts import read_texts
    from bot.edge.links import ways_now
    from bot.house import House, in_house
    from messages.notices import notices
    from messages.notices.model import Content
    from messages.notices.preview import Preview, preview
    from voting.poll import polls

    async def act(house: House) -> Preview:
        ways = await ways_now(house.settings)
        async with house.database.writing() as connection:
            poll = await polls.load(connection)
            content = Content(
                kind=kind,
                audience=audience,
                texts=read_texts(text_file, poll.languages[0]) if kind is Kind.CUSTOM else {},
                urgent=urgent,
                send_at=read_time(send_at, poll.timezone),
                send_before=read_time(send_before, poll.timezone),
                texts_when_held=texts_when_held,
            )
            made = await notices.draft(connection, content, ways=ways, by=By(actor, VIA, house.clock()))
            return await preview(connection, made, now=house.clock())

    print_preview(in_house(act), as_json=as_json)


def show(notice_id: NoticeId, as_json: AsJson = False) -> None:
    """Show a notice as `draft` did, with what it would do now.

    Example: ballotline notice show 3
    """
    from bot.commands.notice_page import print_preview
    from bot.house import House, in_house
    from messages.notices import notices
    from messages.notices.preview import Preview, preview

    async def act(house: House) -> Preview:
        async with house.database.reading() as connection:
            return await preview(connection, await notices.show(connection, notice_id), now=house.clock())

    print_preview(in_house(act), as_json=as_json)


# One step of a notice's life as a command, and its help.
MOVES: Final = {
    "submit": "Offer a notice for approval.\n\nExample: ballotline notice submit 3",
    "approve": "Approve a notice that another person wrote.\n\nExample: ballotline notice approve 3 --as Gwen",
    "pause": "Stop sending for now.\n\nExample: ballotline notice pause 3",
    "resume": "Go on where it stopped.\n\nExample: ballotline notice resume 3",
    "cancel": "End a notice for good.\n\nExample: ballotline notice cancel 3",
}


def _mover(name: str) -> Callable[[int, str], None]:
    def command(notice_id: NoticeId, actor: Actor = DEFAULT_ACTOR) -> None:
        from bot.house import House, in_house
        from messages.notices import life, notices

        acts = {
            "submit": notices.submit,
            "approve": notices.approve,
            "pause": life.pause,
            "resume": life.resume,
            "cancel": life.cancel,
        }

        async def act(house: House) -> None:
            async with house.database.writing() as connection:
                await acts[name](connection, notice_id, by=By(actor, VIA, house.clock()))

        in_house(act)
        OUT.print(text("commands", f"notice.done.{name}", id=notice_id))

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
    from bot.commands.notice_page import watch_notice
    from bot.house import House, in_house
    from messages.notices import reports, sending

    async def act(house: House) -> None:
        on = house.settings.channels_on
        async with house.database.writing() as connection:
            sent = await sending.send(connection, notice_id, by=By(actor, VIA, house.clock()), providers=on)
            counts = await reports.progress(connection, notice_id)
        planned, state = sum(counts.values()), state_name(sent.state)
        OUT.print(text("commands", "notice.sent", id=notice_id, state=state, number=planned))
        if watching:
            await watch_notice(house, notice_id)

    in_house(act)


def resume_texts(
    reason: Annotated[str, typer.Option(help="Why, for the chain.")],
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Let texts go again before the day is over that Twilio's limit holds them for: the limit was raised.

    Example: ballotline notice resume-texts --reason "Twilio raised the account's limit"
    """
    from bot.house import House, in_house
    from messages import texts_resumed

    async def act(house: House) -> None:
        async with house.database.writing() as connection:
            held_until = await texts_resumed.resume(connection, reason, by=By(actor, VIA, house.clock()))
        OUT.print(text("commands", "notice.texts_again", until=moment(held_until)))

    in_house(act)


def watch(notice_id: NoticeId) -> None:
    """Show a notice's progress until it has ended.

    Example: ballotline notice watch 3
    """
    from bot.commands.notice_page import watch_notice
    from bot.house import House, in_house

    async def act(house: House) -> None:
        await watch_notice(house, notice_id)

    in_house(act)


def list_notices(as_json: AsJson = False) -> None:
    """List notices, newest first.

    Example: ballotline notice list
    """
    from bot.house import House, in_house
    from messages.notices import notices
    from messages.notices.model import Notice

    async def act(house: House) -> list[Notice]:
        async with house.database.reading() as connection:
            return await notices.list_notices(connection)

    rows = [
        {
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
        for notice in in_house(act)
    ]
    if as_json:
        print_json({"notices": rows})
        return
    columns = ["id", "kind", "audience", "state", "members", "cost", "author", "approved_by"]
    shown = [
        row
        | {
            "kind": kind_name(str(row["kind"])),
            "audience": audience_name(str(row["audience"])),
            "state": state_name(str(row["state"])),
        }
        for row in rows
    ]
    heads = [name_of(column) for column in columns]
    print_table(text("commands", "notice.list"), heads, [[row[column] for column in columns] for row in shown])


def report(
    notice_id: NoticeId,
    as_json: AsJson = False,
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Write each member's outcome to this file.")] = None,
) -> None:
    """Say who was told, who was not and why, of whom it is not known.

    Example: ballotline notice report 3 --csv told.csv
    """
    from bot.house import House, in_house
    from messages.notices import reports
    from messages.notices.report_csv import write_report_csv

    async def act(house: House) -> dict[str, Any]:
        async with house.database.reading() as connection:
            if csv_file is not None:
                await write_report_csv(connection, notice_id, csv_file)
            return (await reports.report(connection, notice_id)).as_json()

    facts = in_house(act)
    if as_json:
        print_json({**facts, "csv": csv_file})
        return
    print_facts(text("commands", "notice.title", notice=notice_id), report_facts(facts))
    if csv_file is not None:
        OUT.print(text("commands", "notice.csv", file=str(csv_file)))
