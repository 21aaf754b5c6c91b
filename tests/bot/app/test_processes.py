"""`ballotline run --processes N`: several workers on one PostgreSQL, one socket, one poller; any may be killed."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from mortal_town import MortalTown
from shell import Shell
from town import PATIENCE_SECONDS, Resident, free_port

from bot.schema import turn
from voting.audit.probes import run_probes
from voting.store.database import Database

WORKERS = 2
VOTERS_EACH = 5
NAMES = [f"v{number}" for number in range(WORKERS * VOTERS_EACH)]

pytestmark = pytest.mark.crash


@pytest.fixture
def engine_name() -> str:
    return "postgresql"


@pytest.fixture
def way() -> str:
    return "polled"


@pytest.fixture
async def town(way: str, database: Database, database_url: str, tmp_path: Path) -> AsyncIterator[MortalTown]:
    now = datetime.now(UTC)
    town = MortalTown(
        database,
        tmp_path,
        database_url,
        processes=WORKERS,
        webhooks=way == "webhooks",
        may_say="a worker ended and is started again",
        residents=[Resident(name, None) for name in NAMES],
        moment=now,
        opens_at=now - timedelta(days=1),
        closes_at=now + timedelta(days=1),
    )
    async with town:
        yield town


@pytest.mark.parametrize("way", ["polled", "webhooks"])
async def test_workers_share_the_work_and_one_that_is_killed_is_started_again(town: MortalTown) -> None:
    """Members vote while each worker is killed once: every vote is locked once, nobody is accused of anything."""
    first = await town.until_workers(lambda found: len(found) == WORKERS)
    receipts: dict[str, str] = {}

    async def votes(name: str) -> None:
        receipts[name] = await town.member(name).votes("North Quay")

    async with asyncio.TaskGroup() as group:
        for turn_of, (worker, process) in enumerate(sorted(first.items())):
            for name in NAMES[turn_of * VOTERS_EACH : (turn_of + 1) * VOTERS_EACH]:
                group.create_task(votes(name))
            os.kill(process, signal.SIGKILL)
            await town.until_workers(
                lambda found, worker=worker, process=process: (  # type: ignore[misc]
                    len(found) == WORKERS and found[worker] != process
                )
            )

    assert receipts.keys() == set(NAMES)
    assert await town.count("North Quay") == len(NAMES)
    assert [name for name in NAMES if await town.case_of(name) is not None] == []
    assert await town.measured("ballotline_worker_starts", "worker=") == 2 * WORKERS
    async with town.database.reading() as connection:
        assert [probe for probe in await run_probes(connection) if not probe.holds] == []
        pollers = (await connection.execute(turn.select())).all()
    assert len(pollers) == (0 if town.webhooks else 1)


async def test_all_end_in_order_and_leave_no_process(town: MortalTown) -> None:
    workers = await town.until_workers(lambda found: len(found) == WORKERS)

    await town.stops()

    for process in workers.values():
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
    async with town.database.reading() as connection:
        assert (await connection.execute(turn.select())).all() == []


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


async def test_health_is_answered_by_all_on_one_address(town: MortalTown) -> None:
    await town.until_workers(lambda found: len(found) == WORKERS)

    async def asks(client: aiohttp.ClientSession) -> int:
        async with client.get("/readyz") as answer:
            return answer.status

    async with aiohttp.ClientSession(town.url) as client:
        assert set(await asyncio.gather(*(asks(client) for _ in range(30)))) == {200}


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
