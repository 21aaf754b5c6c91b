"""Stories run on SQLite; one that names `engine_name` runs on that engine."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from town import Town

from bot.alerts import pump
from bot.app import chores
from voting.store.database import Database


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the service looks for every second or two, it looks for more often: a story need not wait as people do."""
    monkeypatch.setattr(pump, "LOOK_EVERY", timedelta(seconds=0.2))
    monkeypatch.setattr(pump, "EDIT_EVERY", timedelta(seconds=0.2))
    monkeypatch.setattr(chores, "MENUS_EVERY", timedelta(seconds=0.5))


@pytest.fixture
async def town(database: Database, tmp_path: Path) -> AsyncIterator[Town]:
    """Give a town whose poll is open, with the service polling."""
    async with Town(database, tmp_path) as town:
        yield town
