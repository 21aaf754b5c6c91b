"""Somebody on the staff, enrolled by the link they got."""

from prepared import NOW

from bot.staff import enrolment
from bot.staff.enrolment import Staff
from bot.staff.roles import Role
from voting.model import By
from voting.store.database import Database

BY = By("Gwen", "command line", NOW)


async def enrolled(
    database: Database, name: str = "Huw", role: Role = Role.SUPPORT, user_id: int = 7, called: str | None = None
) -> Staff:
    async with database.writing() as connection:
        token = await enrolment.invite_staff(connection, role, by=BY)
        return await enrolment.enrol(connection, token, user_id=user_id, called=called or name, language="en", now=NOW)
