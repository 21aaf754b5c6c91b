"""What most tests of the console stand on; a file that needs another console makes its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from console_house import ConsoleHouse, filled_house

from voting.store.database import Database


@pytest.fixture
async def town(database: Database, tmp_path: Path) -> AsyncIterator[ConsoleHouse]:
    """A console over a poll on which something of everything has happened."""
    async with filled_house(database, tmp_path) as town:
        yield town
