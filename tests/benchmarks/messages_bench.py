"""Our sender beside python-telegram-bot's own: without a limit, at a limit, with people in a chat; planning's cost."""

import asyncio
import json
import math
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
from ballot_town import NOW, chats, make_members, make_poll, send_notice, states
from prepared import SECRETS
from sqlalchemy import insert
from telegram import Bot
from telegram.ext import AIORateLimiter, ExtBot
from telegram.request import HTTPXRequest

from messages.channels.telegram_channel import TelegramChannel
from messages.channels.telegram_request import AiohttpRequest
from messages.pace.pacer import Pacer
from messages.postman.line import IN_FLIGHT_MAX
from messages.postman.postman import Outlet, Postman
from messages.reach import TELEGRAM
from messages.schema import channel
from voting.audit.signer import Signer
from voting.schema import member
from voting.store.database import Database
from voting.store.upgrade import upgrade

TOKEN: Final = "1:bench"
WORDS: Final = "Your ballot pack is delayed. It arrives by 10 August 2022 at the latest."
UNLIMITED: Final = 6_000
BROADCAST: Final = 10_000
BROADCAST_RATE: Final = 500
CHAT_RATE: Final = 30
CHAT_SECONDS: Final = 40
ASKS_PER_SECOND: Final = 4  # of people in a chat, while the broadcast takes all the rest
PLANNED: Final = (172_437, 1_000_000)


@dataclass
class Stub:
    """The Bot API in a process of its own."""

    url: str

    async def seen(self) -> tuple[list[float], int]:
        """Give when messages were accepted, and how many were refused, since this was last asked."""
        async with aiohttp.ClientSession() as session, session.get(self.url) as answer:
            report = await answer.json()
        return report["accepted"], report["refused"]


