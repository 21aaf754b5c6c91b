"""Who is on the staff: invited by a one-time link, known by their Telegram user id, removed at once.

Whoever is found here has the role that the newest signed entry about them gives (`rights`), whatever the row says.
Tokens are 32 random characters; only their hashes are kept.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import RowMapping, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.schema import invite, login_link, session, staff
from bot.staff.languages import first_language
from bot.staff.rights import ENROLLED, INVITED, NONCE_BYTES, REMOVED, account_digest, invitation_digest, rights
from bot.staff.roles import Role
from bot.staff.tickets import Token, new_token
from voting.audit import chain
from voting.model import SYSTEM, By
from voting.refusals import StaffRefusal
from voting.store.columns import microseconds
from voting.typed_text import looks_like, one_line

PREFIX: Final = "staff_"  # of the start payload
INVITE_LIFE: Final = timedelta(hours=24)
NAME_CHARACTERS_MAX: Final = 40
# Telegram shows group admins who hide themselves as this user: https://core.telegram.org/bots/api#message
ANONYMOUS_ADMIN: Final = 1087968824


class InvitationUnusable(StaffRefusal):
    """This invitation was used already, is too old, or was never made; ask an officer for a new one."""


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


def token_hash(token: str) -> bytes:
    """Give what is kept of a token."""
    return hashlib.sha256(token.encode()).digest()


async def find(connection: AsyncConnection, user_id: int) -> Staff | None:
    """Give who this Telegram user is on the staff, None for everybody else; while the chain is broken, for all."""
    rows = await connection.execute(select(staff).where(staff.c.user_id == user_id, staff.c.removed_at.is_(None)))
    row = rows.mappings().first()
    return None if row is None or not await _entitled(connection, row) else _staff(row)


async def by_id(connection: AsyncConnection, staff_id: int) -> Staff:
    """Give somebody on the staff now; StaffUnknown, also for who was removed, and while the chain is broken."""
    rows = await connection.execute(select(staff).where(staff.c.id == staff_id, staff.c.removed_at.is_(None)))
    row = rows.mappings().first()
    if row is None or not await _entitled(connection, row):
        raise StaffUnknown(staff_id=staff_id)
    return _staff(row)


async def everybody(connection: AsyncConnection) -> list[Staff]:
    """Give the whole staff, by number: who is told of things. A broken chain still tells those it named before."""
    rows = await connection.execute(select(staff).where(staff.c.removed_at.is_(None)).order_by(staff.c.id))
    said = await rights(connection)
    return [_staff(row) for row in rows.mappings() if said.agrees(row)]


async def menu_roles(connection: AsyncConnection) -> dict[int, tuple[Role, str] | None]:
    """Give role and language of every Telegram user who ever was on the staff; None for who is not any more."""
    ever = (await connection.execute(select(staff.c.user_id))).scalars()
    now = {person.user_id: (person.role, person.language) for person in await everybody(connection)}
    return dict.fromkeys(ever) | now


async def _entitled(connection: AsyncConnection, row: RowMapping) -> bool:
    said = await rights(connection)
    return said.broken is None and said.agrees(row)


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
    token, ends_at = make(), by.at + INVITE_LIFE
    name = one_line(name or "") or None
    await connection.execute(
        insert(invite).values(
            token_hash=token_hash(token), role=role.value, name=name, made_by=by.actor, expires_at=ends_at
        )
    )
    body = {"role": role.value, "invitation": invitation_digest(token, role.value, name, microseconds(ends_at))}
    await chain.append(connection, INVITED, body, by=by)
    return token


async def enrol(
    connection: AsyncConnection, token: str, *, user_id: int, called: str, language: str | None, now: datetime
) -> Staff:
    """Use an invitation; the same person using it again is who they are already. InvitationUnusable, AnonymousAdmin."""
    if user_id == ANONYMOUS_ADMIN:
        raise AnonymousAdmin
    known = await find(connection, user_id)
    invitation = await _use_up(connection, token, now)
    if invitation is None:
        mine = select(invite.c.used_by).where(invite.c.token_hash == token_hash(token))
        if known is not None and await connection.scalar(mine) == known.id:
            return known
        raise InvitationUnusable
    if known is None:
        await _end_unsigned(connection, user_id, now)
        name, nonce = await _free_name(connection, invitation.name or called), secrets.token_bytes(NONCE_BYTES)
        spoken = await first_language(connection, language)
        values = {"user_id": user_id, "nonce": nonce, "language": spoken, "enrolled_at": now}
        made = insert(staff).values(name=name, role=invitation.role, **values).returning(staff.c.id)
        staff_id = (await connection.execute(made)).scalar_one()
    else:  # enrolled already: the invitation gives a new role
        name, staff_id = known.name, known.id
        renewed = update(staff).where(staff.c.id == staff_id).values(role=invitation.role).returning(staff.c.nonce)
        nonce = (await connection.execute(renewed)).scalar_one()
    await connection.execute(update(invite).where(invite.c.token_hash == token_hash(token)).values(used_by=staff_id))
    body = {"staff": staff_id, "name": name, "role": invitation.role, "who": account_digest(nonce, user_id)}
    await chain.append(connection, ENROLLED, body | {"invitation": invitation.digest}, by=By(name, "chat", now))
    return await by_id(connection, staff_id)


@dataclass(frozen=True, slots=True)
class _Invitation:
    role: str
    name: str | None
    digest: str


async def _use_up(connection: AsyncConnection, token: str, now: datetime) -> _Invitation | None:
    """Use an invitation that the chain names and that was not used; None for every other."""
    used = await connection.execute(
        update(invite)
        .where(invite.c.token_hash == token_hash(token), invite.c.used_at.is_(None), invite.c.expires_at > now)
        .values(used_at=now)
        .returning(invite.c.role, invite.c.name, invite.c.expires_at)
    )
    row = used.first()
    if row is None:
        return None
    digest = invitation_digest(token, row.role, row.name, microseconds(row.expires_at))
    said = await rights(connection)
    return _Invitation(row.role, row.name, digest) if digest in said.invitations and not said.broken else None


async def _end_unsigned(connection: AsyncConnection, user_id: int, now: datetime) -> None:
    """End a row that gives this account no role because nobody signed it: it must not keep them out."""
    stray = (staff.c.user_id == user_id) & staff.c.removed_at.is_(None)
    await connection.execute(update(staff).where(stray).values(removed_at=now, duty_order=None))


async def remove(connection: AsyncConnection, staff_id: int, *, by: By) -> str:
    """Take somebody off the staff and give their name: from now on nothing they ask for is done. StaffUnknown.

    A row that nobody signed is removed too, and a role whose row is gone.
    """
    name = await connection.scalar(select(staff.c.name).where(staff.c.id == staff_id, staff.c.removed_at.is_(None)))
    signed = (await rights(connection)).people.get(staff_id)
    if name is None and signed is None:
        raise StaffUnknown(staff_id=staff_id)
    await connection.execute(update(staff).where(staff.c.id == staff_id).values(removed_at=by.at, duty_order=None))
    await connection.execute(
        update(session).where(session.c.staff_id == staff_id, session.c.ended_at.is_(None)).values(ended_at=by.at)
    )
    await connection.execute(
        update(login_link)
        .where(login_link.c.staff_id == staff_id, login_link.c.used_at.is_(None))
        .values(used_at=by.at)
    )
    await chain.append(connection, REMOVED, {"staff": staff_id}, by=by)
    return signed.name if signed is not None else str(name)


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


async def _free_name(connection: AsyncConnection, wanted: str) -> str:
    """Give a name nobody on the staff has: two people must never look like one on the chain, nor one like two."""
    name = one_line(one_line(wanted)[:NAME_CHARACTERS_MAX]) or "Staff"
    rows = (await connection.execute(select(staff.c.name).where(staff.c.removed_at.is_(None)))).scalars()
    signed = (person.name for person in (await rights(connection)).people.values())
    taken = [SYSTEM, *rows, *signed]
    number = 1
    free = name
    while any(looks_like(free, one) for one in taken):
        number += 1
        free = f"{name} {number}"
    return free


def _staff(row: RowMapping) -> Staff:
    values = {name: row[name] for name in Staff.__slots__}
    return Staff(**(values | {"role": Role(row["role"])}))
