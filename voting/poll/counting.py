"""Whether the count has begun: from then on the chain takes nothing that could change a figure of it."""

from typing import Final

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.model import Phase, Poll
from voting.refusals import PollOver

BEGUN: Final = "ballots_closed"
_BEGUN: Final = select(exists().where(schema.chain.c.kind == BEGUN))


async def refuse_when_counting(connection: AsyncConnection, poll: Poll) -> None:
    """Refuse papers and counts of them once the tally was begun, also before there is a result; PollOver."""
    if poll.phase is Phase.COUNTED:
        raise PollOver(phase=poll.phase)
    if poll.phase is Phase.CLOSED and await connection.scalar(_BEGUN):
        raise PollOver(phase="being counted")
