"""Packs: how far they have come, who misses one, replacements that wait for their second person."""

from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from bot.console import office
from bot.console.door import Action, Screen
from bot.console.listed import list_page
from bot.console.pages import member_address
from bot.console.visit import FormWrong, Visit
from bot.member.missing_packs import finish_report, reports
from bot.staff.roles import Act
from voting.packs import packs
from voting.schema import member, replacement
from voting.votes.wrong_codes import lift_lockout

LATE_ROWS: Final = 30
WAITING_MAX: Final = 100
REASON_CHARACTERS_MAX: Final = 300


async def show(visit: Visit) -> Response:
    """Show packs by state, what waits for a person, and the overdue ones page by page."""
    counted = await visit.console.snapshots.both_soon()
    async with visit.console.house.database.reading() as connection:
        if counted is None:
            return await visit.page(connection, "counting.html")
        latest, counts = counted
        overdue, after = await office.overdue(connection, visit.now), visit.asked_number("after") or 0
        late = await list_page(connection, overdue, counts.listed[office.OVERDUE], after=after, limit=LATE_ROWS)
        return await visit.page(
            connection,
            "packs.html",
            snapshot=latest,
            overdue=counts.count(office.OVERDUE),
            waiting=await _waiting(connection),
            reported=await reports(connection, WAITING_MAX),
            late=late.rows,
            more=late.more,
        )


async def ask(visit: Visit) -> Response:
    """Ask that a pack be replaced."""
    member_no = visit.word("member_no")
    if not member_no:
        raise FormWrong(field="member_no")
    async with visit.console.house.database.writing() as connection:
        reason = visit.word("reason")[:REASON_CHARACTERS_MAX]
        await packs.ask_replacement(connection, member_no, reason, by=visit.by)
    return await _back(visit, member_no)


async def approve(visit: Visit) -> Response:
    """Agree with a replacement, as another person."""
    member_no = visit.word("member_no")
    async with visit.console.house.database.writing() as connection:
        await packs.approve_replacement(connection, member_no, by=visit.by)
    return await _back(visit, member_no)


async def handle(visit: Visit) -> Response:
    """Note that a report of a missing pack needs nothing more."""
    member_no = visit.word("member_no")
    async with visit.console.house.database.writing() as connection:
        await finish_report(connection, member_no, by=visit.by)
    return await _back(visit, member_no)


async def unlock(visit: Visit) -> Response:
    """Let a pack be tried again after too many wrong codes."""
    member_no = visit.word("member_no")
    async with visit.console.house.database.writing() as connection:
        await lift_lockout(connection, member_no, by=visit.by)
    return await _back(visit, member_no)


async def _back(visit: Visit, member_no: str) -> Response:
    await visit.console.snapshots.expire()
    return visit.back(member_address(member_no) if visit.word("from") == "member" else "/console/packs")


async def _waiting(connection: AsyncConnection) -> list[Any]:
    """Give replacements that are not in a print file yet, the longest waiting first."""
    rows = await connection.execute(
        select(
            member.c.member_no,
            replacement.c.reason,
            replacement.c.asked_by,
            replacement.c.asked_at,
            replacement.c.approved_by,
            replacement.c.approved_at,
        )
        .join(member, member.c.id == replacement.c.member_id)
        .where(replacement.c.issued_at.is_(None))
        .order_by(replacement.c.id)
        .limit(WAITING_MAX)
    )
    return list(rows)


SCREENS: Final = (Screen("/packs", Act.SEE_PACKS, show),)
ACTIONS: Final = (
    Action("/packs/replace", Act.REPLACE_PACKS, ask, show),
    Action("/packs/approve", Act.REPLACE_PACKS, approve, show),
    Action("/packs/handled", Act.REPLACE_PACKS, handle, show),
    Action("/packs/unlock", Act.UNLOCK_PACKS, unlock, show),
)
