"""`packs`: issue, update, replace."""

from pathlib import Path
from typing import Annotated

import typer

from bot.commands.importing import take_and_tell
from bot.commands.spoken import name_of, text
from bot.commands.terminal import (
    DEFAULT_ACTOR,
    OUT,
    VIA,
    Actor,
    AsJson,
    DryRun,
    error_line,
    print_facts,
    print_json,
    progress_bar,
)
from voting.imports.report import ImportReport
from voting.model import By

PrintFile = Annotated[Path, typer.Option("--print-file", help="File for the mailing house; it must not exist yet.")]
Recipient = Annotated[
    str | None, typer.Option(help="The mailing house's age key (age1...): the file is encrypted to it.")
]
RollFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--roll",
        metavar="FILE",
        help="A file of the roll, as often as there are files; not given: the one imported last.",
    ),
]
Mark = Annotated[
    bool, typer.Option("--mark", help="Begin with a byte order mark, so that a spreadsheet shows every letter right.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(help="The letters with the codes.", no_args_is_help=True)
    nouns.command("issue")(issue)
    nouns.command("update")(update)
    nouns.command("replace")(replace)
    nouns.command("unlock")(unlock)
    app.add_typer(nouns, name="packs")


def issue(
    print_file: PrintFile,
    recipient: Recipient = None,
    roll_files: RollFiles = None,
    mark: Mark = False,
    nowhere_too: Annotated[
        bool, typer.Option("--to-incomplete-addresses", help="Also for those without a name or an address.")
    ] = False,
    despite: Annotated[
        bool, typer.Option("--despite-missing-packs", help="Exit with 0 although somebody is left without a pack.")
    ] = False,
    as_json: AsJson = False,
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Make a pack for everybody who may vote and has none; the codes exist in the print file only.

    Names and addresses are read from the roll's file: the one imported last, or those named with --roll. Exits with 1
    when somebody who may vote is left without a pack.

    Example: ballotline packs issue --print-file print.csv.age --recipient age1... --roll north.csv --roll south.csv
    """
    from bot.commands.issuing import what_was_made, who_is_left
    from bot.edge.links import bot_url, vote_url
    from bot.house import House, in_house
    from voting.packs import packs
    from voting.packs.packing import imported_rolls

    async def act(house: House) -> tuple[packs.Issued, list[Path]]:
        url = await bot_url(house.settings, "pack")
        with progress_bar(text("commands", "packs.making"), quiet=as_json) as progress:
            printing = packs.Printing(
                print_file,
                url,
                recipient=recipient,
                roll_paths=tuple(roll_files or ()),
                nowhere_too=nowhere_too,
                mark=mark,
                vote_url=vote_url(house.settings),
            )
            issued = await packs.issue(
                house.database, house.secrets, printing, by=By(actor, VIA, house.clock()), progress=progress
            )
        async with house.database.reading() as connection:
            return issued, await imported_rolls(connection)

    issued, rolls = in_house(act)
    if as_json:
        print_json(
            {
                "issued": issued.packs,
                "print_file": str(issued.file) if issued.packs else None,
                "missing": issued.left,
                "incomplete": issued.nowhere,
            }
        )
    else:
        OUT.print(what_was_made(issued, encrypted=recipient is not None))
    for sentence in who_is_left(issued, rolls):
        error_line(sentence)
    if issued.left and not despite:
        raise typer.Exit(1)


def update(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="member_no,event,on[,pack_code]; - reads a pipe.")],
    dry_run: DryRun = False,
    as_json: AsJson = False,
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Take in what became of packs: dispatched, delivered, returned.

    Columns: member_no, event (dispatched, delivered or returned), on (2022-08-01) and, where a pack was replaced,
    pack_code: which envelope. `ballotline template pack-events` prints an empty one.

    Example: ballotline packs update pack-events.csv
    """
    from bot.house import House, in_house
    from voting.packs import packs

    async def act(house: House) -> ImportReport:
        by = By(actor, VIA, house.clock())
        return await packs.update_events(house.database, file, house.secrets, by=by, dry_run=dry_run)

    take_and_tell(file, lambda _: in_house(act), dry_run=dry_run, as_json=as_json)


def replace(
    member_no: Annotated[str, typer.Argument(metavar="MEMBER_NO")],
    print_file: PrintFile,
    reason: Annotated[str, typer.Option(help="Why, for whoever approves.")] = "",
    recipient: Recipient = None,
    roll_files: RollFiles = None,
    mark: Mark = False,
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Replace a lost or damaged pack: one person asks, another runs the same command to approve and issue.

    Example: ballotline packs replace 0100007 --print-file again.csv --reason "never came" --as Gwen
    """
    from bot.edge.links import bot_url, vote_url
    from bot.house import House, in_house
    from voting.packs import packs

    async def act(house: House) -> packs.Asked | packs.Issued:
        url = await bot_url(house.settings, "pack")
        printing = packs.Printing(
            print_file,
            url,
            recipient=recipient,
            roll_paths=tuple(roll_files or ()),
            mark=mark,
            vote_url=vote_url(house.settings),
        )
        return await packs.replace(
            house.database, house.secrets, member_no, printing, reason=reason, by=By(actor, VIA, house.clock())
        )

    done = in_house(act)
    if isinstance(done, packs.Asked):
        OUT.print(text("commands", "packs.asked", name=done.asked_by, member_no=member_no))
        OUT.print(text("commands", "packs.another"))
    else:
        facts = {"print file": done.file, "old codes": text("commands", "packs.old_stopped")}
        title = text("commands", "packs.new", member_no=member_no)
        print_facts(title, {name_of(name): fact for name, fact in facts.items()})


def unlock(
    member_no: Annotated[str, typer.Argument(metavar="MEMBER_NO")],
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Let a pack be tried again after too many wrong vote codes.

    Example: ballotline packs unlock 0100007 --as Gwen
    """
    from bot.house import House, in_house
    from voting.votes.wrong_codes import lift_lockout

    async def act(house: House) -> bool:
        async with house.database.writing() as connection:
            return await lift_lockout(connection, member_no, by=By(actor, VIA, house.clock()))

    said = "packs.unlocked" if in_house(act) else "packs.was_not_locked"
    OUT.print(text("commands", said, member_no=member_no))
