"""Our sender beside python-telegram-bot's own: without a limit, at a limit, with people in a chat; planning's cost."""

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import aiohttp
from ballot_town import NOW, make_poll, send_notice, states
from prepared import SECRETS
from sqlalchemy import insert
from telegram import Bot
from telegram.ext import AIORateLimiter, ExtBot
from telegram.request import HTTPXRequest

from messages.channels.channels import Outgoing
from messages.channels.telegram_channel import TelegramChannel
from messages.channels.telegram_request import AiohttpRequest
from messages.pace.pacer import Pacer
from messages.schema import channel
from tests.benchmarks.stubbed import TOKEN, Stub, crowd, postman, stub, until_sent
from voting.audit.signer import Signer
from voting.schema import member
from voting.store.database import Database
from voting.store.upgrade import upgrade

WORDS: Final = "Your ballot pack is delayed. It arrives by 10 August 2022 at the latest."
UNLIMITED: Final = 6_000
PATIENCE_SECONDS: Final = 120.0
PEER_WIDTH, NARROW_WIDTH = 32, 8  # its own transport takes more processor each, the wider it is
NOTICE_MS_MAX, NOTICE_RATIO_MIN = 0.4, 5.0
BROADCAST: Final = 10_000
BROADCAST_RATE: Final = 500
CHAT_RATE: Final = 30
CHAT_SECONDS: Final = 40
ASKS_PER_SECOND: Final = 4  # of people in a chat, while the broadcast takes all the rest
PLANNED: Final = (172_437, 1_000_000)


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
    """Messages per second and processor time per message, with no limit: postman and ledger, and the channel alone."""
    count = UNLIMITED // shrink
    async with stub() as served:
        wide = await timed_bot(served, httpx_of(PEER_WIDTH), PEER_WIDTH, count)
        narrow = await timed_bot(served, httpx_of(NARROW_WIDTH), NARROW_WIDTH, count)
        bare = await timed_aiohttp(served, NARROW_WIDTH, count)
        aiogram = await timed_aiogram(served, NARROW_WIDTH, count)
        alone = await timed_channel(served, NARROW_WIDTH, count)
        async with postman(folder, served, count, Pacer()) as sending:
            cpu, began = time.process_time(), time.perf_counter()
            await until_sent(sending, count)
            ours = count / (time.perf_counter() - began), (time.process_time() - cpu) / count * 1000
        again = await timed_bot(served, httpx_of(PEER_WIDTH), PEER_WIDTH, count)
    peer = (wide[0] + again[0]) / 2, (wide[1] + again[1]) / 2
    print(
        f"(a, e) {count} messages, no limit; the peer at {PEER_WIDTH} before and after ours; ratios of processor time"
    )
    print(
        f"  with the ledger at most {NOTICE_MS_MAX} ms each and {NOTICE_RATIO_MIN:.0f}x less than the peer's are wanted"
    )
    _tell("our postman, with the ledger", ours, ours)
    _tell(f"python-telegram-bot's own transport, {PEER_WIDTH} wide", peer, ours)
    print("  without the ledger")
    _tell(f"our channel alone, {NARROW_WIDTH} wide", alone, alone)
    _tell(f"python-telegram-bot's own transport, {NARROW_WIDTH} wide", narrow, alone)
    _tell(f"bare aiohttp, {NARROW_WIDTH} wide", bare, alone)
    if aiogram is None:
        print("  aiogram was left out: BENCH_AIOGRAM names a Python that has it (python -m venv; pip install aiogram)")
    else:
        _tell(f"aiogram, {NARROW_WIDTH} wide", aiogram, alone)


def _tell(name: str, one: tuple[float, float], ours: tuple[float, float]) -> None:
    print(f"  {name:45} {one[0]:7,.0f}/s {one[1]:6.2f} ms of processor, ours {one[1] / ours[1]:5.2f}x less")


async def timed_channel(served: Stub, width: int, count: int) -> tuple[float, float]:
    """Give messages per second of our channel, which the ledger sends through, and processor milliseconds of each."""
    request = AiohttpRequest()
    channel = TelegramChannel(Bot(TOKEN, base_url=served.url, request=request))
    try:
        return await timed(width, count, lambda number: channel.send(Outgoing(str(number + 1), WORDS)))
    finally:
        await request.shutdown()


async def timed_aiohttp(served: Stub, width: int, count: int) -> tuple[float, float]:
    """Give the same of aiohttp alone, posting what the channel posts and reading what comes back."""
    async with aiohttp.ClientSession() as session:

        async def send(number: int) -> None:
            values = {"chat_id": str(number + 1), "text": WORDS, "link_preview_options": '{"is_disabled": true}'}
            async with session.post(f"{served.url}{TOKEN}/sendMessage", json=values) as answer:
                await answer.json()

        return await timed(width, count, send)


async def timed_aiogram(served: Stub, width: int, count: int) -> tuple[float, float] | None:
    """Give the same of aiogram, by a Python that has it; None without one."""
    python = os.environ.get("BENCH_AIOGRAM")
    if python is None:
        return None
    sender = str(Path(__file__).with_name("aiogram_sender.py"))
    words = (sender, served.url, TOKEN, str(width), str(count), WORDS)
    process = await asyncio.create_subprocess_exec(python, *words, stdout=asyncio.subprocess.PIPE)
    told, _ = await process.communicate()
    per_second, milliseconds = json.loads(told)
    return per_second, milliseconds


async def timed(width: int, count: int, send: Callable[[int], Awaitable[object]]) -> tuple[float, float]:
    """Give messages per second, and processor milliseconds of each."""
    cpu, began = time.process_time(), time.perf_counter()
    await crowd(width, count, send)
    return count / (time.perf_counter() - began), (time.process_time() - cpu) / count * 1000


def httpx_of(width: int) -> HTTPXRequest:
    """Give the library's own transport; with its own 5 seconds of patience a busy machine would end the run."""
    patience = {f"{what}_timeout": PATIENCE_SECONDS for what in ("connect", "read", "write", "pool")}
    return HTTPXRequest(connection_pool_size=width, **patience)


async def timed_bot(served: Stub, request: HTTPXRequest, width: int, count: int) -> tuple[float, float]:
    """Give messages per second of a Bot over a transport, and processor milliseconds of each."""
    async with Bot(TOKEN, base_url=served.url, request=request) as bot:
        return await timed(width, count, lambda number: bot.send_message(number + 1, WORDS))


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
        async with ExtBot(TOKEN, base_url=served.url, request=httpx_of(64), rate_limiter=limiter) as bot:

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
        async with ExtBot(TOKEN, base_url=served.url, request=httpx_of(256), rate_limiter=limiter) as queue:

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
    print("(d) planning a notice, a row for each member and channel; 300 MiB are allowed")
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
    print(json.dumps({"seconds": seconds, "mib": peak_mib()}))


def peak_mib() -> float:
    """Give the most memory this program had: getrusage also counts what its parent had when it began. See proc(5)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    [peak] = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(peak) / 1024


async def messages(folder: Path, shrink: int) -> None:
    """Run all of them."""
    await unlimited(folder, shrink)
    await limited(folder, shrink)
    await in_a_chat(folder, shrink)
    await planning(folder, shrink)


if __name__ == "__main__":
    asyncio.run(plan(int(sys.argv[1])))
