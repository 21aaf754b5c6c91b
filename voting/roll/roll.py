"""The roll: who may vote. Found by number; the right to vote taken from one, or from many, and given back."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.audit import chain
from voting.model import By
from voting.poll import polls
from voting.refusals import UnknownMember
from voting.roll.rows import Ineligible, ineligible
from voting.typed_text import one_line


@dataclass(frozen=True, slots=True)
class Member:
    """A member as stored: no name, no address. `phone` is E.164, or None with `phone_reason`."""

    id: int
    member_no: str
    language: str
    area: str
    country: str
    phone: str | None
    phone_reason: str | None
    joined_on: date | None
    eligible: bool
    ineligible_reason: str | None
    lapsed_at: datetime | None


async def find(connection: AsyncConnection, member_no: str) -> Member:
    """Give the member with this number; UnknownMember."""
    columns = [schema.member.c[name] for name in Member.__dataclass_fields__]
    found = select(*columns).where(schema.member.c.member_no == member_no)
    row = (await connection.execute(found)).mappings().first()
    if row is None:
        raise UnknownMember(member_no=member_no)
    return Member(**{name: row[name] for name in Member.__dataclass_fields__})


async def lapse(connection: AsyncConnection, member_no: str, reason: str, *, by: By) -> Member:
    """Take the right to vote from a member from now on; a vote already locked stands. UnknownMember, PollOver.

    `reason` is for staff and stays in the database; the published chain says only that one member lapsed.
    """
    await polls.refuse_when_over(connection)
    member = await find(connection, member_no)
    if member.lapsed_at is not None:
        return member
    values = {
        "eligible": False,
        "ineligible_reason": Ineligible.LAPSED.value,
        "lapsed_at": by.at,
        "lapsed_reason": one_line(reason),
    }
    await connection.execute(update(schema.member).where(schema.member.c.id == member.id).values(values))
    await chain.append(connection, "eligibility_lapsed", {"members": 1}, by=by)
    return await find(connection, member_no)


async def restore(connection: AsyncConnection, member_no: str, *, by: By) -> Member:
    """Undo a lapse: the join date alone decides again. UnknownMember, PollOver."""
    poll = await polls.refuse_when_over(connection)
    member = await find(connection, member_no)
    if member.lapsed_at is None:
        return member
    why = ineligible(member.joined_on, poll.joined_by)
    values = {"eligible": why is None, "ineligible_reason": why, "lapsed_at": None, "lapsed_reason": None}
    await connection.execute(update(schema.member).where(schema.member.c.id == member.id).values(values))
    await chain.append(connection, "eligibility_restored", {"members": 1}, by=by)
    return await find(connection, member_no)
