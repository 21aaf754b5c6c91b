"""Messages sent by aiogram, in a Python that has it: `python aiogram_sender.py URL TOKEN WIDTH COUNT WORDS`.

It prints messages per second and the processor's milliseconds of each, as JSON. aiogram is no dependency of ours, so
that this is run by whatever Python BENCH_AIOGRAM names, and imports nothing of Ballotline.
"""

import asyncio
import json
import sys
import time

from aiogram import Bot  # type: ignore[import-not-found]
from aiogram.client.session.aiohttp import AiohttpSession  # type: ignore[import-not-found]
from aiogram.client.telegram import TelegramAPIServer  # type: ignore[import-not-found]
from aiogram.types import LinkPreviewOptions  # type: ignore[import-not-found]


async def send(url: str, token: str, width: int, count: int, words: str) -> None:
    """Send `count` messages, `width` at a time."""
    session = AiohttpSession(api=TelegramAPIServer.from_base(url.removesuffix("/bot")), limit=width)
    queue, no_preview = iter(range(count)), LinkPreviewOptions(is_disabled=True)
    async with Bot(token, session=session) as bot:

        async def some() -> None:
            for number in queue:
                await bot.send_message(number + 1, words, link_preview_options=no_preview)

        used, began = time.process_time(), time.perf_counter()
        await asyncio.gather(*(some() for _ in range(width)))
        seconds, used = time.perf_counter() - began, time.process_time() - used
    print(json.dumps([count / seconds, used / count * 1000]))


if __name__ == "__main__":
    asyncio.run(send(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]))