@asynccontextmanager
async def stub(limit: float = math.inf) -> AsyncIterator[Stub]:
    """Run a stub until the block ends."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(Path(__file__).with_name("telegram_stub.py")), str(limit), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield Stub(f"http://127.0.0.1:{int(await process.stdout.readline())}/bot")
    finally:
        process.terminate()
        await process.wait()


@dataclass
class Sending:
    """Our postman at work."""

    database: Database
    bot: Bot
    postman: Postman


@asynccontextmanager
async def postman(folder: Path, served: Stub, count: int, pacer: Pacer) -> AsyncIterator[Sending]:
    """Plan a notice to `count` chats and run our postman, ledger and all, until the block ends."""
    database = Database(f"sqlite+aiosqlite:///{folder / f'{time.monotonic_ns()}.db'}", Signer(SECRETS))
    await upgrade(database)
    await make_poll(database)
    await make_members(database, count, telegram=chats(count))
    await send_notice(database)
    request = AiohttpRequest(pacer)
    bot = Bot(TOKEN, base_url=served.url, request=request)
    stop = asyncio.Event()
    ours = Postman(database, [Outlet(TelegramChannel(bot), pacer)])
    running = asyncio.create_task(ours.run(stop))
    try:
        yield Sending(database, bot, ours)
    finally:
        stop.set()
        await running
        await request.shutdown()
        await database.close()


async def until_sent(sending: Sending, count: int) -> None:
    """Wait until all have been answered and the whole ledger says sent; it is not counted before, for that costs."""
    while sending.postman.lines[TELEGRAM].counts.sent < count:  # noqa: ASYNC110 - as a person would look, now and then
        await asyncio.sleep(0.02)
    while (await states(sending.database)).get("sent", 0) < count:  # noqa: ASYNC110 - what is waited for is in a database
        await asyncio.sleep(0.02)


async def crowd(width: int, count: int, send: Callable[[int], Awaitable[object]]) -> None:
    """Send `count` messages, `width` at a time."""
    queue = iter(range(count))

    async def some() -> None:
        for number in queue:
            await send(number)

    await asyncio.gather(*(some() for _ in range(width)))


def busiest_second(moments: list[float]) -> int:
    """Count the messages in the fullest second."""
    first = most = 0
    for place, moment in enumerate(moments):
        while moments[first] <= moment - 1:
            first += 1
        most = max(most, place - first + 1)
    return most


# -- (a), (e): as fast as it goes --------------------------------------------------------------------------


async def unlimited(folder: Path, shrink: int) -> None:
    """Messages per second and processor time per message, with no limit."""
    count, width = UNLIMITED // shrink, IN_FLIGHT_MAX
    async with stub() as served:
        theirs = await timed_bot(served, HTTPXRequest(connection_pool_size=width), width, count)
        transport = await timed_bot(served, AiohttpRequest(), width, count)
        async with postman(folder, served, count, Pacer()) as sending:
            cpu, began = time.process_time(), time.perf_counter()
            await until_sent(sending, count)
            cpu, seconds = time.process_time() - cpu, time.perf_counter() - began
        again = await timed_bot(served, HTTPXRequest(connection_pool_size=width), width, count)
    peer, peer_cpu = (theirs[0] + again[0]) / 2, (theirs[1] + again[1]) / 2
    ours = count / seconds, cpu / count * 1000
    print(f"(a, e) {count} messages, {width} at a time, no limit; the peer before and after ours")
    print(f"  {'python-telegram-bot, its own transport':40} {peer:7,.0f}/s        {peer_cpu:6.2f} ms of processor each")
    for name, (rate, cpu_ms) in (("the same Bot, our transport", transport), ("our postman, with the ledger", ours)):
        print(f"  {name:40} {rate:7,.0f}/s {rate / peer:5.2f}x {cpu_ms:6.2f} ms, {peer_cpu / cpu_ms:.2f}x less")


async def timed_bot(
    served: Stub, request: HTTPXRequest | AiohttpRequest, width: int, count: int
) -> tuple[float, float]:
    """Give messages per second of a Bot over a transport, and processor milliseconds of each."""
    async with Bot(TOKEN, base_url=served.url, request=request) as bot:

        async def send(number: int) -> None:
            await bot.send_message(number + 1, WORDS)

        cpu, began = time.process_time(), time.perf_counter()
        await crowd(width, count, send)
        return count / (time.perf_counter() - began), (time.process_time() - cpu) / count * 1000


# -- (b): at a limit ---------------------------------------------------------------------------------------


async def limited(folder: Path, shrink: int) -> None:
    """A broadcast at a limit: time over ideal, what was refused, most in any second."""
    count = BROADCAST // shrink
    ideal = count / BROADCAST_RATE
    print(f"(b) {count} messages at {BROADCAST_RATE}/s: {ideal:.1f} s at best")
    async with stub(BROADCAST_RATE) as served:
        async with postman(folder, served, count, Pacer(BROADCAST_RATE)) as sending:
            await until_sent(sending, count)
        tell_limited("ours", *await served.seen(), ideal)
        limiter = AIORateLimiter(overall_max_rate=BROADCAST_RATE, overall_time_period=1, max_retries=20)
        async with ExtBot(
            TOKEN, base_url=served.url, request=HTTPXRequest(connection_pool_size=64), rate_limiter=limiter
        ) as bot:

            async def send(number: int) -> None:
                await bot.send_message(number + 1, WORDS)

            await crowd(64, count, send)
        tell_limited("AIORateLimiter", *await served.seen(), ideal)


def tell_limited(name: str, accepted: list[float], refused: int, ideal: float) -> None:
    """Print one sender's figures: from its first accepted message to its last."""
    seconds = accepted[-1] - accepted[0]
    print(f"  {name:15} {seconds / ideal:5.2f} of ideal, {refused} answers 429, {busiest_second(accepted)} in a second")


# -- (c): people in a chat ---------------------------------------------------------------------------------


