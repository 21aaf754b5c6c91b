"""The one way of taking a file in: opened, read in batches in one transaction, reported, and named on the chain.

Rejected rows never stop good ones; a crash, a dry run and a question leave nothing behind.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from voting.audit import chain
from voting.imports.csv_file import CsvFile, Row, batches, open_csv
from voting.imports.report import ImportReport
from voting.model import By
from voting.store.database import Database

OnTaken = Callable[[AsyncConnection], Awaitable[None]]  # what belongs to a file that was taken, in its transaction
Progress = Callable[[int], None]  # called with the number of rows done so far
Report = TypeVar("Report", bound=ImportReport)


@dataclass(frozen=True, slots=True)
class Source:
    """What kind of file it is: its columns, and the chain's entry when it changed something.

    `others`: further columns are ignored. `digest`: the entry names the file's SHA-256; not where the file is so
    short that its digest would give it away.
    """

    entry: str
    columns: Sequence[str]
    optional: Sequence[str] = ()
    others: bool = False
    digest: bool = True


class Taker(Protocol):
    """Takes rows in the caller's transaction."""

    async def take(self, batch: list[Row]) -> None:
        """Take at most BATCH_ROWS rows."""

    async def finish(self) -> dict[str, Any]:
        """See to the file as a whole; give what its entry says besides its digest."""


async def take_file(
    database: Database,
    path: Path,
    source: Source,
    report: Report,
    begin: Callable[[AsyncConnection, CsvFile], Awaitable[Taker]],
    *,
    by: By,
    dry_run: bool = False,
    progress: Progress | None = None,
    on_taken: OnTaken | None = None,
) -> Report:
    """Take the file at `path`, or only try; with questions in the report nothing was changed. FileUnreadable.

    `on_taken` comes after everything else; a dry run and a question do not call it.
    """
    with open_csv(path, source.columns, source.optional, others=source.others) as file:
        async with database.writing() as connection:
            taker = await begin(connection, file)
            done = 0
            for batch in batches(file.rows(report)):
                await taker.take(batch)
                done += len(batch)
                if progress is not None:
                    progress(done)
            body = await taker.finish()
            if dry_run or report.needs:
                await connection.rollback()
                return report
            if report.changes_something:
                named = {"sha256": file.sha256.hex()} if source.digest else {}
                await chain.append(connection, source.entry, named | body, by=by)
            if on_taken is not None:
                await on_taken(connection)
    return report
