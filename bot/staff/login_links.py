"""Links that open the console once, within ten minutes."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.schema import login_link
from bot.staff import tickets
from bot.staff.enrolment import Staff, StaffUnknown, by_id
from voting.refusals import StaffRefusal
from voting.secrets_file import Secrets

LIFE: Final = timedelta(minutes=10)
_PURPOSE: Final = "login"


class LoginLinkUnusable(StaffRefusal):
    """This login link was used already or is too old; send /console to the bot for a new one."""


async def make_login_link(connection: AsyncConnection, secrets: Secrets, staff_id: int, now: datetime) -> str:
    """Give the token of a link that opens the console once, within ten minutes."""
    token, ticket = tickets.write_ticket(secrets, _PURPOSE, staff_id, now + LIFE)
    await connection.execute(
        insert(login_link).values(token_hash=ticket.hash, staff_id=staff_id, expires_at=ticket.ends_at)
    )
    return token


async def redeem_login(connection: AsyncConnection, secrets: Secrets, token: str, now: datetime) -> Staff:
    """Use a login link; LoginLinkUnusable when it was used, is too old, or its owner was removed."""
    try:
        ticket = tickets.read_ticket(secrets, _PURPOSE, token)
        if ticket.ends_at <= now:
            raise LoginLinkUnusable
        used = await connection.execute(
            update(login_link)
            .where(login_link.c.token_hash == ticket.hash, login_link.c.used_at.is_(None))
            .values(used_at=now)
        )
        if not used.rowcount:
            raise LoginLinkUnusable
        return await by_id(connection, ticket.staff_id)
    except (ValueError, StaffUnknown):
        raise LoginLinkUnusable from None
