"""How the count is written for good: only what `verify` said yes to, and never half of it.

The entries are drafted in a transaction that is rolled back, the bundle is written as if they stood on the chain, and
`verify` reads it. Then they are written again, and committed if they came out the same. Somebody else may have written
to the chain meanwhile: then it is drafted anew, and the last time nobody else writes until `verify` is done.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from voting.count.bundle import Ending
from voting.store.database import Database

Keep = Callable[[AsyncConnection], Awaitable[Ending]]  # writes entries and rows, the same each time; gives the ending
Check = Callable[[Ending], Awaitable[None]]  # writes the bundle with this ending and raises unless it verifies

DRAFTS: Final = 3


class _RolledBackError(Exception):
    """Nothing of this transaction stays."""


async def settle(database: Database, keep: Keep, check: Check) -> Ending:
    """Commit what `keep` writes once `check` has passed for exactly this."""
    for _ in range(DRAFTS):
        drafted = await _draft(database, keep)
        await check(drafted)
        if await _commit_if_same(database, keep, drafted):
            return drafted
    async with database.writing() as connection:
        ending = await keep(connection)
        await check(ending)
    return ending


async def _draft(database: Database, keep: Keep) -> Ending:
    drafted = []
    with suppress(_RolledBackError):
        async with database.writing() as connection:
            drafted.append(await keep(connection))
            raise _RolledBackError
    return drafted[0]


async def _commit_if_same(database: Database, keep: Keep, drafted: Ending) -> bool:
    with suppress(_RolledBackError):
        async with database.writing() as connection:
            if await keep(connection) != drafted:
                raise _RolledBackError
        return True
    return False
