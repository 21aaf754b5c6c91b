"""What messages are sent to and with: a Bot API in a process of its own, our postman, and a crowd that sends."""

import asyncio
import math
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
from ballot_town import chats, make_members, make_poll, send_notice, states
from prepared import SECRETS
from telegram import Bot

from messages.channels.telegram_channel import TelegramChannel
from messages.channels.telegram_request import AiohttpRequest
from messages.pace.pacer import Pacer
from messages.postman.postman import Outlet, Postman
from messages.reach import TELEGRAM
from voting.audit.signer import Signer
from voting.store.database import Database
from voting.store.upgrade import upgrade

TOKEN: Final = "1:bench"


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
