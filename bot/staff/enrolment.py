"""Who is on the staff: invited by a one-time link, known by their Telegram user id, removed at once.

Tokens are 32 random characters; only their hashes are kept.
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import RowMapping, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.schema import invite, login_link, session, staff
from bot.staff.roles import Role
from messages.words.texts import fit_language
from voting.audit import chain
from voting.model import SYSTEM, By
from voting.refusals import StaffRefusal
from voting.typed_text import looks_like, one_line

PREFIX: Final = "staff_"  # of the start payload
TOKEN_BYTES: Final = 24  # 32 characters of base64url
INVITE_LIFE: Final = timedelta(hours=24)
LOGIN_LIFE: Final = timedelta(minutes=10)
NAME_CHARACTERS_MAX: Final = 40
# Telegram shows group admins who hide themselves as this user: https://core.telegram.org/bots/api#message
ANONYMOUS_ADMIN: Final = 1087968824


class InvitationUnusable(StaffRefusal):
    """This invitation was used already, is too old, or was never made; ask an officer for a new one."""


class LoginLinkUnusable(StaffRefusal):
    """This login link was used already or is too old; send /console to the bot for a new one."""


class StaffUnknown(StaffRefusal):
    """There is nobody with the number {staff_id} on the staff."""


class AnonymousAdmin(StaffRefusal):
    """You write as the group, so nobody can tell who you are; turn off "Remain anonymous" or write in private."""


@dataclass(frozen=True, slots=True)
class Staff:
    """Somebody on the staff now. `duty_order` is their place on the duty list, None off duty."""

    id: int
    name: str
    role: Role
    user_id: int
    language: str
    phone: str | None
    duty_order: int | None
    enrolled_at: datetime


Token = Callable[[], str]


def new_token() -> str:
    """Make a token for a link."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_hash(token: str) -> bytes:
    """Give what is kept of a token."""
    return hashlib.sha256(token.encode()).digest()


async def find(connection: AsyncConnection, user_id: int) -> Staff | None:
    """Give who this Telegram user is on the staff, None for everybody else."""
    rows = await connection.execute(select(staff).where(staff.c.user_id == user_id, staff.c.removed_at.is_(None)))
    row = rows.mappings().first()
    return None if row is None else _staff(row)


async def by_id(connection: AsyncConnection, staff_id: int) -> Staff:
    """Give somebody on the staff now; StaffUnknown, also for who was removed."""
    rows = await connection.execute(select(staff).where(staff.c.id == staff_id, staff.c.removed_at.is_(None)))
    row = rows.mappings().first()
    if row is None:
        raise StaffUnknown(staff_id=staff_id)
    return _staff(row)


async def everybody(connection: AsyncConnection) -> list[Staff]:
    """Give the whole staff, by number."""
    rows = await connection.execute(select(staff).where(staff.c.removed_at.is_(None)).order_by(staff.c.id))
    return [_staff(row) for row in rows.mappings()]


async def roles(connection: AsyncConnection) -> dict[int, tuple[Role, str] | None]:
    """Give role and language of every Telegram user who ever was on the staff; None for who is not any more."""
    found = await connection.execute(
        select(staff.c.user_id, staff.c.role, staff.c.language, staff.c.removed_at).order_by(staff.c.id)
    )
    rows = found.all()
    return {row.user_id: None for row in rows} | {
        row.user_id: (Role(row.role), row.language) for row in rows if row.removed_at is None
    }


async def on_duty(connection: AsyncConnection) -> list[Staff]:
    """Give the duty list in its order."""
    found = [person for person in await everybody(connection) if person.duty_order is not None]
    return sorted(found, key=lambda person: (person.duty_order, person.id))


async def invite_staff(
    connection: AsyncConnection, role: Role, *, by: By, name: str | None = None, make: Token = new_token
) -> str:
    """Make an invitation and return its token, for a link with `PREFIX`; it works once, for a day.

    `name`: what the chain will call them; without one, what their Telegram account is called. One that looks like a
    colleague's gets a number.
    """
    token = make()
    await connection.execute(
        insert(invite).values(
            token_hash=token_hash(token),
            role=role.value,
            name=one_line(name or "") or None,
            made_by=by.actor,
            expires_at=by.at + INVITE_LIFE,
        )
    )
    await chain.append(connection, "staff_invited", {"role": role.value}, by=by)
    return token


async def enrol(
    connection: AsyncConnection, token: str, *, user_id: int, called: str, language: str | None, now: datetime
) -> Staff:
    """Use an invitation; the same person using it again is who they are already. InvitationUnusable, AnonymousAdmin."""
    if user_id == ANONYMOUS_ADMIN:
        raise AnonymousAdmin
    known = await find(connection, user_id)
    used = await connection.execute(
        update(invite)
        .where(invite.c.token_hash == token_hash(token), invite.c.used_at.is_(None), invite.c.expires_at > now)
        .values(used_at=now)
        .returning(invite.c.role, invite.c.name)
    )
    invitation = used.first()
    if invitation is None:
        mine = select(invite.c.used_by).where(invite.c.token_hash == token_hash(token))
        if known is not None and await connection.scalar(mine) == known.id:
            return known
        raise InvitationUnusable
    if known is None:
        name = await _free_name(connection, invitation.name or called)
        values = {"user_id": user_id, "language": fit_language(language), "enrolled_at": now}
        made = await connection.execute(
            insert(staff).values(name=name, role=invitation.role, **values).returning(staff.c.id)
        )
        staff_id = made.scalar_one()
    else:  # enrolled already: the invitation gives a new role
        name, staff_id = known.name, known.id
        await connection.execute(update(staff).where(staff.c.id == staff_id).values(role=invitation.role))
    await connection.execute(update(invite).where(invite.c.token_hash == token_hash(token)).values(used_by=staff_id))
    body = {"staff": staff_id, "role": invitation.role}
    await chain.append(connection, "staff_enrolled", body, by=By(name, "chat", now))
    return await by_id(connection, staff_id)


