"""One, two and four workers on one PostgreSQL behind one address: votes and messages a second, and what each costs.

Processor time is that of all workers and their supervisor, from before the first update to after the last
answer. What PostgreSQL writes into its log for a vote and for a message is read from the server itself. The emulator,
whose members are in it, and the server take their processor from the same cores: what the emulator took is printed
beside it, and more workers than cores only share them.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time
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
VOTES, MESSAGES = 1_500, 3_000
AT_ONCE: Final = 300
WARM_EACH: Final = 60  # votes of each worker before those that are measured: it has read, and prepared, what it needs
PATIENCE_SECONDS: Final = 300.0
LOG_CHARACTERS: Final = 3_000
COST_RATIO_MAX: Final = 1.15
VOTES_A_SECOND, VOTES_A_SECOND_BESIDE = 100, 70  # of the best number of workers; where the emulator is what bounds it
WAYS: Final = Ways(bot_url="https://t.me/ballot_bot")


@dataclass(frozen=True, slots=True)
class Pace:
    """What some votes or messages took: a second, milliseconds of processor and bytes of log for each."""

    per_second: float
    processor_ms: float
    emulator_ms: float
    log_bytes: float


@dataclass(frozen=True, slots=True)
class Both:
    """Votes and messages with so many workers."""

    votes: Pace
    messages: Pace


async def workers(folder: Path, shrink: int) -> None:
    """Print both for each number of workers, and how they stand to one worker's."""
    votes, messages = VOTES // shrink, MESSAGES // shrink
    at_once = min(AT_ONCE, votes // 5)
    print(
        f"\n{votes:,} votes in the chat, {at_once} at once, and a notice to {messages:,}, by workers on one PostgreSQL;"
    )
    print("ratio: to one's; ms: of processor for each, of all workers together, and of the emulator (em);")
    print("log: bytes that PostgreSQL writes for each")
    columns_of_one = ("ratio", "ms", "ratio", "em ms", "log")
    heads = ("votes/s", *columns_of_one, "messages/s", *columns_of_one)
    print(f"{'workers':>8}" + "".join(f" {head:>10}" for head in heads), flush=True)
    found: dict[int, Both] = {}
    with own_server() as server:
        for count in WORKERS:
            own = folder / str(count)
            own.mkdir()
            found[count] = await with_workers(server, own, count, votes, at_once, messages)
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
    best = max(both.votes.per_second for both in found.values())
    fast = "met" if best >= VOTES_A_SECOND else "MISSED"
    beside = "met" if best >= VOTES_A_SECOND_BESIDE else "MISSED"
    print(
        f"  at least {VOTES_A_SECOND} votes/s: {fast}; {VOTES_A_SECOND_BESIDE} where the emulator bounds it: {beside}"
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
        f"{ours.emulator_ms:.2f}",
        f"{ours.log_bytes:,.0f}",
    )
    return "".join(f" {figure:>10}" for figure in figures)


async def with_workers(server: OwnServer, folder: Path, count: int, votes: int, at_once: int, messages: int) -> Both:
    """Have a town vote, and tell its readers something."""
    async with town_of(server, folder, count, votes, messages) as town:
        if count > 1:
            await until_all_work(town, count)
        warm = WARM_EACH * count
        await everybody_votes(town, range(warm), at_once)
        voting = await measured(server, town, votes, everybody_votes(town, range(warm, warm + votes), at_once))
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
    log, processor, own, began = await server.written(), processor_seconds(town), process_time(), perf_counter()
    await work
    seconds, used, ours = perf_counter() - began, processor_seconds(town) - processor, process_time() - own
    return Pace(count / seconds, used / count * 1000, ours / count * 1000, (await server.written() - log) / count)


def processor_seconds(town: WorkersTown) -> float:
    """Give the processor time of the supervisor and all its workers."""
    process = psutil.Process(town.process.pid)
    times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
    return float(sum(used.user + used.system for used in times))


async def everybody_votes(town: WorkersTown, numbers: Iterable[int], at_once: int) -> None:
    """Let these vote, so many at once."""
    waiting = iter(numbers)

    async def some() -> None:
        for number in waiting:
            await town.member(f"voter{number}").votes("North Quay")

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
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
