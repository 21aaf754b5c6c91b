"""Polls that the tests of the count begin with."""

import pytest
from counted_town import CountedTown, open_town
from counting import close

from voting.store.database import Database


@pytest.fixture
async def voted(database: Database) -> CountedTown:
    """Thirteen members: seven voted for the first option, five for the second, one did not."""
    town = await open_town(database, 13)
    await town.votes(town.letters[:7], 0)
    await town.votes(town.letters[7:12], 1)
    return town


@pytest.fixture
async def closed(voted: CountedTown) -> CountedTown:
    """The same, closed."""
    await close(voted)
    return voted
