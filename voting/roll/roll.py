"""The roll: who may vote. Imported from the membership system's file, row by row, with a report."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
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
    and_,
    case,
    delete,
    exists,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateIndex, CreateTable, DropTable

from voting import schema
from voting.audit import chain
from voting.csv_file import CsvFile, ImportReport, Level, Progress, batches, open_csv
from voting.model import By
from voting.poll import polls
from voting.refusals import UnknownMember
from voting.roll.rows import COLUMNS, Entry, Ineligible, Reader, ReadPhone, ineligible, person_digest
from voting.secrets_file import Secrets
from voting.store.database import Database

OnTaken = Callable[[AsyncConnection], Awaitable[None]]  # what belongs to a new roll, in its transaction

__all__ = [
    "COLUMNS",
    "Ineligible",
    "Member",
    "OnTaken",
    "ReadPhone",
    "find",
    "import_roll",
    "ineligible",
    "lapse",
    "person_digest",
    "restore",
]


@dataclass(frozen=True, slots=True)
class Member:
    """A member as stored: no name, no address. `phone` is E.164, or None with `phone_reason`."""

    id: int
    member_no: str
    language: str
    area: str
    country: str
    phone: str | None
    phone_reason: str | None
    joined_on: date | None
    eligible: bool
    ineligible_reason: str | None
    lapsed_at: datetime | None


async def import_roll(
    database: Database,
    path: Path,
    secrets: Secrets,
    *,
    read_phone: ReadPhone,
    by: By,
    dry_run: bool = False,
    progress: Progress | None = None,
    on_taken: OnTaken | None = None,
) -> ImportReport:
    """Bring the roll up to this file in one transaction; a dry run reports the same and leaves no trace.

    New members are added, known ones changed where the file differs; members who are not in the file stay as
    they are (`lapse` takes the right to vote away). Of lines that repeat a member_no the first is taken. A lock
    and a lapse outlive whatever the file says. The file's path and digest are kept, since packs are addressed
    from the file itself. `on_taken` does what belongs to a new roll in the same transaction, after everything else;
    a dry run does not call it. FileUnreadable, NoPoll, PollOver.
    """
    report = ImportReport()
    with open_csv(path, COLUMNS) as file:
        async with database.writing() as connection:
            poll = await polls.refuse_when_over(connection)
            reader = Reader(poll, secrets, read_phone, report)
            staged = await _stage(connection, reader.entries(file), progress)
            staged -= await _drop_repeats(connection, report)
            await _warn_of_duplicates(connection, report)
            await _warn_of_voters(connection, report)
            await _merge(connection, report, staged)
            await connection.execute(DropTable(_STAGED))
            if dry_run:
                await connection.rollback()
                return report
            await _remember_file(connection, file, by.at)
            if report.changes_something:
                body = {"sha256": file.sha256.hex(), **report.counts()}
                await chain.append(connection, "roll_imported", body, by=by)
            if on_taken is not None:
                await on_taken(connection)
    return report


async def find(connection: AsyncConnection, member_no: str) -> Member:
    """Give the member with this number; UnknownMember."""
    columns = [schema.member.c[name] for name in Member.__dataclass_fields__]
    found = select(*columns).where(schema.member.c.member_no == member_no)
    row = (await connection.execute(found)).mappings().first()
    if row is None:
        raise UnknownMember(member_no=member_no)
    return Member(**{name: row[name] for name in Member.__dataclass_fields__})


async def lapse(connection: AsyncConnection, member_no: str, reason: str, *, by: By) -> Member:
    """Take the right to vote from a member from now on; a vote already locked stands. UnknownMember, PollOver.

    `reason` is for staff and stays in the database; the published chain says only that one member lapsed.
    """
    await polls.refuse_when_over(connection)
    member = await find(connection, member_no)
    if member.lapsed_at is not None:
        return member
    values = {
        "eligible": False,
        "ineligible_reason": Ineligible.LAPSED.value,
        "lapsed_at": by.at,
        "lapsed_reason": reason,
    }
    await connection.execute(update(schema.member).where(schema.member.c.id == member.id).values(values))
    await chain.append(connection, "eligibility_lapsed", {"members": 1}, by=by)
    return await find(connection, member_no)


async def restore(connection: AsyncConnection, member_no: str, *, by: By) -> Member:
    """Undo a lapse: the join date alone decides again. UnknownMember, PollOver."""
    poll = await polls.refuse_when_over(connection)
    member = await find(connection, member_no)
    if member.lapsed_at is None:
        return member
    why = ineligible(member.joined_on, poll.joined_by)
    values = {"eligible": why is None, "ineligible_reason": why, "lapsed_at": None, "lapsed_reason": None}
    await connection.execute(update(schema.member).where(schema.member.c.id == member.id).values(values))
    await chain.append(connection, "eligibility_restored", {"members": 1}, by=by)
    return await find(connection, member_no)


# The file as read, for the length of the import: what differs is then found by set-based statements, and
# memory does not grow with the roll.
_STAGED: Final = Table(
    "staged_roll",
    MetaData(),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("member_no", Text, nullable=False),
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
_STAGE_SQLITE: Final = "INSERT INTO staged_roll VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_STAGE_POSTGRESQL: Final = "INSERT INTO staged_roll VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::text::date, $10, $11)"
_STAGED_INDEX: Final = Index("ix_staged_roll_member_no", _STAGED.c.member_no)


async def _stage(connection: AsyncConnection, entries: Iterator[Entry], progress: Progress | None) -> int:
    await connection.execute(CreateTable(_STAGED))
    statement = _STAGE_SQLITE if connection.dialect.name == "sqlite" else _STAGE_POSTGRESQL
    staged = 0
    for batch in batches(entries):
        # The driver's own executemany: SQLAlchemy's care for each of a million values costs more than all the rest.
        await connection.exec_driver_sql(statement, batch)
        staged += len(batch)
        if progress is not None:
            progress(staged)
    await connection.execute(CreateIndex(_STAGED_INDEX))
    await connection.execute(text("ANALYZE staged_roll"))
    return staged


async def _drop_repeats(connection: AsyncConnection, report: ImportReport) -> int:
    """Reject every line whose member_no stands on an earlier one, and say how many; other doubts about it are moot."""
    first = (
        select(_STAGED.c.member_no, func.min(_STAGED.c.line).label("line"))
        .group_by(_STAGED.c.member_no)
        .having(func.count() > 1)
        .subquery()
    )
    later = select(_STAGED.c.line, _STAGED.c.member_no, first.c.line.label("first")).where(
        _STAGED.c.member_no == first.c.member_no, _STAGED.c.line > first.c.line
    )
    repeats = (await connection.execute(later)).all()
    gone = {repeat.line for repeat in repeats}
    report.rows = [row for row in report.rows if row.level is Level.REJECTED or row.line not in gone]
    for repeat in repeats:
        report.reject(repeat.line, repeat.member_no, f"the member_no is already on line {repeat.first}")
    for lines in batches(gone):
        await connection.execute(delete(_STAGED).where(_STAGED.c.line.in_(lines)))
    return len(gone)


async def _warn_of_duplicates(connection: AsyncConnection, report: ImportReport) -> None:
    """Name one other member with the same name and postcode, whether in this file or on the roll before."""
    member = schema.member
    staged_too = exists().where(_STAGED.c.member_no == member.c.member_no)
    everybody = union_all(
        select(_STAGED.c.person_digest, _STAGED.c.member_no),
        select(member.c.person_digest, member.c.member_no).where(~staged_too),
    ).subquery()
    alike = (
        select(
            everybody.c.person_digest,
            func.min(everybody.c.member_no).label("one"),
            func.max(everybody.c.member_no).label("other"),
        )
        .where(everybody.c.person_digest.is_not(None))
        .group_by(everybody.c.person_digest)
        .having(func.count() > 1)
        .subquery()
    )
    twin = case((alike.c.one == _STAGED.c.member_no, alike.c.other), else_=alike.c.one)
    found = select(_STAGED.c.line, _STAGED.c.member_no, twin.label("twin")).where(
        _STAGED.c.person_digest == alike.c.person_digest
    )
    for row in await connection.execute(found):
        report.warn(row.line, row.member_no, f"possible duplicate of {row.twin} (same name and postcode)")


# A lapse outlives the file.
_ELIGIBLE: Final = case((schema.member.c.lapsed_at.is_(None), _STAGED.c.eligible), else_=false())
_INELIGIBLE_REASON: Final = case(
    (schema.member.c.lapsed_at.is_(None), _STAGED.c.ineligible_reason), else_=literal(Ineligible.LAPSED.value)
)
_NEW_VALUES: Final = {
    **{
        name: _STAGED.c[name]
        for name in ("language", "area", "country", "phone", "phone_reason", "person_digest", "joined_on")
    },
    "eligible": _ELIGIBLE,
    "ineligible_reason": _INELIGIBLE_REASON,
}
_SAME_MEMBER: Final = schema.member.c.member_no == _STAGED.c.member_no


async def _warn_of_voters(connection: AsyncConnection, report: ImportReport) -> None:
    voters = select(_STAGED.c.line, _STAGED.c.member_no).where(
        _SAME_MEMBER,
        schema.member.c.eligible,
        ~_ELIGIBLE,
        schema.lock.c.member_id == schema.member.c.id,
    )
    for row in await connection.execute(voters):
        report.warn(row.line, row.member_no, "may no longer vote, but has voted: the vote stands")


async def _merge(connection: AsyncConnection, report: ImportReport, staged: int) -> None:
    differs = or_(*(schema.member.c[name].is_distinct_from(new) for name, new in _NEW_VALUES.items()))
    changed = await connection.execute(update(schema.member).where(and_(_SAME_MEMBER, differs)).values(_NEW_VALUES))
    names = ["member_no", *_NEW_VALUES]
    news = (
        select(*(_STAGED.c[name] for name in names))
        .where(~exists().where(schema.member.c.member_no == _STAGED.c.member_no))
        .order_by(_STAGED.c.line)
    )
    added = await connection.execute(insert(schema.member).from_select(names, news))
    report.added = added.rowcount
    report.changed = changed.rowcount
    report.unchanged = staged - added.rowcount - changed.rowcount


async def _remember_file(connection: AsyncConnection, file: CsvFile, now: datetime) -> None:
    files = schema.roll_file
    await connection.execute(delete(files).where(files.c.sha256 == file.sha256))
    values = {"sha256": file.sha256, "path": str(file.path.resolve()), "imported_at": now}
    await connection.execute(insert(files).values(values))
