"""Reading locks; only clerk.py and postal.py write them."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.model import How, Lock


async def find_lock(connection: AsyncConnection, member_id: int) -> Lock | None:
    """Give the member's lock, or None while there is none."""
    row = (await connection.execute(select(schema.lock).where(schema.lock.c.member_id == member_id))).one_or_none()
    if row is None:
        return None
    return Lock(row.member_id, How(row.how), row.at, row.pack_id, row.intent_id, row.receipt, row.chat)


async def locks_of_chat(connection: AsyncConnection, chat: str) -> list[Lock]:
    """Give the locks made from a chat, oldest first: a household may share one."""
    rows = await connection.execute(select(schema.lock).where(schema.lock.c.chat == chat).order_by(schema.lock.c.at))
    return [
        Lock(row.member_id, How(row.how), row.at, row.pack_id, row.intent_id, row.receipt, row.chat) for row in rows
    ]
