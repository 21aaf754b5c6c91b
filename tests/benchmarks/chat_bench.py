"""500 members vote at once through the whole bot, a process of its own, over the local Telegram without a limit.

Beside it python-telegram-bot's bare update loop: the same updates to a handler that does nothing, without a network.
"""

import asyncio
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import psutil
from prepared import SECRETS
from telegram import Update
from telegram.ext import Application, ContextTypes, TypeHandler
from town import Member, Resident, Town, free_port

from voting import secrets_file
from voting.audit.signer import Signer
from voting.store.database import Database
from voting.store.upgrade import upgrade

MEMBERS = 500
P95_SECONDS_MAX = 1.0
CALLS_MAX = 6
THINK_SECONDS = (0.0, 8.0)  # a person reads and types in between; all 500 are on the way at once
PATIENCE_SECONDS = 60.0


@dataclass
class Measured:
    """What was seen."""

    press_to_lock: list[float] = field(default_factory=list)
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    calls: int = 0

    def p(self, percent: int) -> float:
        """Give a percentile of the time from the press to the locked answer."""
        return statistics.quantiles(self.press_to_lock, n=100)[percent - 1]


class ServiceApart(Town):
    """A town whose service is a process of its own, started by the command line."""

    async def starts(self) -> None:
        secrets = self.folder / "ballotline.secrets"
        await asyncio.to_thread(secrets_file.save, secrets, self.secrets)
        settings = self.told(free=self.folder)
        env = {**os.environ, **settings, "BALLOTLINE_SECRETS_FILE": str(secrets)}
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot.cli", "run", env=env, stderr=asyncio.subprocess.DEVNULL
        )
        waiter = self.member(self.residents[0].name)
        await waiter.asks(waiter.types("/start"))

    async def stops(self) -> None:
        self.process.terminate()
        await self.process.wait()

    def told(self, *, free: Path) -> dict[str, str]:
        """Give the settings as the environment has them."""
        telegram = self.sandbox.telegram
        return {
            "BALLOTLINE_DATABASE_URL": f"sqlite+aiosqlite:///{free / 'ballotline.db'}",
            "BALLOTLINE_TELEGRAM_TOKEN": telegram.token,
            "BALLOTLINE_TELEGRAM_API_URL": telegram.api_url,
            "BALLOTLINE_TELEGRAM_RATE": "1000",
            "BALLOTLINE_LISTEN": f"127.0.0.1:{free_port()}",
            "BALLOTLINE_LOG_LEVEL": "WARNING",
        }

    def cpu_seconds(self) -> float:
        """Give the processor time the service has taken."""
        used = psutil.Process(self.process.pid).cpu_times()
        return float(used.user + used.system)


Apart = TypeVar("Apart", bound=ServiceApart)


async def chat(folder: Path, shrink: int) -> None:
    """Print latency, calls and processor time per vote, and updates per second beside the bare loop."""
    members = max(20, MEMBERS // shrink)
    async with town_of(folder, members, ServiceApart) as town:
        measured = await everybody_votes(town, members)
        locks = await town.locks()
        updates = [update for update in town.sandbox.telegram.updates if "callback_query" in update]
    bare = await bare_loop(updates)
    cpu_ms = measured.cpu_seconds / members * 1000
    calls = measured.calls / members
    print(f"{members} members vote at once through the bot: {locks} locked in {measured.seconds:.1f} s")
    print(f"  press to locked answer: median {measured.p(50) * 1000:.0f} ms, p95 {measured.p(95) * 1000:.0f} ms")
    print(f"  calls that count against the limit, per vote: {calls:.2f} (at most {CALLS_MAX})")
    print(f"  processor time of the service per vote: {cpu_ms:.1f} ms, so {1000 / cpu_ms:.0f} votes/s on one core")
    print(f"  python-telegram-bot's bare loop: {bare:.0f} updates/s; a vote is 5 updates and {calls:.0f} calls")
    assert locks == members
    assert calls <= CALLS_MAX


@asynccontextmanager
async def town_of(folder: Path, members: int, kind: type[Apart]) -> AsyncIterator[Apart]:
    """Give a town of this kind, open now."""
    database = Database(f"sqlite+aiosqlite:///{folder / 'ballotline.db'}", Signer(SECRETS))
    await upgrade(database)
    now = datetime.now(UTC)
    residents = [Resident(f"member{number}", None) for number in range(members)]
    span = {"opens_at": now - timedelta(days=1), "closes_at": now + timedelta(days=1)}
    try:
        async with kind(database, folder, residents=residents, moment=now, **span) as town:
            yield town
    finally:
        await database.close()


async def everybody_votes(town: ServiceApart, members: int) -> Measured:
    """Let all be on the way at once, each thinking a little between two steps."""
    measured = Measured()
    meter = town.sandbox.telegram.meter
    calls_before, cpu_before, began = counted(meter), town.cpu_seconds(), time.perf_counter()
    waiting = [votes(town.member(resident.name), measured, number) for number, resident in enumerate(town.residents)]
    await asyncio.gather(*waiting)
    measured.seconds = time.perf_counter() - began
    measured.cpu_seconds = town.cpu_seconds() - cpu_before
    measured.calls = counted(meter) - calls_before
    assert len(measured.press_to_lock) == members
    return measured


async def votes(member: Member, measured: Measured, number: int) -> None:
    """Vote as a person does, and note how long the last press took."""
    await thinks(number, 0)
    await member.asks(member.types("/vote"), "Before you vote")
    await thinks(number, 1)
    await member.asks(member.presses("I understand"), "type the pack code")
    await thinks(number, 2)
    await member.asks(member.types(member.pack.codes), "your voting paper")
    await thinks(number, 3)
    await member.asks(member.presses("North Quay"), "You chose")
    await thinks(number, 4)
    pressed = time.perf_counter()
    await member.asks(member.presses("Cast my vote"), "Your vote is locked")
    measured.press_to_lock.append(time.perf_counter() - pressed)


async def thinks(number: int, step: int) -> None:
    """Wait as long as this person does at this step: the same in every run."""
    shortest, longest = THINK_SECONDS
    await asyncio.sleep(shortest + (longest - shortest) * ((number * 7919 + step * 104729) % 1000) / 1000)


def counted(meter: Any) -> int:
    """Count calls that Telegram counts: messages and edits; deletions are counted too, to be careful."""
    return int(meter.counted + meter.by_method["deleteMessage"])


async def bare_loop(updates: list[dict[str, Any]]) -> float:
    """Give updates per second of an Application whose one handler does nothing."""
    application = Application.builder().token("1:bare").updater(None).context_types(ContextTypes()).build()

    async def nothing(_update: object, _context: object) -> None:
        return

    application.add_handler(TypeHandler(Update, nothing))
    application._initialized = True
    began = time.perf_counter()
    for update in updates:
        await application.process_update(Update.de_json(update, application.bot))
    return len(updates) / (time.perf_counter() - began)
