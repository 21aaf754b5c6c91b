"""`packs`: issue, update, replace."""

from pathlib import Path
from typing import Annotated

import typer

from bot.commands.terminal import (
    DEFAULT_ACTOR,
    OUT,
    VIA,
    Actor,
    AsJson,
    DryRun,
    print_facts,
    print_json,
    print_report,
    progress_bar,
)
from voting.csv_file import ImportReport
from voting.model import By

PrintFile = Annotated[Path, typer.Option("--print-file", help="File for the mailing house; it must not exist yet.")]
Recipient = Annotated[
    str | None, typer.Option(help="The mailing house's age key (age1...): the file is encrypted to it.")
]
RollFile = Annotated[Path | None, typer.Option("--roll", help="The roll file, if it is not where it was imported.")]


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
    roll_file: RollFile = None,
    as_json: AsJson = False,
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Make a pack for everybody who may vote and has none; the codes exist in the print file only.

    Example: ballotline packs issue --print-file print.csv.age --recipient age1...
    """
    from bot.edge.links import bot_url
    from bot.house import House, in_house
    from voting.packs import packs

    async def act(house: House) -> packs.Issued:
        url = await bot_url(house.settings, "pack")
        with progress_bar("Making packs", quiet=as_json) as progress:
            printing = packs.Printing(print_file, url, recipient=recipient, roll_path=roll_file)
            return await packs.issue(
                house.database, house.secrets, printing, by=By(actor, VIA, house.clock()), progress=progress
            )

    issued = in_house(act)
    if as_json:
        print_json({"issued": issued.packs, "print_file": str(print_file)})
    elif issued.packs:
        kept = "encrypted" if recipient else "NOT encrypted: give it to the mailing house safely, then delete it"
        OUT.print(f"{issued.packs} packs are in {print_file} ({kept}).")
    else:
        OUT.print("Everybody who may vote has a pack already; nothing was made.")


def update(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="member_no,event,on")],
    dry_run: DryRun = False,
    as_json: AsJson = False,
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Take in what became of packs: dispatched, delivered, returned.

    Example: ballotline packs update pack-events.csv
    """
    from bot.house import House, in_house
    from voting.packs import packs

    async def act(house: House) -> ImportReport:
        return await packs.update_events(house.database, file, by=By(actor, VIA, house.clock()), dry_run=dry_run)

    print_report(file, in_house(act), dry_run=dry_run, as_json=as_json)


def replace(
    member_no: Annotated[str, typer.Argument(metavar="MEMBER_NO")],
    print_file: PrintFile,
    reason: Annotated[str, typer.Option(help="Why, for whoever approves.")] = "",
    recipient: Recipient = None,
    roll_file: RollFile = None,
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Replace a lost or damaged pack: one person asks, another runs the same command to approve and issue.

    Example: ballotline packs replace 0100007 --print-file again.csv --reason "never came" --as Gwen
    """
    from bot.edge.links import bot_url
    from bot.house import House, in_house
    from voting.packs import packs

    async def act(house: House) -> packs.Asked | packs.Issued:
        url = await bot_url(house.settings, "pack")
        printing = packs.Printing(print_file, url, recipient=recipient, roll_path=roll_file)
        return await packs.replace(
            house.database, house.secrets, member_no, printing, reason=reason, by=By(actor, VIA, house.clock())
        )

    done = in_house(act)
    if isinstance(done, packs.Asked):
        OUT.print(f"{done.asked_by} asked to replace the pack of {member_no}.")
        OUT.print("Another person now runs the same command with --as THEIR-NAME; nothing was issued yet.")
    else:
        print_facts(f"New pack for {member_no}", {"print file": print_file, "old codes": "stopped working"})


def unlock(
    member_no: Annotated[str, typer.Argument(metavar="MEMBER_NO")],
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Let a pack be tried again after too many wrong vote codes.

    Example: ballotline packs unlock 0100007 --as Gwen
    """
    from bot.house import House, in_house
    from voting.votes.checks import lift_lockout

    async def act(house: House) -> bool:
        async with house.database.writing() as connection:
            return await lift_lockout(connection, member_no, by=By(actor, VIA, house.clock()))

    OUT.print(f"{member_no}: " + ("unlocked." if in_house(act) else "was not locked out."))
