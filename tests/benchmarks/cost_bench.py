"""What a vote in the chat costs in processor time, beside a toy: a plain python-telegram-bot bot that does the same.

300 vote at once, whoever has voted makes room for the next, and only the steady middle counts: the time of the
service's process and all its threads. A vote is 9 updates and 11 calls: the person lets the bot in, starts it, asks to
vote, understands, types the codes, chooses, casts, asks how it stands, and mends a word of what they wrote.
"""

import asyncio
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
from town import Member, Town

from bot.sandbox.telegram.model import Message
from tests.benchmarks.chat_bench import ServiceApart, town_of

AT_ONCE: Final = 300
VOTES: Final = 1_500  # of which the first and the last fifth are not counted
UPDATES, CALLS = 9, 11
COST_MS_MAX: Final = 20.0
REST_SECONDS: Final = 5.0
TOY: Final = Path(__file__).with_name("toy_bot.py")


@dataclass(frozen=True, slots=True)
class Moment:
    """How much had been done and used at some time."""

    at: float
    votes: int
    cpu_seconds: float
    emulator_cpu_seconds: float
    updates: int
    calls: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What each vote of the steady middle took; milliseconds of processor."""

    ms: float
    emulator_ms: float
    per_second: float
    updates: float
    calls: float
    rest_ms: float = 0.0  # of every second in which nobody does anything

    @property
    def per_cpu_second(self) -> float:
        """Give votes per second of processor."""
        return 1000 / self.ms


class ToyApart(ServiceApart):
    """A town whose bot is the toy."""

    ballots = False

    async def starts(self) -> None:
        telegram = self.sandbox.telegram
        told = [telegram.token, telegram.api_url, *(["ballots"] if self.ballots else [])]
        root = str(Path(__file__).parents[2])
        env = {**os.environ, "PYTHONPATH": root}
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, str(TOY), *told, env=env, stderr=asyncio.subprocess.DEVNULL
        )
        waiter = self.member(self.residents[0].name)
        await waiter.asks(waiter.types("/start"))


class SealingToyApart(ToyApart):
    """A town whose bot is the toy, with derivation, sealing and checking."""

    ballots = True


async def cost(folder: Path, shrink: int) -> None:
    """Print what a vote costs, beside both toys."""
    votes = max(60, VOTES // shrink)
    at_once = min(AT_ONCE, votes // 5)
    found = {}
    for name, kind in (("ours", ServiceApart), ("toy", ToyApart), ("toy with ballots", SealingToyApart)):
        (folder / name).mkdir()
        async with town_of(folder / name, votes, kind) as town:
            found[name] = await measured(town, at_once)
    ours = found["ours"]
    print(f"{votes} votes in the chat, {at_once} at once; of the steady middle, each {UPDATES} updates, {CALLS} calls")
    print(f"  {'':22} {'ms of processor':>16} {'votes/s of it':>14} {'ours':>6} {'emulator':>10} {'votes/s':>8}")
    for name, one in found.items():
        ratio = f"{ours.per_cpu_second / one.per_cpu_second:5.2f}x"
        print(
            f"  {name:22} {one.ms:16.1f} {one.per_cpu_second:14.1f} {ratio:>6} {one.emulator_ms:7.1f} ms"
            f" {one.per_second:8.1f}"
        )
    print(
        f"  at rest ours takes {ours.rest_ms:.1f} ms of every second; at most {COST_MS_MAX:.0f} ms a vote are allowed"
    )


async def measured(town: Town, at_once: int) -> Cost:
    """Have everybody vote, so many at once; give what each took in the middle."""
    assert isinstance(town, ServiceApart)
    rest_ms = await at_rest(town)
    moments: list[Moment] = []
    waiting, total = iter(town.residents), len(town.residents)
    marks = {total // 5, total - total // 5}
    done = 0

    async def some() -> None:
        nonlocal done
        for resident in waiting:
            await votes(town.member(resident.name))
            done += 1
            if done in marks:
                moments.append(moment(town, done))

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(some())
    first, last = moments
    count = last.votes - first.votes
    return Cost(
        ms=(last.cpu_seconds - first.cpu_seconds) / count * 1000,
        emulator_ms=(last.emulator_cpu_seconds - first.emulator_cpu_seconds) / count * 1000,
        per_second=count / (last.at - first.at),
        updates=(last.updates - first.updates) / count,
        calls=(last.calls - first.calls) / count,
        rest_ms=rest_ms,
    )


async def at_rest(town: ServiceApart) -> float:
    """Give the processor milliseconds of each second in which nobody does anything."""
    before, began = town.cpu_seconds(), time.perf_counter()
    await asyncio.sleep(REST_SECONDS)
    return (town.cpu_seconds() - before) / (time.perf_counter() - began) * 1000


def moment(town: ServiceApart, votes: int) -> Moment:
    """Look at every clock."""
    telegram, used = town.sandbox.telegram, psutil.Process().cpu_times()
    calls = sum(count for method, count in telegram.meter.by_method.items() if method != "getUpdates")
    updates = len(telegram.updates)
    return Moment(time.perf_counter(), votes, town.cpu_seconds(), used.user + used.system, updates, calls)


async def votes(member: Member) -> None:
    """Vote as a person does who does nothing else meanwhile."""
    await member.person.unblocks()
    started: list[Message] = []

    async def starts() -> None:
        sent = await member.types("/start")
        assert sent is not None
        started.append(sent)

    await member.asks(starts())
    await member.asks(member.types("/vote"), "Before you vote")
    await member.asks(member.presses("I understand"), "type the pack code")
    await member.asks(member.types(member.pack.codes), "your voting paper")
    await member.asks(member.presses("North Quay"), "You chose")
    await member.asks(member.presses("Cast my vote"), "Your vote is locked")
    await member.asks(member.types("/status"))
    await member.person.edits(started[0], "thank you")
