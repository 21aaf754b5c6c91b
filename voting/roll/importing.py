"""The roll's file taken in: read, compared with the roll, asked about, merged."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import and_, delete, exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.imports.csv_file import PIPE, CsvFile, Row
from voting.imports.report import NOTHING_AGREED, Agreed, ImportReport
from voting.imports.taking import OnTaken, Progress, Source, take_file
from voting.model import By
from voting.poll import polls
from voting.roll import staged
from voting.roll.asking import NOBODY, Size, ask_about_pairs, ask_about_sizes, size
from voting.roll.compared import ELIGIBLE, INELIGIBLE_REASON, SAME_MEMBER, list_gone, warn_of_duplicates, warn_of_voters
from voting.roll.rows import COLUMNS, Reader, ReadPhone
from voting.roll.staged import STAGED
from voting.secrets_file import Secrets
from voting.store.database import Database

ROLL: Final = Source("roll_imported", COLUMNS)


@dataclass(slots=True)
class RollReport(ImportReport):
    """What a roll's file did, and the roll before and after it; `gone` members are on the roll and not in the file."""

    before: Size = NOBODY
    after: Size = NOBODY
    gone: int = 0

    def facts(self) -> dict[str, Any]:
        """Give what a script reads besides the five numbers."""
        known = {"eligible": self.after.eligible, "eligible_before": self.before.eligible, "gone": self.gone}
        return known | ImportReport.facts(self)


async def import_roll(
    database: Database,
    path: Path,
    secrets: Secrets,
    *,
    read_phone: ReadPhone,
    by: By,
    agreed: Agreed = NOTHING_AGREED,
    dry_run: bool = False,
    progress: Progress | None = None,
    on_taken: OnTaken | None = None,
) -> RollReport:
    """Bring the roll up to this file in one transaction; a dry run reports the same and leaves no trace.

    New members are added, known ones changed where the file differs; members who are not in the file stay as
    they are (`lapse` takes the right to vote away). Of lines that repeat a member_no the first is taken. A lock
    and a lapse outlive whatever the file says. The file's path and digest are kept, since packs are addressed
    from the file itself. What would change much and is not `agreed` is asked in the report's `needs`, and nothing
    is changed. `on_taken` does what belongs to a new roll in the same transaction, after everything else.
    FileUnreadable, NoPoll, PollOver.
    """
    report = RollReport()

    async def begin(connection: AsyncConnection, file: CsvFile) -> _Taker:
        poll = await polls.refuse_when_over(connection)
        await staged.begin(connection)
        return _Taker(connection, file, Reader(poll, secrets, read_phone, report), report, agreed, by.at)

    return await take_file(
        database, path, ROLL, report, begin, by=by, dry_run=dry_run, progress=progress, on_taken=on_taken
    )


@dataclass(slots=True)
class _Taker:
    """Takes rows of the roll in the caller's transaction."""

    connection: AsyncConnection
    file: CsvFile
    reader: Reader
    report: RollReport
    agreed: Agreed
    now: datetime
    rows: int = 0

    async def take(self, batch: list[Row]) -> None:
        """Keep a batch until the whole file is read."""
        self.rows += await staged.stage(self.connection, self.reader.entries(batch))

    async def finish(self) -> dict[str, Any]:
        """Compare, merge, and ask about what that would change."""
        connection, report = self.connection, self.report
        report.before = await size(connection)
        self.rows -= await staged.settle(connection, report)
        await warn_of_duplicates(connection, report)
        await warn_of_voters(connection, report)
        pairs = await ask_about_pairs(connection, report, self.agreed)
        await _merge(connection, report, self.rows)
        report.after = await size(connection)
        sizes = ask_about_sizes(report, report.before, report.after, self.agreed)
        report.gone = await list_gone(connection, report)
        report.notes += [*self.reader.notes(), *_notes(report)]
        await staged.end(connection)
        await _remember_file(connection, self.file, self.now)
        accepted = pairs | sizes
        return report.counts() | ({"accepted": accepted} if accepted else {})


def _notes(report: RollReport) -> list[str]:
    notes = [f"{report.after.eligible:,} members may vote (before: {report.before.eligible:,})."]
    if report.gone:
        notes.append(
            f"{report.gone:,} members of the roll are not in this file. They stay on it; the report lists them, "
            "and `ballotline roll lapse --file` takes the right to vote from many."
        )
    return notes


_NEW_VALUES: Final = {
    **{
        name: STAGED.c[name]
        for name in ("language", "area", "country", "phone", "phone_reason", "person_digest", "joined_on")
    },
    "eligible": ELIGIBLE,
    "ineligible_reason": INELIGIBLE_REASON,
}


async def _merge(connection: AsyncConnection, report: ImportReport, rows: int) -> None:
    differs = or_(*(schema.member.c[name].is_distinct_from(new) for name, new in _NEW_VALUES.items()))
    changed = await connection.execute(update(schema.member).where(and_(SAME_MEMBER, differs)).values(_NEW_VALUES))
    names = ["member_no", *_NEW_VALUES]
    news = (
        select(*(STAGED.c[name] for name in names))
        .where(~exists().where(schema.member.c.member_no == STAGED.c.member_no))
        .order_by(STAGED.c.line)
    )
    added = await connection.execute(insert(schema.member).from_select(names, news))
    report.added = added.rowcount
    report.changed = changed.rowcount
    report.unchanged = rows - added.rowcount - changed.rowcount


async def _remember_file(connection: AsyncConnection, file: CsvFile, now: datetime) -> None:
    files = schema.roll_file
    await connection.execute(delete(files).where(files.c.sha256 == file.sha256))
    path = str(PIPE) if file.path == PIPE else str(file.path.resolve())
    await connection.execute(insert(files).values(sha256=file.sha256, path=path, imported_at=now))
