"""Packs on PostgreSQL: what was planned for the empty table is not kept while it fills."""

from pathlib import Path

import pytest
from prepared import GWEN, SECRETS, line, make_poll, take_roll, write_roll
from sqlalchemy import text

from voting.packs import packs
from voting.store import postgres
from voting.store.database import Database


@pytest.fixture
def engine_name() -> str:
    return "postgresql"


@pytest.mark.parametrize(("least", "counted"), [(3, True), (5, False)])
async def test_a_large_issue_has_its_packs_counted_before_it_commits(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, least: int, counted: bool
) -> None:
    monkeypatch.setattr(postgres, "GROWN_ROWS", least)
    await make_poll(database)
    await take_roll(database, write_roll(tmp_path / "roll.csv", [line(str(number)) for number in range(1, 5)]))

    issued = await packs.issue(database, SECRETS, packs.Printing(tmp_path / "print.csv", "https://bot"), by=GWEN)

    assert issued.packs == 4
    async with database.reading() as connection:
        known = await connection.scalar(text("SELECT reltuples FROM pg_class WHERE relname = 'pack'"))
    assert known == (4 if counted else -1)
