"""A page of a list: those whom the last count found on it, looked at again by their ids, for some have left it since.

However long the roll and the list, a page reads a few members. Who joins a list is shown from its next count on.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncConnection

from voting.schema import member

PIECE: Final = 100  # members looked at together
PIECES_MAX: Final = 10  # of those who have left it: then the page is a short one, and the next goes on


@dataclass(frozen=True, slots=True)
class ListPage:
    """Rows of a list by member id; `more`: after which the next page begins, None on the last."""

    rows: Sequence[Any] = field(default_factory=list)
    more: int | None = None


async def list_page(
    connection: AsyncConnection, found: Select[Any], ids: Sequence[int], *, after: int, limit: int
) -> ListPage:
    """Give a page of members with a greater id than `after`; `found` says who is on the list still."""
    rows: list[Any] = []
    begin = bisect_right(ids, after)
    end = min(len(ids), begin + PIECES_MAX * PIECE)
    for place in range(begin, end, PIECE):
        some = found.where(member.c.id.in_(ids[place : min(place + PIECE, end)])).order_by(member.c.id)
        rows += await connection.execute(some)
        if len(rows) > limit:
            return ListPage(rows[:limit], rows[limit - 1].id)
    return ListPage(rows, ids[end - 1] if end < len(ids) else None)
