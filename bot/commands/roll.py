"""`roll`: who may vote."""

from pathlib import Path
from typing import Annotated

import typer

from bot.commands.terminal import DEFAULT_ACTOR, OUT, VIA, Actor, AsJson, DryRun, print_report, progress_bar
from voting.csv_file import ImportReport
from voting.model import By


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(help="The roll: who may vote.", no_args_is_help=True)
    nouns.command("import")(roll_import)
    nouns.command("lapse")(lapse)
    nouns.command("restore")(restore)
    app.add_typer(nouns, name="roll")


def roll_import(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The roll, CSV.")],
    dry_run: DryRun = False,
    as_json: AsJson = False,
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Bring the roll up to a file; what was rejected or doubtful goes to FILE.report.csv.

    Example: ballotline roll import roll.csv --dry-run
    """
    from bot.house import House, in_house
    from messages.roll_import import import_roll

    async def act(house: House) -> ImportReport:
        with progress_bar("Reading the roll", quiet=as_json) as progress:
            return await import_roll(
                house.database,
                file,
                house.secrets,
                by=By(actor, VIA, house.clock()),
                dry_run=dry_run,
                progress=progress,
            )

    report = in_house(act)
    print_report(file, report, dry_run=dry_run, as_json=as_json)


def lapse(
    member_no: Annotated[str, typer.Argument(metavar="MEMBER_NO")],
    reason: Annotated[str, typer.Option(help="Why, for staff.")],
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Take the right to vote from a member from now on; a vote already locked stands.

    Example: ballotline roll lapse 0100007 --reason "left on 12 August"
    """
    from bot.house import House, in_house
    from voting.roll import roll

    async def act(house: House) -> None:
        async with house.database.writing() as connection:
            await roll.lapse(connection, member_no, reason, by=By(actor, VIA, house.clock()))
        OUT.print(f"{member_no} may not vote any more.")

    in_house(act)


def restore(
    member_no: Annotated[str, typer.Argument(metavar="MEMBER_NO")],
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Give a member the right to vote back.

    Example: ballotline roll restore 0100007
    """
    from bot.house import House, in_house
    from voting.roll import roll

    async def act(house: House) -> None:
        async with house.database.writing() as connection:
            await roll.restore(connection, member_no, by=By(actor, VIA, house.clock()))
        OUT.print(f"{member_no} may vote again.")

    in_house(act)
