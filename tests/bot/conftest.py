"""What tests of the bot's rooms stand on: a local Telegram and Twilio, and a bot that speaks through our transport."""

from collections.abc import AsyncIterator

import pytest
from telegram import Bot

from bot.sandbox import Sandbox
from messages.channels.telegram_request import AiohttpRequest
from messages.pace.pacer import Pacer


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
async def bot(sandbox: Sandbox) -> AsyncIterator[Bot]:
    request = AiohttpRequest(Pacer(), read_timeout_seconds=2)
    yield Bot(sandbox.telegram.token, base_url=f"{sandbox.telegram.api_url}/bot", request=request)
    await request.shutdown()
