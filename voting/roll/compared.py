"""What a staged file says beside the roll: likely duplicates, voters who may vote no more, who is gone from it."""

from typing import Final

from sqlalchemy import ColumnElement, case, exists, false, literal, select, union_all
from sqlalchemy import func as sql
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.imports.report import NO_LINE, ImportReport, Level, ReportRow
from voting.roll.rows import Ineligible
from voting.roll.staged import STAGED

_MEMBER: Final = schema.member
SAME_MEMBER: Final = _MEMBER.c.member_no == STAGED.c.member_no

# A lapse outlives the file.
ELIGIBLE: Final[ColumnElement[bool]] = case((_MEMBER.c.lapsed_at.is_(None), STAGED.c.eligible), else_=false())
INELIGIBLE_REASON: Final[ColumnElement[str]] = case(
    (_MEMBER.c.lapsed_at.is_(None), STAGED.c.ineligible_reason), else_=literal(Ineligible.LAPSED.value)
)


async def warn_of_duplicates(connection: AsyncConnection, report: ImportReport) -> None:
    """Name one other member with the same name and postcode, whether in this file or on the roll before."""
    staged_too = exists().where(STAGED.c.member_no == _MEMBER.c.member_no)
    everybody = union_all(
        select(STAGED.c.person_digest, STAGED.c.member_no),
        select(_MEMBER.c.person_digest, _MEMBER.c.member_no).where(~staged_too),
    ).subquery()
    alike = (
        select(
            everybody.c.person_digest,
            sql.min(everybody.c.member_no).label("one"),
            sql.max(everybody.c.member_no).label("other"),
        )
        .where(everybody.c.person_digest.is_not(None))
        .group_by(everybody.c.person_digest)
        .having(sql.count() > 1)
        .subquery()
    )
    twin = case((alike.c.one == STAGED.c.member_no, alike.c.other), else_=alike.c.one)
    found = select(STAGED.c.line, STAGED.c.member_no, twin.label("twin")).where(
        STAGED.c.person_digest == alike.c.person_digest
    )
    for row in await connection.execute(found):
        report.warn(row.line, row.member_no, f"possible duplicate of {row.twin} (same name and postcode)")


async def warn_of_voters(connection: AsyncConnection, report: ImportReport) -> None:
    """Name those who have voted and may vote no more by this file."""
    voters = select(STAGED.c.line, STAGED.c.member_no).where(
        SAME_MEMBER,
        _MEMBER.c.eligible,
        ~ELIGIBLE,
        schema.lock.c.member_id == _MEMBER.c.id,
    )
    for row in await connection.execute(voters):
        report.warn(row.line, row.member_no, "may no longer vote, but has voted: the vote stands")


async def list_gone(connection: AsyncConnection, report: ImportReport) -> int:
    """List members of the roll who are not in the file and have not lapsed; they stay as they are. Say how many."""
    staged_too = exists().where(STAGED.c.member_no == _MEMBER.c.member_no)
    absent = select(_MEMBER.c.member_no).where(_MEMBER.c.lapsed_at.is_(None), ~staged_too).order_by(_MEMBER.c.member_no)
    gone = 0
    for row in await connection.execute(absent):
        report.rows.append(
            ReportRow(NO_LINE, Level.GONE, row.member_no, "on the roll, not in this file: stays as it is")
        )
        gone += 1
    return gone
