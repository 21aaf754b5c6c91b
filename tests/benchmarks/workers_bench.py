"""One, two and four workers on one PostgreSQL behind one address: votes and messages a second, and what each costs.

Processor time is that of all workers and their supervisor, from before the first update to after the last
answer. What PostgreSQL writes into its log for a vote and for a message is read from the server itself. The emulator
and the server take their processor from the same cores: with two of them more workers cannot be faster.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import psutil
from mortal_town import ROOT, MortalTown
from sqlalchemy import func, insert, select
from town import PUBLIC_URL, Resident, free_port

from messages.notices import notices, sending
from messages.notices.model import Content
from messages.schema import channel, delivery
from messages.words.wording import Ways
from tests.benchmarks import scale
from tests.benchmarks.own_postgres import OwnServer, own_server
from voting import secrets_file
from voting.model import By
from voting.roll import roll

WORKERS: Final = (1, 2, 4)
VOTES, MESSAGES = 600, 3_000
AT_ONCE: Final = 60
WARM_EACH: Final = 60  # votes of each worker before those that are measured: it has read, and prepared, what it needs
PATIENCE_SECONDS: Final = 300.0
LOG_CHARACTERS: Final = 3_000
COST_RATIO_MAX: Final = 1.15
WAYS: Final = Ways(bot_url="https://t.me/ballot_bot")


@dataclass(frozen=True, slots=True)
class Pace:
    """What some votes or messages took: a second, milliseconds of processor and bytes of log for each."""

    per_second: float
    processor_ms: float
    log_bytes: float


@dataclass(frozen=True, slots=True)
class Both:
    """Votes and messages with so many workers."""

    votes: Pace
    messages: Pace


async def workers(folder: Path, shrink: int) -> None:
    """Print both for each number of workers, and how they stand to one worker's."""
    votes, messages = VOTES // shrink, MESSAGES // shrink
    print(f"\n{votes:,} votes in the chat and a notice to {messages:,}, by workers on one PostgreSQL; ratio: to one's;")
    print("ms: of processor for each, of all workers together; log: bytes that PostgreSQL writes for each")
    heads = ("votes/s", "ratio", "ms", "ratio", "log", "messages/s", "ratio", "ms", "ratio", "log")
    print(f"{'workers':>8}" + "".join(f" {head:>10}" for head in heads), flush=True)
    found: dict[int, Both] = {}
    with own_server() as server:
        for count in WORKERS:
            own = folder / str(count)
            own.mkdir()
            found[count] = await with_workers(server, own, count, votes, messages)
            one = found[WORKERS[0]]
            print(
                f"{count:8}{columns(found[count].votes, one.votes)}{columns(found[count].messages, one.messages)}",
                flush=True,
            )
    one = found[WORKERS[0]]
    dear = [
        f"{count} workers' {what}"
        for count, both in found.items()
        for what, ours, alone in (("votes", both.votes, one.votes), ("messages", both.messages, one.messages))
        if ours.processor_ms > COST_RATIO_MAX * alone.processor_ms
    ]
    print(
        f"  processor at most {COST_RATIO_MAX} times one worker's: {'MISSED by ' + ', '.join(dear) if dear else 'met'}"
    )
    scale.keep(
        "workers",
        {
            "votes": votes,
            "messages": messages,
            "vote_ms": one.votes.processor_ms,
            "vote_log_bytes": one.votes.log_bytes,
            "message_ms": one.messages.processor_ms,
            "message_log_bytes": one.messages.log_bytes,
        },
    )


def columns(ours: Pace, alone: Pace) -> str:
    """Write a pace beside one worker's."""
    figures = (
        f"{ours.per_second:,.1f}",
        f"{ours.per_second / alone.per_second:.2f}",
        f"{ours.processor_ms:.2f}",
        f"{ours.processor_ms / alone.processor_ms:.2f}",
        f"{ours.log_bytes:,.0f}",
    )
    return "".join(f" {figure:>10}" for figure in figures)


async def with_workers(server: OwnServer, folder: Path, count: int, votes: int, messages: int) -> Both:
    """Have a town vote, and tell its readers something."""
    async with town_of(server, folder, count, votes, messages) as town:
        if count > 1:
            await until_all_work(town, count)
        warm = WARM_EACH * count
        await everybody_votes(town, range(warm))
        voting = await measured(server, town, votes, everybody_votes(town, range(warm, warm + votes)))
        await be_readers(town, messages)
        telling = await measured(server, town, messages, everybody_is_told(town, messages))
        assert await town.locks() == warm + votes
    return Both(voting, telling)


