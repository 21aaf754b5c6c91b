"""Sessions of the console: begun with a login link, known by a cookie, ended at logout, at removal, after 12 hours.

The cookie's token is 32 random bytes; the table holds only its keyed hash. Who somebody is and what they may do is
read from the database at every request, so a removal or a new role holds at once.
"""

import hashlib
import hmac
import secrets as randomness
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.schema import session
from bot.staff.enrolment import Staff, StaffUnknown, by_id
from voting.audit import chain
from voting.model import By
from voting.secrets_file import Secrets

COOKIE: Final = "ballotline_console"
SESSION_LIFE: Final = timedelta(hours=12)
TOKEN_BYTES: Final = 32
TOKEN_CHARACTERS_MAX: Final = 64
VIA: Final = "console"


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody on the staff with a session; `csrf` must come with every form of theirs."""

    staff: Staff
    csrf: str
    token_hash: bytes


async def begin(connection: AsyncConnection, secrets: Secrets, staff: Staff, now: datetime) -> str:
    """Begin a session and return its cookie's token."""
    token = randomness.token_urlsafe(TOKEN_BYTES)
    await connection.execute(
        insert(session).values(
            token_hash=_hash(secrets, token),
            staff_id=staff.id,
            csrf=randomness.token_urlsafe(TOKEN_BYTES),
            made_at=now,
            expires_at=now + SESSION_LIFE,
        )
    )
    await chain.append(connection, "console_opened", {"staff": staff.id}, by=By(staff.name, VIA, now))
    return token


async def find(connection: AsyncConnection, secrets: Secrets, token: str | None, now: datetime) -> Guest | None:
    """Give whose session this is; None for no token, an unknown or ended one, and for who was removed."""
    if not token or len(token) > TOKEN_CHARACTERS_MAX:
        return None
    digest = _hash(secrets, token)
    known = select(session.c.staff_id, session.c.csrf).where(
        session.c.token_hash == digest, session.c.ended_at.is_(None), session.c.expires_at > now
    )
    row = (await connection.execute(known)).one_or_none()
    if row is None:
        return None
    try:
        return Guest(await by_id(connection, row.staff_id), row.csrf, digest)
    except StaffUnknown:
        return None


async def end(connection: AsyncConnection, guest: Guest, now: datetime) -> None:
    """End a session: its cookie opens nothing any more."""
    ended = update(session).where(session.c.token_hash == guest.token_hash, session.c.ended_at.is_(None))
    await connection.execute(ended.values(ended_at=now))


def _hash(secrets: Secrets, token: str) -> bytes:
    return hmac.digest(secrets.session_key, b"console " + token.encode(), hashlib.sha256)
