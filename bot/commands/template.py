"""`template`: an empty file of each kind that is imported."""

import csv
import sys
from enum import StrEnum
from typing import Annotated, Final

import typer

from voting.imports.csv_file import EXAMPLE


class Kind(StrEnum):
    """What the file is for."""

    ROLL = "roll"
    PACK_EVENTS = "pack-events"
    POSTAL = "postal"
    POSTAL_COUNT = "postal-count"


# Each is an example row, which is never taken: an import reports it as what it is.
EXAMPLES: Final = {
    Kind.ROLL: (
        EXAMPLE,
        "Siân Example",
        "1 Harbour Street",
        "",
        "Aberwenog",
        "ZZ1 1AA",
        "GB",
        "07700 900123",
        "en-GB",
        "North",
        "2011-05-02",
    ),
    Kind.PACK_EVENTS: (EXAMPLE, "dispatched", "2022-08-01", "ABC-DEF-GHJ"),
    Kind.POSTAL: (EXAMPLE, "2022-08-05T09:00", "received"),
    Kind.POSTAL_COUNT: (EXAMPLE, "(blank)", "0"),
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(template)


def template(kind: Annotated[Kind, typer.Argument(help="Which file.")]) -> None:
    """Print an empty file with its heading and one example row, which an import leaves out.

    Example: ballotline template roll > roll.csv
    """
    from voting.packs import mailing_house
    from voting.post import papers, scanned
    from voting.roll import rows

    columns = {
        Kind.ROLL: rows.COLUMNS,
        Kind.PACK_EVENTS: (*mailing_house.COLUMNS, *mailing_house.OPTIONAL),
        Kind.POSTAL: scanned.COLUMNS,
        Kind.POSTAL_COUNT: (*papers.NAMING, *papers.COLUMNS),
    }
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns[kind])
    writer.writerow(EXAMPLES[kind])
