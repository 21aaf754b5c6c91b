"""The file as read, for the length of the import: what differs is then found by set-based statements.

So memory does not grow with the roll.
"""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    delete,
    func,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateIndex, CreateTable, DropTable

from voting.imports.csv_file import batches
from voting.imports.report import ImportReport, Level
from voting.roll.rows import Entry

STAGED: Final = Table(
    "staged_roll",
    MetaData(),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("member_no", Text, nullable=False),
    Column("number_key", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("area", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("phone", Text),
    Column("phone_reason", Text),
    Column("person_digest", LargeBinary),
    Column("joined_on", Date),
    Column("eligible", Boolean, nullable=False),
    Column("ineligible_reason", Text),
    prefixes=["TEMPORARY"],
)
_SQLITE: Final = "INSERT INTO staged_roll VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_POSTGRESQL: Final = "INSERT INTO staged_roll VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::date, $11, $12)"
_INDEX: Final = Index("ix_staged_roll_member_no", STAGED.c.member_no)


async def begin(connection: AsyncConnection) -> None:
    """Make the empty table."""
    await connection.execute(CreateTable(STAGED))


async def stage(connection: AsyncConnection, entries: Iterable[Entry]) -> int:
    """Add at most a batch of rows; say how many."""
    rows = list(entries)
    if rows:
        statement = _SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL
        # The driver's own executemany: what SQLAlchemy does for each of a million values costs more than all the rest.
        await connection.exec_driver_sql(statement, rows)
    return len(rows)


async def settle(connection: AsyncConnection, report: ImportReport) -> int:
    """Make the table ready to be compared; give how many rows were dropped as repeated."""
    await connection.execute(CreateIndex(_INDEX))
    await connection.execute(text("ANALYZE staged_roll"))
    return await _drop_repeats(connection, report)


async def end(connection: AsyncConnection) -> None:
    """Drop the table."""
    await connection.execute(DropTable(STAGED))


async def _drop_repeats(connection: AsyncConnection, report: ImportReport) -> int:
    """Reject every line whose member_no stands on an earlier one; its other warnings are dropped."""
    first = (
        select(STAGED.c.member_no, func.min(STAGED.c.line).label("line"))
        .group_by(STAGED.c.member_no)
        .having(func.count() > 1)
        .subquery()
    )
    later = select(STAGED.c.line, STAGED.c.member_no, first.c.line.label("first")).where(
        STAGED.c.member_no == first.c.member_no, STAGED.c.line > first.c.line
    )
    repeats = (await connection.execute(later)).all()
    gone = {repeat.line for repeat in repeats}
    report.rows = [row for row in report.rows if row.level is Level.REJECTED or row.line not in gone]
    for repeat in repeats:
        report.reject(repeat.line, repeat.member_no, f"the member_no is already on line {repeat.first}")
    for lines in batches(gone):
        await connection.execute(delete(STAGED).where(STAGED.c.line.in_(lines)))
    return len(gone)
