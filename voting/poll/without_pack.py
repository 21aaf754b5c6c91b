"""Who may vote and has nothing to vote with: neither a working pack nor a lock."""

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema


def is_due() -> ColumnElement[bool]:
    """Whether a member should get a pack."""
    member, pack, lock = schema.member, schema.pack, schema.lock
    has_pack = exists().where(pack.c.member_id == member.c.id, pack.c.state == "live")
    has_voted = exists().where(lock.c.member_id == member.c.id)
    return member.c.eligible & ~has_pack & ~has_voted


async def count_without_pack(connection: AsyncConnection) -> int:
    """Count the members who may vote and have no pack."""
    return int(await connection.scalar(select(func.count()).where(is_due())) or 0)


async def count_eligible(connection: AsyncConnection) -> int:
    """Count the members who may vote."""
    return int(await connection.scalar(select(func.count()).where(schema.member.c.eligible)) or 0)
