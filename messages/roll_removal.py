"""A member taken off the roll together with the number's channel, which the import made."""

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from messages.reach import SMS
from messages.schema import channel
from voting.model import By
from voting.roll import leaving
from voting.schema import member


async def remove(connection: AsyncConnection, member_no: str, *, by: By) -> None:
    """Take the member off; a chat that is linked, or a message, keeps them on it. As `leaving.remove`."""
    found = select(member.c.id).where(member.c.member_no == member_no).scalar_subquery()
    await connection.execute(delete(channel).where(channel.c.member_id == found, channel.c.kind == SMS))
    await leaving.remove(connection, member_no, by=by)
