"""`ballotline run --processes N`: several workers on one PostgreSQL, one socket, one poller."""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from mortal_town import MortalTown
from shell import Shell
from town import PATIENCE_SECONDS, Resident, free_port

from voting.store.database import Database

WORKERS = 2

pytestmark = pytest.mark.crash


@pytest.fixture
def engine_name() -> str:
    return "postgresql"


@pytest.fixture
async def town(database: Database, database_url: str, tmp_path: Path) -> AsyncIterator[MortalTown]:
    now = datetime.now(UTC)
    town = MortalTown(
        database,
        tmp_path,
        database_url,
        processes=WORKERS,
        residents=[Resident("ada", None)],
        moment=now,
        opens_at=now - timedelta(days=1),
        closes_at=now + timedelta(days=1),
    )
    async with town:
        yield town


async def test_workers_whose_supervisor_is_killed_end_by_themselves(town: MortalTown) -> None:
    workers = await town.until_workers(lambda found: len(found) == WORKERS)

    await town.dies()

    async with asyncio.timeout(PATIENCE_SECONDS):
        while any(lives(process) for process in workers.values()):  # noqa: ASYNC110 - other processes' doing
            await asyncio.sleep(0.05)


def lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


# -- what cannot run is said -------------------------------------------------------------


def test_sqlite_serves_one_process_and_it_is_said(tmp_path: Path) -> None:
    said = Shell(tmp_path)("run", "--processes", "2", code=1)

    assert said.strip() == (
        "SQLite serves one process; for 2 of them set BALLOTLINE_DATABASE_URL to a PostgreSQL database."
    )


def test_a_first_worker_that_cannot_begin_ends_all_with_its_one_sentence(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    nobody = f"postgresql+asyncpg://nobody@127.0.0.1:{free_port()}/none"
    shell.settings = {"BALLOTLINE_DATABASE_URL": nobody, "BALLOTLINE_LISTEN": f"127.0.0.1:{free_port()}"}

    said = shell("run", "--processes", "2", code=1).strip().splitlines()

    assert len(said) == 1
    assert "ballotline.secrets" in said[0]
