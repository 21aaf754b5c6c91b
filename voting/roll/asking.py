"""What a roll's file asks before it changes much: numbers that may be one person's, many new members, fewer voters."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, MetaData, Table, Text, exists, func, insert, literal, select, true, union_all
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateTable, DropTable

from voting import schema
from voting.imports.csv_file import batches
from voting.imports.report import NO_LINE, Agreed, Asks, ImportReport, Level, Need, ReportRow
from voting.roll.rows import number_key
from voting.roll.staged import STAGED

ONE_IN: Final = 10  # over a tenth is a question

# Members who are not in the file, with the key of their number; of those who are it is staged.
_ABSENT: Final = Table(
    "absent_number",
    MetaData(),
    Column("member_no", Text, nullable=False),
    Column("number_key", Text, nullable=False),
    prefixes=["TEMPORARY"],
)


@dataclass(frozen=True, slots=True)
class Size:
    """How many are on the roll, and how many of them may vote."""

    members: int
    eligible: int


NOBODY: Final = Size(0, 0)


async def size(connection: AsyncConnection) -> Size:
    """Count the roll as it is now."""
    member = schema.member
    counts = select(func.count(), func.count().filter(member.c.eligible)).select_from(member)
    row = (await connection.execute(counts)).one()
    return Size(row[0], row[1])


def is_much(part: int, whole: int) -> bool:
    """Whether a part is over a tenth of a whole that was there before."""
    return 0 < whole < part * ONE_IN


def ask_about_sizes(report: ImportReport, before: Size, after: Size, agreed: Agreed) -> dict[str, Any]:
    """Ask about many new members and about fewer who may vote; give what was asked and is agreed."""
    needs = []
    if is_much(report.added, before.members):
        sentence = (
            f"{report.added:,} members would be new on a roll of {before.members:,}. "
            "If this file belongs to another list or its numbers were changed, do not take it."
        )
        needs.append(Need(Asks.NEW, sentence, {"new": report.added, "members": before.members}))
    if (need := fewer_eligible(before, after)) is not None:
        needs.append(need)
    if agreed.sizes:
        return {str(need.asks): need.facts for need in needs}
    report.needs += needs
    return {}


def fewer_eligible(before: Size, after: Size) -> Need | None:
    """Ask about a fall by over a tenth of those who may vote."""
    if not is_much(before.eligible - after.eligible, before.eligible):
        return None
    sentence = f"Only {after.eligible:,} members could vote, where {before.eligible:,} can now. The report says why."
    return Need(Asks.ELIGIBLE, sentence, {"before": before.eligible, "after": after.eligible})


async def ask_about_pairs(connection: AsyncConnection, report: ImportReport, agreed: Agreed) -> dict[str, Any]:
    """Ask whether numbers that differ only in how they are written are different people's.

    Only new numbers are asked about, beside each other and beside those on the roll: what is on the roll was decided.
    """
    await connection.execute(CreateTable(_ABSENT))
    await _key_absent(connection)
    pairs, accepted = [], 0
    for row in (await connection.execute(_pairs())).all():
        if frozenset((row.new, row.other)) in agreed.distinct:
            accepted += 1
            continue
        pairs.append((row.new, row.other))
        where = "on the roll" if row.other_line == NO_LINE else f"on line {row.other_line}"
        reason = f"may be the person who is {row.other} {where}: the numbers differ only in how they are written"
        report.rows.append(ReportRow(row.line, Level.QUESTION, row.new, reason))
    await connection.execute(DropTable(_ABSENT))
    if pairs:
        report.needs.append(Need(Asks.PAIRS, _pairs_sentence(pairs), {"pairs": pairs}, tuple(pairs)))
    return {str(Asks.PAIRS): accepted} if accepted else {}


async def _key_absent(connection: AsyncConnection) -> None:
    member = schema.member
    staged_too = exists().where(STAGED.c.member_no == member.c.member_no)
    absent = (await connection.execute(select(member.c.member_no).where(~staged_too))).scalars()
    for batch in batches(absent):
        rows = [{"member_no": number, "number_key": number_key(number)} for number in batch]
        await connection.execute(insert(_ABSENT), rows)


def _pairs() -> Any:  # noqa: ANN401 - a statement
    """Select each new number beside every other that is written almost like it."""
    known = exists().where(schema.member.c.member_no == STAGED.c.member_no)
    news = select(STAGED.c.number_key).where(~known)
    everybody = union_all(
        select(STAGED.c.number_key, STAGED.c.member_no, STAGED.c.line, known.label("known")),
        select(_ABSENT.c.number_key, _ABSENT.c.member_no, literal(NO_LINE).label("line"), true().label("known")),
    ).cte("everybody")
    alike = (
        select(everybody.c.number_key)
        .where(everybody.c.number_key.in_(news))
        .group_by(everybody.c.number_key)
        .having(func.count() > 1)
        .subquery()
    )
    new, other = everybody.alias("new"), everybody.alias("other")
    return (
        select(
            new.c.line,
            new.c.member_no.label("new"),
            other.c.member_no.label("other"),
            other.c.line.label("other_line"),
        )
        .join(alike, alike.c.number_key == new.c.number_key)
        .join(other, (other.c.number_key == new.c.number_key) & (other.c.member_no != new.c.member_no))
        .where(~new.c.known, other.c.known | (other.c.line < new.c.line))
        .order_by(new.c.line, other.c.member_no)
    )


def _pairs_sentence(pairs: list[tuple[str, str]]) -> str:
    some = ", ".join(f"{new} and {other}" for new, other in pairs[:3])
    more = f" and {len(pairs) - 3:,} more" if len(pairs) > 3 else ""  # noqa: PLR2004 - as many as are shown
    one = len(pairs) == 1
    return (
        f"{len(pairs):,} {'pair' if one else 'pairs'} of numbers may be one person's each: {some}{more}. "
        "If a spreadsheet changed the numbers, export the roll again with them as text."
    )
