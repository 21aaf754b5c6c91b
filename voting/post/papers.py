"""The sealed count of papers: each option's votes, taken after the close, compared with the number scanned."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import RowMapping, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.audit import chain
from voting.ballots.election import Question
from voting.imports.csv_file import open_csv
from voting.imports.report import ImportReport
from voting.model import By, Phase
from voting.poll import polls
from voting.poll.counting import refuse_when_counting
from voting.poll.election import questions_of
from voting.refusals import PollStillOpen, PostalCountDiffers, PostalCountWrong
from voting.store.database import Database
from voting.typed_text import one_line
from voting.verify.result import adds_up, counted_papers

COLUMNS: Final = ("option", "votes")
NAMING: Final = ("question",)  # a poll with one question needs not name it
DIGITS_MAX: Final = 9


@dataclass(frozen=True, slots=True)
class PostalCount:
    """One version of the count; `votes` by question, each in the order of its ballot's numbers.

    With a `justification` when they differ from the papers `scanned`.
    """

    version: int
    votes: tuple[tuple[int, ...], ...]
    scanned: int
    justification: str | None
    counted_by: str
    at: datetime


async def import_count(
    database: Database, path: Path, *, justification: str | None = None, by: By, dry_run: bool = False
) -> PostalCount:
    """Take the count of papers; a later one is a new version, the same again changes nothing.

    Every option of every question is named exactly once, by the question's text or number; "(blank)" counts its blank
    votes. `justification` says why papers and scans differ; it is published on the
    chain and with the result. PollStillOpen, PollOver (the count has begun), FileUnreadable, PostalCountWrong,
    PostalCountDiffers.
    """
    async with database.writing() as connection:
        await connection.execute(select(schema.poll.c.only).with_for_update())
        poll = await polls.load(connection)
        await refuse_when_counting(connection, poll)
        if poll.phase is not Phase.CLOSED:
            raise PollStillOpen(phase=poll.phase)
        questions = questions_of(poll)
        votes = _read(path, questions)
        scanned = await scanned_papers(connection)
        why = one_line(justification or "") or None
        differs = not all(adds_up(one, numbers, scanned) for one, numbers in zip(questions, votes, strict=True))
        if differs and why is None:
            raise PostalCountDiffers(counted=counted_papers(questions, votes, scanned), scanned=scanned)
        before = await latest(connection)
        count = PostalCount(
            version=1 if before is None else before.version + 1,
            votes=votes,
            scanned=scanned,
            justification=why if differs else None,
            counted_by=by.actor,
            at=by.at,
        )
        if before is not None and _says_the_same(before, count):
            return before
        if not dry_run:
            await _keep(connection, questions, count, by=by)
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


def _read(path: Path, questions: Sequence[Question]) -> tuple[tuple[int, ...], ...]:
    report = ImportReport()
    found: dict[tuple[int, str], int] = {}
    columns, optional = (COLUMNS, NAMING) if len(questions) == 1 else ((*COLUMNS, *NAMING), ())
    with open_csv(path, columns, optional) as file:
        for row in file.rows(report):
            option, votes, asked = row.cells
            place = (_number(row.line, asked, questions), option)
            if option not in questions[place[0]].names:
                raise PostalCountWrong(
                    problem=f"line {row.line} names {option[:60]!r}, which is no option of this poll"
                )
            if place in found:
                raise PostalCountWrong(problem=f"line {row.line} names {option!r} again")
            if not (votes.isascii() and votes.isdigit() and len(votes) <= DIGITS_MAX):
                raise PostalCountWrong(problem=f"line {row.line} has no whole number of votes")
            found[place] = int(votes)
    for broken in report.rows:
        raise PostalCountWrong(problem=f"line {broken.line} cannot be read: {broken.reason}")
    for number, question in enumerate(questions):
        for name in question.names:
            if (number, name) not in found:
                of_which = f" of question {number + 1}" if len(questions) > 1 else ""
                raise PostalCountWrong(problem=f"it does not name {name!r}{of_which}")
    return tuple(tuple(found[number, name] for name in one.names) for number, one in enumerate(questions))


def _number(line: int, asked: str, questions: Sequence[Question]) -> int:
    """Say which question a line is about: by its text or its number, counted from 1."""
    if len(questions) == 1 and not asked:
        return 0
    for number, question in enumerate(questions):
        if asked in {question.text, str(number + 1)}:
            return number
    raise PostalCountWrong(problem=f"line {line} names {asked[:60]!r}, which is no question of this poll")


def _says_the_same(one: PostalCount, other: PostalCount) -> bool:
    return (one.votes, one.scanned, one.justification) == (other.votes, other.scanned, other.justification)


def _count(row: RowMapping) -> PostalCount:
    return PostalCount(
        row["version"],
        tuple(map(tuple, row["votes"])),
        row["scanned"],
        row["justification"],
        row["counted_by"],
        row["at"],
    )


async def _keep(connection: AsyncConnection, questions: Sequence[Question], count: PostalCount, *, by: By) -> None:
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
        "votes": [
            [question.text, name, votes]
            for question, numbers in zip(questions, count.votes, strict=True)
            for name, votes in zip(question.names, numbers, strict=True)
        ],
        "scanned": count.scanned,
        "justification": count.justification,
    }
    await chain.append(connection, "postal_counted", body, by=by)
