"""Reading locks; only `voting.votes.clerk` and `voting.post.scans` write them."""

from collections.abc import Collection
from functools import cache
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.model import How, Lock
from voting.store.many_values import among, listed


async def find_lock(connection: AsyncConnection, member_id: int) -> Lock | None:
    """Give the member's lock, or None while there is none."""
    return (await find_locks(connection, {member_id})).get(member_id)


async def find_locks(connection: AsyncConnection, members: Collection[int]) -> dict[int, Lock]:
    """Give the locks of those members who have one."""
    rows = await connection.execute(_locks_of(connection.dialect.name), listed(members))
    return {row.member_id: _lock(row) for row in rows}


async def locks_of_chat(connection: AsyncConnection, chat: str) -> list[Lock]:
    """Give the locks made from a chat, oldest first: a household may share one."""
    return await locks_of_chats(connection, {chat})


async def locks_of_chats(connection: AsyncConnection, chats: Collection[str]) -> list[Lock]:
    """Give the locks made from any of these chats, oldest first."""
    rows = await connection.execute(
        select(schema.lock).where(schema.lock.c.chat.in_(chats)).order_by(schema.lock.c.at, schema.lock.c.member_id)
    )
    return [_lock(row) for row in rows]


@cache
def _locks_of(engine: str) -> Select[Any]:
    return select(schema.lock).where(among(engine, schema.lock.c.member_id))


def _lock(row: Any) -> Lock:  # noqa: ANN401 - a row of `lock`
    return Lock(row.member_id, How(row.how), row.at, row.pack_id, row.intent_id, row.receipt, row.chat)