class WorkersTown(MortalTown):
    """A town whose service is started by the command line, as an operator does it."""

    patience_seconds = PATIENCE_SECONDS

    async def starts(self, port: int | None = None) -> None:
        self.port = port or free_port()
        local = f"http://127.0.0.1:{self.port}"
        self.sandbox.telegram.public_url[PUBLIC_URL] = local
        self.sandbox.twilio.public_url[PUBLIC_URL] = local
        await asyncio.to_thread(secrets_file.save, self.folder / "ballotline.secrets", self.secrets)
        told = {f"BALLOTLINE_{name}": value for name, value in self._told().items()}
        words = ("-m", "bot.cli", "run", "--processes", str(self.processes))
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            *words,
            cwd=self.folder,
            env={**os.environ, **told, "PYTHONPATH": str(ROOT)},
            stderr=asyncio.subprocess.PIPE,
        )
        assert self.process.stderr is not None
        line = await self.process.stderr.readline()
        assert b"Ballotline is running" in line, line
        self.log = asyncio.create_task(self.process.stderr.read())  # a full pipe would hold the workers up

    async def stops(self) -> None:
        self.process.terminate()
        said = await self.log
        await self.process.wait()
        assert b"Traceback" not in said, said.decode()[-LOG_CHARACTERS:]


@asynccontextmanager
async def town_of(server: OwnServer, folder: Path, count: int, votes: int, messages: int) -> AsyncIterator[WorkersTown]:
    """Give a town of voters and readers with so many workers, open now."""
    name, now = f"workers_{count}", datetime.now(UTC)
    database = await server.fresh(name)
    names = [f"voter{number}" for number in range(WARM_EACH * count + votes)] + [
        f"reader{number}" for number in range(messages)
    ]
    try:
        async with WorkersTown(
            database,
            folder,
            server.named(name),
            processes=count,
            webhooks=True,
            residents=[Resident(one, None) for one in names],
            moment=now,
            opens_at=now - timedelta(days=1),
            closes_at=now + timedelta(days=1),
        ) as town:
            yield town
    finally:
        await database.close()


async def until_all_work(town: WorkersTown, count: int) -> None:
    """Wait until every worker shows itself in /metrics."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(await town.workers()) < count:  # noqa: ASYNC110 - other processes' doing
            await asyncio.sleep(0.1)


async def measured(server: OwnServer, town: WorkersTown, count: int, work: Awaitable[None]) -> Pace:
    """Measure some work."""
    log, processor, began = await server.written(), processor_seconds(town), time.perf_counter()
    await work
    seconds, used = time.perf_counter() - began, processor_seconds(town) - processor
    return Pace(count / seconds, used / count * 1000, (await server.written() - log) / count)


def processor_seconds(town: WorkersTown) -> float:
    """Give the processor time of the supervisor and all its workers."""
    process = psutil.Process(town.process.pid)
    times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
    return float(sum(used.user + used.system for used in times))


async def everybody_votes(town: WorkersTown, numbers: Iterable[int]) -> None:
    """Let these vote, so many at once."""
    waiting = iter(numbers)

    async def some() -> None:
        for number in waiting:
            await town.member(f"voter{number}").votes("North Quay")

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(some())


async def be_readers(town: WorkersTown, messages: int) -> None:
    """Give every reader a chat that was begun, as if they had linked it."""
    rows = []
    async with town.database.reading() as connection:
        for number in range(messages):
            reader = town.member(f"reader{number}")
            reader.person.chat.started = True
            found = await roll.find(connection, reader.member_no)
            rows.append({"member_id": found.id, "kind": "telegram", "address": str(reader.person.id)})
    since = town.clock()
    async with town.database.writing() as connection:
        await connection.execute(insert(channel), [row | {"state": "on", "since": since} for row in rows])


async def everybody_is_told(town: WorkersTown, messages: int) -> None:
    """Send a notice, and wait until the ledger says that it went."""
    by = By("Carys", "console", town.clock())
    async with town.database.writing() as connection:
        made = await notices.draft(connection, Content("pack_delayed", "all"), ways=WAYS, by=by)
        await notices.submit(connection, made.id, by=by)
        await notices.approve(connection, made.id, by=By("Gwen", "chat", by.at))
        await sending.send(connection, made.id, by=by)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await sent(town) < messages:  # noqa: ASYNC110 - other processes' doing
            await asyncio.sleep(0.1)


async def sent(town: WorkersTown) -> int:
    """Count what went."""
    async with town.database.reading() as connection:
        return int(await connection.scalar(select(func.count()).where(delivery.c.state == "sent")) or 0)
