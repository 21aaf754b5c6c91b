"""Sessions of the console: begun with a login link, known by a cookie, ended at logout, at removal, after 12 hours.

The cookie's token says whose it is and until when, the table holds only its keyed hash: a row put into the table, or
changed in it, opens nothing. What somebody may do is asked anew at every request, so a removal or a new role holds at
once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.schema import session
from bot.staff import tickets
from bot.staff.enrolment import Staff, StaffUnknown, by_id
from voting.audit import chain
from voting.model import By
from voting.secrets_file import Secrets

COOKIE: Final = "ballotline_console"
SESSION_LIFE: Final = timedelta(hours=12)
VIA: Final = "console"
_PURPOSE: Final = "console"
_CSRF: Final = "console form"


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody on the staff with a session; `csrf` must come with every form of theirs."""

    staff: Staff
    csrf: str
    token_hash: bytes


async def begin(connection: AsyncConnection, secrets: Secrets, staff: Staff, now: datetime) -> str:
    """Begin a session and return its cookie's token."""
    token, ticket = tickets.write_ticket(secrets, _PURPOSE, staff.id, now + SESSION_LIFE)
    await connection.execute(
        insert(session).values(token_hash=ticket.hash, staff_id=staff.id, made_at=now, expires_at=ticket.ends_at)
    )
    await chain.append(connection, "console_opened", {"staff": staff.id}, by=By(staff.name, VIA, now))
    return token


async def find(connection: AsyncConnection, secrets: Secrets, token: str | None, now: datetime) -> Guest | None:
    """Give whose session this is; None for no token, an unknown or ended one, and for who was removed."""
    if not token:
        return None
    try:
        ticket = tickets.read_ticket(secrets, _PURPOSE, token)
        if ticket.ends_at <= now:
            return None
        known = select(session.c.token_hash).where(session.c.token_hash == ticket.hash, session.c.ended_at.is_(None))
        if await connection.scalar(known) is None:
            return None
        csrf = tickets.keyed(secrets, _CSRF, token).hex()
        return Guest(await by_id(connection, ticket.staff_id), csrf, ticket.hash)
    except (ValueError, StaffUnknown):
        return None


async def end(connection: AsyncConnection, guest: Guest, now: datetime) -> None:
    """End a session: its cookie opens nothing any more."""
    ended = update(session).where(session.c.token_hash == guest.token_hash, session.c.ended_at.is_(None))
    await connection.execute(ended.values(ended_at=now))
