"""`postal`: scanned papers, and their count."""

from pathlib import Path
from typing import Annotated

import typer

from bot.commands.importing import take_and_tell
from bot.commands.spoken import text
from bot.commands.terminal import DEFAULT_ACTOR, OUT, VIA, Actor, AsJson, DryRun
from voting.imports.report import ImportReport
from voting.model import By


def register(app: typer.Typer) -> None:
    """Add the commands."""
    nouns = typer.Typer(help="Votes by post: scans and the count of papers.", no_args_is_help=True)
    nouns.command("import")(postal_import)
    nouns.command("count")(postal_count)
    app.add_typer(nouns, name="postal")


def postal_import(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="pack_code,received_at,status; - reads a pipe.")],
    dry_run: DryRun = False,
    as_json: AsJson = False,
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Take scanned papers into the same lock; a paper after an online vote stays unopened and makes a case.

    Columns: pack_code (as scanned), received_at (2022-08-05T09:00, in the poll's time zone), status (received or
    rejected). `ballotline template postal` prints an empty one. A paper locks its member for good; a status can be
    corrected until the count.

    Example: ballotline postal import postal.csv --dry-run
    """
    from bot.alerts import hooks
    from bot.house import House, in_house
    from voting.post import scans

    async def act(house: House) -> ImportReport:
        return await scans.import_postal(
            house.database,
            file,
            house.secrets,
            on_attempt=hooks.on_attempt,
            by=By(actor, VIA, house.clock()),
            dry_run=dry_run,
        )

    take_and_tell(file, lambda _: in_house(act), dry_run=dry_run, as_json=as_json)


def postal_count(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="option,votes")],
    justification: Annotated[
        str | None, typer.Option(help="Why the papers counted are not as many as were scanned.")
    ] = None,
    actor: Actor = DEFAULT_ACTOR,
) -> None:
    """Take in the count of the papers; a difference to the scans must be justified.

    Example: ballotline postal count postal-count.csv
    """
    from bot.house import House, in_house
    from voting.post import papers

    async def act(house: House) -> None:
        await papers.import_count(house.database, file, justification=justification, by=By(actor, VIA, house.clock()))

    in_house(act)
    OUT.print(text("commands", "post.taken", file=str(file)))