async def in_a_chat(folder: Path, shrink: int) -> None:
    """How long people in a chat wait for an answer while a broadcast fills the limit."""
    seconds = max(5, CHAT_SECONDS // shrink)
    count = CHAT_RATE * seconds
    print(f"(c) people ask {ASKS_PER_SECOND} times a second while a broadcast fills {CHAT_RATE}/s, for {seconds} s")
    async with stub(CHAT_RATE) as served:
        async with postman(folder, served, count, Pacer(CHAT_RATE)) as sending:
            tell_waits("ours", await asks(sending.bot, seconds))
        await served.seen()
        limiter = AIORateLimiter(overall_max_rate=1, overall_time_period=1 / CHAT_RATE, max_retries=20)
        async with ExtBot(
            TOKEN, base_url=served.url, request=HTTPXRequest(connection_pool_size=256), rate_limiter=limiter
        ) as queue:

            async def send(number: int) -> None:
                await queue.send_message(number + 1, WORDS)

            broadcast = asyncio.create_task(crowd(200, count, send))
            tell_waits("first come, first served", await asks(queue, seconds))
            await broadcast


async def asks(bot: Bot, seconds: int) -> list[float]:
    """Answer people at a steady pace; give how long each answer took."""
    waits: list[float] = []

    async def answer(number: int) -> None:
        began = time.perf_counter()
        await bot.send_message(10_000_000 + number, "Your pack is on its way.")
        waits.append(time.perf_counter() - began)

    async with asyncio.TaskGroup() as group:
        for number in range(seconds * ASKS_PER_SECOND):
            group.create_task(answer(number))
            await asyncio.sleep(1 / ASKS_PER_SECOND)
    return waits


def tell_waits(name: str, waits: list[float]) -> None:
    """Print one sender's figures."""
    p99 = statistics.quantiles(waits, n=100)[98]
    print(f"  {name:24} median {statistics.median(waits) * 1000:7,.0f} ms, p99 {p99 * 1000:7,.0f} ms")


# -- (d): planning -----------------------------------------------------------------------------------------


async def planning(_folder: Path, shrink: int) -> None:
    """How long planning takes and how much memory, each size in a process of its own."""
    print("(d) planning a notice, a row for each member and channel")
    for count in PLANNED:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.benchmarks.messages_bench",
            str(count // shrink),
            stdout=asyncio.subprocess.PIPE,
        )
        told, _ = await process.communicate()
        found = json.loads(told)
        print(f"  {count // shrink:9,} members: {found['seconds']:6.2f} s, peak memory {found['mib']:.0f} MiB")


async def plan(count: int) -> None:
    """Make that many members and plan a notice to all; print seconds and peak memory."""
    with tempfile.TemporaryDirectory(prefix="ballotline-bench-") as folder:
        database = Database(f"sqlite+aiosqlite:///{Path(folder) / 'plan.db'}", Signer(SECRETS))
        await upgrade(database)
        await make_poll(database)
        for first in range(1, count + 1, 20_000):
            ids = range(first, min(first + 20_000, count + 1))
            async with database.writing() as connection:
                people = {"language": "en-GB", "area": "North", "country": "GB", "eligible": True}
                await connection.execute(insert(member), [{"id": n, "member_no": f"{n:07}", **people} for n in ids])
                way = {"kind": "telegram", "state": "on", "since": NOW}
                await connection.execute(insert(channel), [{"member_id": n, "address": str(n), **way} for n in ids])
        began = time.perf_counter()
        await send_notice(database)
        seconds = time.perf_counter() - began
        assert await states(database) == {"ready": count}
        await database.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "mib": peak}))


async def messages(folder: Path, shrink: int) -> None:
    """Run all of them."""
    await unlimited(folder, shrink)
    await limited(folder, shrink)
    await in_a_chat(folder, shrink)
    await planning(folder, shrink)


if __name__ == "__main__":
    asyncio.run(plan(int(sys.argv[1])))
