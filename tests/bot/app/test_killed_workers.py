"""kill -9 of one worker after the other while many vote by chat and page, and a notice goes to many more.

`make test` kills each of two once; `make soak` one of four every five seconds, until 600 have voted and 5,000 are told.
"""

import asyncio
import logging
import os
import random
import signal
from collections.abc import AsyncIterator, Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from mortal_town import MortalTown
from rush import Broadcast, Rush, Size
from soak import RUSH, RUSH_WORKERS, SOAK
from sqlalchemy import func, select

from bot.schema import turn
from messages.postman.line import IN_FLIGHT_MAX
from voting.audit.probes import run_probes
from voting.schema import case, lock
from voting.store.database import Database

SIZE = Size(*RUSH, think_seconds=20.0 if SOAK else 0.3)
WAYS = ["polled", "webhooks"] if SOAK else ["polled"]
EVERY_SECONDS = 5.0
MEDIAN_SECONDS_AIM, P99_SECONDS_AIM = 3.0, 10.0
BUSY = 3  # times as long is let pass where little else runs; nothing is said where much does
PATIENCE_AT_ONCE_SECONDS = 300.0  # of so many people on a machine that is busy

log = logging.getLogger(__name__)

pytestmark = [pytest.mark.crash, pytest.mark.soak]


@pytest.fixture
def engine_name() -> str:
    return "postgresql"


@pytest.fixture
async def town(way: str, database: Database, database_url: str, tmp_path: Path) -> AsyncIterator[MortalTown]:
    now = datetime.now(UTC)
    town = MortalTown(
        database,
        tmp_path,
        database_url,
        processes=RUSH_WORKERS,
        webhooks=way == "webhooks",
        may_say="a worker ended and is started again",
        residents=SIZE.residents,
        trusted_proxies="127.0.0.1",
        moment=now,
        opens_at=now - timedelta(days=1),
        closes_at=now + timedelta(days=1),
    )
    async with town:
        yield town


@pytest.mark.parametrize("way", WAYS)
async def test_workers_are_killed_while_many_vote_and_are_told_something(
    town: MortalTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One after the other is killed: every vote is locked once, nobody is accused of anything, all are told."""
    monkeypatch.setattr("town.PATIENCE_SECONDS", PATIENCE_AT_ONCE_SECONDS)
    broadcast = Broadcast(town, SIZE.readers)
    rush = Rush(town, SIZE, random.Random(15))
    await town.until_workers(lambda found: len(found) == RUSH_WORKERS)

    await broadcast.begins(on_unknown="resend" if SOAK else "leave")
    kills = await (kills_by_the_clock(rush, broadcast) if SOAK else kills_each_once(rush))
    workers = await town.until_workers(lambda found: len(found) == RUSH_WORKERS)
    assert await town.measured("ballotline_worker_starts", "worker=") == kills + RUSH_WORKERS
    async with asyncio.timeout(PATIENCE_AT_ONCE_SECONDS):
        await broadcast.until_nobody_waits("ready", *(("sending",) if SOAK else ()))  # a lease lasts a minute
    await town.settles()
    await insist_on_votes(rush)
    await insist_on_health(town)
    await town.stops()
    await insist_on_notice(broadcast, kills)
    await insist_on_end(town, workers.values())


async def kills_each_once(rush: Rush) -> int:
    """Have a wave vote for each worker, and kill it when the first are answered."""
    first = await rush.town.workers()
    async with asyncio.TaskGroup() as group:
        for wave, (worker, process) in enumerate(sorted(first.items())):
            answered = len(rush.waits)
            group.create_task(rush.votes(wave, len(first)))
            await rush.until_waits(answered + 1)
            os.kill(process, signal.SIGKILL)
            await rush.town.until_workers(
                lambda found, worker=worker, process=process: (  # type: ignore[misc]
                    found.get(worker, process) != process
                )
            )
    return len(first)


async def kills_by_the_clock(rush: Rush, broadcast: Broadcast) -> int:
    """Kill one of the workers every few seconds, when all are there, until all have voted and are told."""
    kills, town, quiet = 0, rush.town, os.getloadavg()[0] < (os.cpu_count() or 1)
    voting = asyncio.create_task(rush.votes())
    while not voting.done() or (await broadcast.states())["ready"]:
        await asyncio.sleep(EVERY_SECONDS)
        found = await town.until_workers(lambda found: len(found) == RUSH_WORKERS)  # a busy machine starts them slowly
        os.kill(rush.chance.choice(sorted(found.values())), signal.SIGKILL)
        kills += 1
        await town.until_workers(lambda now, before=found: now != before)  # type: ignore[misc]
    await voting
    for ways in (("chat",), ("page",), ("chat", "page")):
        median, most, longest = rush.waited(*ways)
        who = " and ".join(ways)
        log.info("%d kills; by %s: median %.2f s, p99 %.2f s, longest %.2f s", kills, who, median, most, longest)
    if quiet:
        assert median < BUSY * MEDIAN_SECONDS_AIM
        assert most < BUSY * P99_SECONDS_AIM
    return kills


async def insist_on_votes(rush: Rush) -> None:
    """Everybody has the one vote whose receipt they were told, and nobody is accused of anything."""
    town = rush.town
    assert len(rush.receipts) == SIZE.voters == await town.count("North Quay")
    async with town.database.reading() as connection:
        receipts = set(await connection.scalars(select(lock.c.receipt)))
        cases = await connection.scalar(select(func.count()).select_from(case))
        broken = [probe for probe in await run_probes(connection) if not probe.holds]
    assert (receipts, cases, broken) == (set(rush.receipts.values()), 0, [])
    assert await town.attempts() == 0


async def insist_on_notice(broadcast: Broadcast, kills: int) -> None:
    """What was in flight at a kill is told twice, or not told; nothing else is."""
    states, heard = await broadcast.states(), broadcast.heard()
    doubled, untold = sum(times - 1 for times in heard if times), heard.count(0)
    in_flight = kills * IN_FLIGHT_MAX
    log.info("told twice: %d, not told: %d, in flight: at most %d; the ledger: %s", doubled, untold, in_flight, states)
    assert states.total() == SIZE.readers
    assert doubled + untold <= in_flight
    assert untold <= states.total() - states["sent"]
    assert doubled == 0 or SOAK


async def insist_on_health(town: MortalTown) -> None:
    """All answer on one address that they are well, and one of them polls, if anybody has to."""

    async def asks(client: aiohttp.ClientSession) -> int:
        async with client.get("/readyz") as answer:
            return answer.status

    async with aiohttp.ClientSession(town.url) as client:
        assert set(await asyncio.gather(*(asks(client) for _ in range(30)))) == {200}
    assert await pollers(town) == (0 if town.webhooks else 1)


async def insist_on_end(town: MortalTown, workers: Collection[int]) -> None:
    """No process is left, and nobody holds the turn to poll."""
    for process in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
    assert await pollers(town) == 0


async def pollers(town: MortalTown) -> int:
    """Count who holds the turn to poll."""
    async with town.database.reading() as connection:
        return int(await connection.scalar(select(func.count()).select_from(turn)) or 0)
