"""Staff and duty: who may do what, who is woken and in which order; for officers only."""

from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from bot.console.door import Action, Screen
from bot.console.visit import FormWrong, Visit
from bot.edge.links import bot_name, link
from bot.schema import invite
from bot.staff import enrolment
from bot.staff.roles import Act, Role
from messages.words.phone import read_phone
from voting.poll import polls
from voting.refusals import StaffRefusal


class NotAPhone(StaffRefusal):
    """{phone} is not a mobile number that could be woken."""


class YourselfStays(StaffRefusal):
    """You cannot remove yourself; ask another officer."""


async def show(visit: Visit) -> Response:
    """Show everybody, the duty list, and open invitations."""
    return await _show(visit, None)


async def invite_one(visit: Visit) -> Response:
    """Make an invitation and show its link, once."""
    try:
        role = Role(visit.word("role"))
    except ValueError:
        raise FormWrong(field="role") from None
    name = await bot_name(visit.console.house.settings)
    async with visit.console.house.database.writing() as connection:
        token = await enrolment.invite_staff(connection, role, name=visit.word("name") or None, by=visit.by)
    return await _show(visit, link(name, enrolment.PREFIX + token))


async def remove(visit: Visit) -> Response:
    """Take somebody off the staff, at once."""
    staff_id = visit.path("staff_id")
    if staff_id == visit.guest.staff.id:
        raise YourselfStays
    async with visit.console.house.database.writing() as connection:
        await enrolment.remove(connection, staff_id, by=visit.by)
    return visit.back("/console/staff")


async def set_duty(visit: Visit) -> Response:
    """Set the duty list: each person's place, empty for off duty."""
    places: list[tuple[int, int]] = []
    async with visit.console.house.database.writing() as connection:
        for person in await enrolment.everybody(connection):
            raw = visit.word(f"place_{person.id}")
            if raw:
                places.append((visit.number(f"place_{person.id}"), person.id))
        await enrolment.set_duty_list(connection, [staff_id for _, staff_id in sorted(places)], by=visit.by)
    return visit.back("/console/staff#duty")


async def set_phone(visit: Visit) -> Response:
    """Note somebody's on-call number, or that there is none."""
    raw = visit.word("phone")
    phone = read_phone(raw, "GB").e164 if raw else None
    if raw and phone is None:
        raise NotAPhone(phone=raw[:30])
    async with visit.console.house.database.writing() as connection:
        await enrolment.set_phone(connection, visit.path("staff_id"), phone, by=visit.by)
    return visit.back("/console/staff")


async def _show(visit: Visit, invitation: str | None) -> Response:
    async with visit.console.house.database.reading() as connection:
        return await visit.page(
            connection,
            "staff.html",
            people=await enrolment.everybody(connection),
            duty=await enrolment.on_duty(connection),
            roles=[role.value for role in Role],
            invitation=invitation,
            invited=await _invited(connection, visit),
            minutes=(await polls.load(connection)).staff.escalate_after_minutes,
        )


async def _invited(connection: AsyncConnection, visit: Visit) -> int:
    waiting = select(func.count()).where(invite.c.used_at.is_(None), invite.c.expires_at > visit.now)
    return int(await connection.scalar(waiting) or 0)


_ONE: Final = "/staff/{staff_id:int}"
SCREENS: Final = (Screen("/staff", Act.SET_DUTY, show),)
ACTIONS: Final = (
    Action("/staff/invite", Act.INVITE_STAFF, invite_one, show),
    Action("/staff/duty", Act.SET_DUTY, set_duty, show),
    Action(f"{_ONE}/remove", Act.REMOVE_STAFF, remove, show),
    Action(f"{_ONE}/phone", Act.SET_DUTY, set_phone, show),
)
