"""`roll`: who may vote."""

from pathlib import Path
from typing import Annotated

import typer

from bot.commands.importing import Distinct, Yes, agreed_by, take_and_tell
from bot.commands.spoken import text
from bot.commands.terminal import DEFAULT_ACTOR, OUT, VIA, Actor, AsJson, DryRun, progress_bar
from voting.imports.report import Agreed, ImportReport
from voting.model import By


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(help="The roll: who may vote.", no_args_is_help=True)
    nouns.command("import")(roll_import)
    nouns.command("lapse")(lapse)
    nouns.command("restore")(restore)
    nouns.command("remove")(remove)
    app.add_typer(nouns, name="roll")


def roll_import(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The roll, CSV; - reads a pipe.")],
    dry_run: DryRun = False,
    yes: Yes = False,
    distinct: Distinct = None,
    as_json: AsJson = False,
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Bring the roll up to a file; what was rejected or doubtful goes to FILE.report.csv.

    Columns, in any order: member_no, name, address_1, address_2, town, postcode, country (GB, or its two letters),
    phone (as written in that country), language, area, joined_on (2011-05-02). `ballotline template roll` prints an
    empty one. Commas, semicolons, tabs; UTF-8, or UTF-16 as a spreadsheet's "Unicode Text".

    Members who are not in the file stay on the roll. A file that would change much asks first, or exits with 1.

    Example: ballotline roll import roll.csv --dry-run
    """
    from bot.house import House, in_house
    from messages.roll_import import import_roll

    async def take(house: House, agreed: Agreed) -> ImportReport:
        with progress_bar(text("commands", "roll.reading"), quiet=as_json) as progress:
            return await import_roll(
                house.database,
                file,
                house.secrets,
                by=By(actor, VIA, house.clock()),
                agreed=agreed,
                dry_run=dry_run,
                progress=progress,
            )

    def taken(agreed: Agreed) -> ImportReport:
        return in_house(lambda house: take(house, agreed))

    take_and_tell(file, taken, agreed_by(yes, distinct), dry_run=dry_run, as_json=as_json)


def lapse(
    reason: Annotated[str, typer.Option(help="Why, for staff.")],
    member_no: Annotated[str | None, typer.Argument(metavar="MEMBER_NO", help="One member.")] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Many: a CSV file with a column member_no, or the report that lists who is gone."
        ),
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Take the right to vote from one member, or from many, from now on; a vote already locked stands.

    Of a report of `roll import` only the members who are gone from its file count.

    Example: ballotline roll lapse --file roll.csv.report.csv --reason "left in August"
    """
    if (member_no is None) == (file is None):
        raise typer.BadParameter("name either one MEMBER_NO or a --file")
    if file is not None:
        _lapse_many(file, reason, actor, dry_run=dry_run, yes=yes, as_json=as_json)
    elif member_no is not None:
        _lapse_one(member_no, reason, actor)


def _lapse_many(file: Path, reason: str, actor: str, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    from bot.house import House, in_house
    from voting.roll.leaving import lapse_file

    async def take(house: House, agreed: Agreed) -> ImportReport:
        by = By(actor, VIA, house.clock())
        return await lapse_file(house.database, file, reason, by=by, agreed=agreed, dry_run=dry_run)

    def taken(agreed: Agreed) -> ImportReport:
        return in_house(lambda house: take(house, agreed))

    take_and_tell(file, taken, agreed_by(yes, None), dry_run=dry_run, as_json=as_json)


def _lapse_one(member_no: str, reason: str, actor: str) -> None:
    from bot.house import House, in_house
    from voting.roll import roll

    async def act(house: House) -> None:
        async with house.database.writing() as connection:
            await roll.lapse(connection, member_no, reason, by=By(actor, VIA, house.clock()))
        OUT.print(text("commands", "roll.not_any_more", member_no=member_no))

    in_house(act)


def remove(
    member_no: Annotated[str, typer.Argument(metavar="MEMBER_NO")],
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Take a member off the roll who was taken in by mistake, before there is a pack for them.

    Example: ballotline roll remove 0100007
    """
    from bot.house import House, in_house
    from messages import roll_removal

    async def act(house: House) -> None:
        async with house.database.writing() as connection:
            await roll_removal.remove(connection, member_no, by=By(actor, VIA, house.clock()))
        OUT.print(text("commands", "roll.removed", member_no=member_no))

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
        OUT.print(text("commands", "roll.again", member_no=member_no))

    in_house(act)
