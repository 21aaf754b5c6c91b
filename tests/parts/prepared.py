"""What the tests of the poll's papers start from: a poll, secrets, a roll written for the occasion."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Table, select
from trustee_town import UUID, dealt

from messages.words import phone
from voting import schema, secrets_file
from voting.imports.report import Agreed
from voting.imports.taking import OnTaken
from voting.model import By, Poll, Question, Window
from voting.poll import polls
from voting.roll.importing import RollReport, import_roll
from voting.roll.rows import COLUMNS
from voting.store.database import Database

NOW = datetime(2022, 8, 3, 10, 0, tzinfo=UTC)
OPENS_AT = datetime(2022, 8, 1, 8, 0, tzinfo=UTC)
GWEN = By("Gwen", "command line", NOW)
SIZES_AGREED = Agreed(sizes=True)
CLOSES_AT = datetime(2022, 9, 2, 16, 0, tzinfo=UTC)


def asked(text: str, *options: str, **rules: Any) -> Question:
    """A question that is the same in both languages; `rules` are its other fields."""
    both = ("en-GB", "cy")
    return Question(dict.fromkeys(both, text), tuple(dict.fromkeys(both, option) for option in options), **rules)


def options_of(poll: Poll) -> tuple[str, ...]:
    """Name the options of a poll's first question."""
    return poll.names_of(poll.questions[0])


POLL = Poll(
    id="leader-2022",
    title="The leader ballot",
    questions=(asked("Who shall lead?", "North", "South"),),
    opens_at=OPENS_AT,
    closes_at=CLOSES_AT,
    timezone="Europe/London",
    joined_by=date(2022, 6, 3),
    languages=("en-GB", "cy"),
    rule={"en-GB": "One vote.", "cy": "Un bleidlais."},
    uuid=UUID,
)
WINDOW = Window(1, date(2022, 8, 1), date(2022, 8, 5), "poll file", NOW, "Gwen")
SECRETS = secrets_file.make()
HEADER = ",".join(COLUMNS)


def read_phone(raw: str, country: str | None) -> tuple[str | None, str | None]:
    """Join the floors as the composition root does."""
    read = phone.read_phone(raw, country)
    return read.e164, read.reason


def line(member_no: str, **cells: str) -> str:
    """Write one line of a roll whose cells are all in order unless said otherwise."""
    usual = {
        "member_no": member_no,
        "name": f"Member {member_no}",
        "address_1": "1 High St",
        "town": "York",
        "postcode": "YO1 7NT",
        "country": "GB",
        "phone": "07700 900123",
        "language": "en-GB",
        "area": "Yorkshire",
        "joined_on": "2011-05-02",
    }
    return ",".join((usual | cells).get(name, "") for name in COLUMNS)


def write_roll(path: Path, lines: Iterable[str]) -> Path:
    path.write_text("\n".join([HEADER, *lines, ""]), encoding="utf-8")
    return path


async def make_poll(database: Database, **changes: object) -> Poll:
    async with database.writing() as connection:
        return await polls.init(connection, replace(POLL, **changes), WINDOW, SECRETS, by=GWEN)


async def take_roll(
    database: Database,
    path: Path,
    *,
    by: By = GWEN,
    agreed: Agreed = SIZES_AGREED,
    dry_run: bool = False,
    progress: Callable[[int], None] | None = None,
    on_taken: OnTaken | None = None,
) -> RollReport:
    """Import a roll whose sizes nobody minds."""
    return await import_roll(
        database,
        path,
        SECRETS,
        read_phone=read_phone,
        by=by,
        agreed=agreed,
        dry_run=dry_run,
        progress=progress,
        on_taken=on_taken,
    )


async def open_with_key(database: Database, now: datetime = NOW) -> Poll:
    """Give the prepared poll an election key and open it."""
    async with database.writing() as connection:
        await polls.set_trustees(connection, dealt().trustees.data, "dealer", by=By("Gwen", "command line", now))
        return await polls.open_poll(connection, by=By("Gwen", "command line", now), despite_missing_packs=True)


async def rows(database: Database, table: Table, *columns: ColumnElement[object]) -> list[tuple[object, ...]]:
    """Give whole rows, or the named columns, in the order of the first column."""
    async with database.reading() as connection:
        wanted = columns or tuple(table.c)
        return [tuple(row) for row in await connection.execute(select(*wanted).order_by(wanted[0]))]


async def chain_kinds(database: Database) -> list[str]:
    async with database.reading() as connection:
        found = await connection.execute(select(schema.chain.c.kind).order_by(schema.chain.c.seq))
        return [row.kind for row in found]


def later(**span: float) -> datetime:
    return NOW + timedelta(**span)