async def remove(connection: AsyncConnection, staff_id: int, *, by: By) -> Staff:
    """Take somebody off the staff: from now on nothing they ask for is done. StaffUnknown."""
    gone = await by_id(connection, staff_id)
    mine = {"staff": staff_id}
    await connection.execute(update(staff).where(staff.c.id == staff_id).values(removed_at=by.at, duty_order=None))
    await connection.execute(
        update(session).where(session.c.staff_id == staff_id, session.c.ended_at.is_(None)).values(ended_at=by.at)
    )
    await connection.execute(
        update(login_link)
        .where(login_link.c.staff_id == staff_id, login_link.c.used_at.is_(None))
        .values(used_at=by.at)
    )
    await chain.append(connection, "staff_removed", mine, by=by)
    return gone


async def set_duty(connection: AsyncConnection, staff_id: int, *, on: bool, by: By) -> Staff:
    """Put somebody at the end of the duty list, or take them off it; StaffUnknown."""
    before = await by_id(connection, staff_id)
    if on == (before.duty_order is not None):
        return before
    last = await connection.scalar(select(func.max(staff.c.duty_order)))
    place = (last or 0) + 1 if on else None
    await connection.execute(update(staff).where(staff.c.id == staff_id).values(duty_order=place))
    body = {"staff": staff_id, "on": on}
    await chain.append(connection, "duty_changed", body, by=by)
    return await by_id(connection, staff_id)


async def set_duty_list(connection: AsyncConnection, staff_ids: Sequence[int], *, by: By) -> list[Staff]:
    """Make this the duty list, in this order; everybody else is off duty. StaffUnknown."""
    for staff_id in staff_ids:
        await by_id(connection, staff_id)
    await connection.execute(update(staff).values(duty_order=None))
    for place, staff_id in enumerate(staff_ids, start=1):
        await connection.execute(update(staff).where(staff.c.id == staff_id).values(duty_order=place))
    await chain.append(connection, "duty_list_set", {"staff": list(staff_ids)}, by=by)
    return await on_duty(connection)


async def set_phone(connection: AsyncConnection, staff_id: int, phone: str | None, *, by: By) -> Staff:
    """Note somebody's on-call number (E.164); the number itself is not on the chain. StaffUnknown."""
    await by_id(connection, staff_id)
    await connection.execute(update(staff).where(staff.c.id == staff_id).values(phone=phone))
    await chain.append(connection, "staff_phone_set", {"staff": staff_id}, by=by)
    return await by_id(connection, staff_id)


async def set_language(connection: AsyncConnection, user_id: int, language: str) -> None:
    """Speak `language` with this Telegram user as staff from now on; nothing for who is not on the staff."""
    await connection.execute(
        update(staff).where(staff.c.user_id == user_id, staff.c.removed_at.is_(None)).values(language=language)
    )


async def make_login_link(connection: AsyncConnection, staff_id: int, now: datetime, *, make: Token = new_token) -> str:
    """Give the token of a link that opens the console once, within ten minutes."""
    token = make()
    await connection.execute(
        insert(login_link).values(token_hash=token_hash(token), staff_id=staff_id, expires_at=now + LOGIN_LIFE)
    )
    return token


async def redeem_login(connection: AsyncConnection, token: str, now: datetime) -> Staff:
    """Use a login link; LoginLinkUnusable when it was used, is too old, or its owner was removed."""
    used = await connection.execute(
        update(login_link)
        .where(
            login_link.c.token_hash == token_hash(token), login_link.c.used_at.is_(None), login_link.c.expires_at > now
        )
        .values(used_at=now)
        .returning(login_link.c.staff_id)
    )
    staff_id = used.scalar_one_or_none()
    if staff_id is None:
        raise LoginLinkUnusable
    try:
        return await by_id(connection, staff_id)
    except StaffUnknown:
        raise LoginLinkUnusable from None


async def _free_name(connection: AsyncConnection, wanted: str) -> str:
    """Give a name nobody on the staff has: two people must never look like one on the chain, nor one like two."""
    name = one_line(one_line(wanted)[:NAME_CHARACTERS_MAX]) or "Staff"
    taken = [SYSTEM, *(person.name for person in await everybody(connection))]
    number = 1
    free = name
    while any(looks_like(free, one) for one in taken):
        number += 1
        free = f"{name} {number}"
    return free


def _staff(row: RowMapping) -> Staff:
    values = {name: row[name] for name in Staff.__slots__}
    return Staff(**(values | {"role": Role(row["role"])}))
