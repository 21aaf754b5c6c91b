"""Members: one looked up by number or by phone, with all that is known of them; and why somebody was not reached.

Never a choice: no page reads ballots.
"""

from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from bot.console.door import Screen
from bot.console.pages import member_address
from bot.console.visit import Visit
from bot.member.file import member_file
from bot.staff.roles import Act
from messages.reach import channels_of
from messages.schema import delivery, notice
from messages.words.phone import read_phone
from voting.refusals import UnknownMember
from voting.roll import roll
from voting.schema import member, replacement

FOUND_MAX: Final = 12
DELIVERIES_MAX: Final = 60


async def search(visit: Visit) -> Response:
    """Find members by the beginning of their number, or by their phone."""
    asked = visit.asked("q")
    async with visit.console.house.database.reading() as connection:
        found = await _find(connection, asked) if asked else []
        if len(found) == 1 and found[0].member_no == asked:
            return visit.back(member_address(asked))
        return await visit.page(connection, "members.html", asked=asked, found=found)


async def show(visit: Visit) -> Response:
    """Show one member's file."""
    member_no = str(visit.request.path_params["member_no"])
    async with visit.console.house.database.reading() as connection:
        known = await member_file(connection, member_no)
        person = await roll.find(connection, member_no)
        return await visit.page(connection, "member.html", file=known, waiting=await _waiting(connection, person.id))


async def show_deliveries(visit: Visit) -> Response:
    """Say of one member what was sent, and why what did not arrive did not."""
    asked = visit.asked("member_no")
    async with visit.console.house.database.reading() as connection:
        rows: list[Any] = []
        channels: list[Any] = []
        person = None
        if asked:
            person = await roll.find(connection, asked)
            rows = await _deliveries(connection, person.id)
            channels = list(await channels_of(connection, person.id))
        return await visit.page(connection, "deliveries.html", asked=asked, person=person, rows=rows, channels=channels)


async def _find(connection: AsyncConnection, asked: str) -> list[Any]:
    if not asked.isprintable():
        raise UnknownMember(member_no=asked[:40])
    columns = (member.c.member_no, member.c.area, member.c.language, member.c.eligible)
    after = asked[:-1] + chr(ord(asked[-1]) + 1)  # an index finds a beginning as a range
    numbered = select(*columns).where(member.c.member_no >= asked, member.c.member_no < after)
    found = list(await connection.execute(numbered.order_by(member.c.member_no).limit(FOUND_MAX)))
    if not found:
        phone = read_phone(asked, "GB").e164
        if phone is not None:
            found = list(await connection.execute(select(*columns).where(member.c.phone == phone).limit(FOUND_MAX)))
    if not found:
        raise UnknownMember(member_no=asked[:40])
    return found


async def _deliveries(connection: AsyncConnection, member_id: int) -> list[Any]:
    rows = await connection.execute(
        select(
            delivery.c.id,
            delivery.c.notice_id,
            delivery.c.purpose,
            delivery.c.channel,
            delivery.c.state,
            delivery.c.reason,
            delivery.c.tries,
            delivery.c.not_before,
            delivery.c.sent_at,
            delivery.c.settled_at,
            notice.c.state.label("notice_state"),
        )
        .outerjoin(notice, notice.c.id == delivery.c.notice_id)
        .where(delivery.c.member_id == member_id)
        .order_by(delivery.c.id.desc())
        .limit(DELIVERIES_MAX)
    )
    return list(rows)


async def _waiting(connection: AsyncConnection, member_id: int) -> Any:  # noqa: ANN401 - a row or None
    open_one = select(replacement).where(replacement.c.member_id == member_id, replacement.c.issued_at.is_(None))
    return (await connection.execute(open_one)).first()


SCREENS: Final = (
    Screen("/members", Act.SEE_MEMBERS, search),
    Screen("/members/{member_no:path}", Act.SEE_MEMBERS, show),
    Screen("/deliveries", Act.SEE_DELIVERIES, show_deliveries),
)
ACTIONS: Final = ()
