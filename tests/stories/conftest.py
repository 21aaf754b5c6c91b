"""Stories run on SQLite; one that names `engine_name` runs on that engine."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from town import Town

from voting.store.database import Database


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


@pytest.fixture
async def town(database: Database, tmp_path: Path) -> AsyncIterator[Town]:
    """Give a town whose poll is open, with the service polling."""
    async with Town(database, tmp_path) as town:
        yield town
