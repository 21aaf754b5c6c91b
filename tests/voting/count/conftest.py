"""Polls that the tests of the count begin with."""

import pytest
from counted_town import CountedTown, kept_town, open_town
from counting import close

from voting.store.database import Database


@pytest.fixture
async def voted(database: Database) -> CountedTown:
    """Thirteen members: seven voted for the first option, five for the second, one did not."""
    return await _voted(database)


@pytest.fixture
async def closed(database: Database) -> CountedTown:
    """The same, closed."""

    async def make() -> CountedTown:
        town = await _voted(database)
        await close(town)
        return town

    return await kept_town(database, "closed", make)


async def _voted(database: Database) -> CountedTown:
    async def make() -> CountedTown:
        town = await open_town(database, 13)
        await town.votes(town.letters[:7], 0)
        await town.votes(town.letters[7:12], 1)
        return town

    return await kept_town(database, "voted", make)
