"""The sealed count of papers: each option's votes, taken after the close, compared with the number scanned."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import RowMapping, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.audit import chain
from voting.imports.csv_file import open_csv
from voting.imports.report import ImportReport
from voting.model import By, Phase, Poll
from voting.poll import polls
from voting.poll.counting import refuse_when_counting
from voting.refusals import PollStillOpen, PostalCountDiffers, PostalCountWrong
from voting.store.database import Database
from voting.typed_text import one_line

COLUMNS: Final = ("option", "votes")
DIGITS_MAX: Final = 9


@dataclass(frozen=True, slots=True)
class PostalCount:
    """One version of the count; `votes` in the poll's order. With a `justification` when it differs from `scanned`."""

    version: int
    votes: tuple[int, ...]
    scanned: int
    justification: str | None
    counted_by: str
    at: datetime


async def import_count(
    database: Database, path: Path, *, justification: str | None = None, by: By, dry_run: bool = False
) -> PostalCount:
    """Take the count of papers; a later one is a new version, the same again changes nothing.

    Every option is named exactly once. `justification` says why papers and scans differ; it is published on the
    chain and with the result. PollStillOpen, PollOver (the count has begun), FileUnreadable, PostalCountWrong,
    PostalCountDiffers.
    """
    async with database.writing() as connection:
        await connection.execute(select(schema.poll.c.only).with_for_update())
        poll = await polls.load(connection)
        await refuse_when_counting(connection, poll)
        if poll.phase is not Phase.CLOSED:
            raise PollStillOpen(phase=poll.phase)
        votes = _read(path, poll)
        scanned = await scanned_papers(connection)
        why = one_line(justification or "") or None
        if sum(votes) != scanned and why is None:
            raise PostalCountDiffers(counted=sum(votes), scanned=scanned)
        before = await latest(connection)
        count = PostalCount(
            version=1 if before is None else before.version + 1,
            votes=votes,
            scanned=scanned,
            justification=why if sum(votes) != scanned else None,
            counted_by=by.actor,
            at=by.at,
        )
        if before is not None and _says_the_same(before, count):
            return before
        if not dry_run:
            await _keep(connection, poll, count, by=by)
    return count


async def latest(connection: AsyncConnection) -> PostalCount | None:
    """Give the newest version, or None while nobody has counted."""
    newest = select(schema.postal_count).order_by(schema.postal_count.c.version.desc()).limit(1)
    row = (await connection.execute(newest)).mappings().first()
    return None if row is None else _count(row)


async def scanned_papers(connection: AsyncConnection) -> int:
    """Count the papers that are votes: they locked their member and were not rejected."""
    votes = select(func.count()).select_from(schema.paper).where(schema.paper.c.outcome == "locked")
    return int(await connection.scalar(votes) or 0)


def _read(path: Path, poll: Poll) -> tuple[int, ...]:
    report = ImportReport()
    found: dict[str, int] = {}
    with open_csv(path, COLUMNS) as file:
        for row in file.rows(report):
            option, votes = row.cells
            if option not in poll.options:
                raise PostalCountWrong(
                    problem=f"line {row.line} names {option[:60]!r}, which is no option of this poll"
                )
            if option in found:
                raise PostalCountWrong(problem=f"line {row.line} names {option!r} again")
            if not (votes.isascii() and votes.isdigit() and len(votes) <= DIGITS_MAX):
                raise PostalCountWrong(problem=f"line {row.line} has no whole number of votes")
            found[option] = int(votes)
    for broken in report.rows:
        raise PostalCountWrong(problem=f"line {broken.line} cannot be read: {broken.reason}")
    for option in poll.options:
        if option not in found:
            raise PostalCountWrong(problem=f"it does not name {option!r}")
    return tuple(found[option] for option in poll.options)


def _says_the_same(one: PostalCount, other: PostalCount) -> bool:
    return (one.votes, one.scanned, one.justification) == (other.votes, other.scanned, other.justification)


def _count(row: RowMapping) -> PostalCount:
    return PostalCount(
        row["version"], tuple(row["votes"]), row["scanned"], row["justification"], row["counted_by"], row["at"]
    )


async def _keep(connection: AsyncConnection, poll: Poll, count: PostalCount, *, by: By) -> None:
    values = {
        "version": count.version,
        "votes": list(count.votes),
        "scanned": count.scanned,
        "justification": count.justification,
        "counted_by": count.counted_by,
        "at": count.at,
    }
    await connection.execute(insert(schema.postal_count).values(values))
    body = {
        "version": count.version,
        "votes": [[option, votes] for option, votes in zip(poll.options, count.votes, strict=True)],
        "scanned": count.scanned,
        "justification": count.justification,
    }
    await chain.append(connection, "postal_counted", body, by=by)
