"""Links that open the console once, within ten minutes.

One press can post its form twice: a browser sends it again when its connection breaks, and people click twice. So the
browser that used a link may use it for a minute more. It is known by a random value that it was given with the button;
kept is only a keyed hash of link and value together.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.schema import login_link
from bot.staff import tickets
from bot.staff.enrolment import Staff, StaffUnknown, by_id
from voting.refusals import StaffRefusal
from voting.secrets_file import Secrets

LIFE: Final = timedelta(minutes=10)
AGAIN: Final = timedelta(minutes=1)  # for the browser that used it
_PURPOSE: Final = "login"
_AGAIN_PURPOSE: Final = "login again"


class LoginLinkUnusable(StaffRefusal):
    """This login link was used already or is too old; send /console to the bot for a new one."""


async def make_login_link(connection: AsyncConnection, secrets: Secrets, staff_id: int, now: datetime) -> str:
    """Give the token of a link that opens the console once, within ten minutes."""
    token, ticket = tickets.write_ticket(secrets, _PURPOSE, staff_id, now + LIFE)
    await connection.execute(
        insert(login_link).values(token_hash=ticket.hash, staff_id=staff_id, expires_at=ticket.ends_at)
    )
    return token


async def redeem_login(
    connection: AsyncConnection, secrets: Secrets, token: str, now: datetime, *, browser: str = ""
) -> Staff:
    """Use a login link; LoginLinkUnusable when it was used, is too old, or its owner was removed.

    `browser`: the value that whoever shows the link was given with the button, empty when there is none.
    """
    try:
        ticket = tickets.read_ticket(secrets, _PURPOSE, token)
        if ticket.ends_at <= now:
            raise LoginLinkUnusable
        again = tickets.keyed(secrets, _AGAIN_PURPOSE, f"{token}|{browser}") if browser else None
        used = await connection.execute(
            update(login_link)
            .where(login_link.c.token_hash == ticket.hash, login_link.c.used_at.is_(None))
            .values(used_at=now)
        )
        if used.rowcount and again is not None:
            row = {"token_hash": again, "staff_id": ticket.staff_id, "expires_at": now + AGAIN}
            await connection.execute(insert(login_link).values(**row))
        elif not used.rowcount and not await _just_used(connection, again, now):
            raise LoginLinkUnusable
        return await by_id(connection, ticket.staff_id)
    except (ValueError, StaffUnknown):
        raise LoginLinkUnusable from None


async def _just_used(connection: AsyncConnection, again: bytes | None, now: datetime) -> bool:
    """Tell whether this browser used this link a moment ago; not after its owner's links were ended."""
    known = select(login_link.c.token_hash).where(
        login_link.c.token_hash == again, login_link.c.used_at.is_(None), login_link.c.expires_at > now
    )
    return again is not None and await connection.scalar(known) is not None
