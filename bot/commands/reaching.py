"""Is the public address reached from outside? Telegram is told of it, and a message sent to the bot must arrive.

While that is tried nothing is taken: whatever arrives is answered 503, so that Telegram keeps it and brings it again
to the service.
"""

import asyncio
import hmac
import secrets as random_secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from telegram import Bot
from telegram.error import BadRequest, TelegramError

from bot.commands.findings import Finding
from bot.commands.spoken import text
from bot.edge import telegram
from bot.edge.poller import KINDS
from bot.edge.server import PortTaken, Server, bind
from bot.edge.webhooks import TELEGRAM_HEADER
from bot.settings import Settings
from messages.pace.pacer import Pacer
from voting import secrets_file

PATIENCE_SECONDS: Final = 120.0  # for a person to take their phone and write to the bot
LOOK_SECONDS: Final = 1.0
NAME: Final = "public address"


async def reach(settings: Settings, tell: Callable[[str], None], patience_seconds: float = PATIENCE_SECONDS) -> Finding:
    """Try the public address; `tell` is given the sentence that says what to do meanwhile.

    The finding's `ok` is None where nothing arrived and Telegram names no error: then it is untried.
    """
    if not settings.telegram_on:
        return Finding(NAME, ok=None, detail=text("commands", "reach.telegram_off"))
    secret = _secret(settings)
    bot = telegram.make_bot(settings, Pacer())
    try:
        async with _listening(settings, secret) as heard:
            await bot.initialize()
            began = datetime.now(UTC).replace(microsecond=0)
            await telegram.register_webhook(bot, settings.public_url, secret, KINDS)
            tell(text("commands", "reach.write", bot=f"@{bot.username}"))
            found = await _wait(bot, heard, began, patience_seconds)
            if heard is not None:
                await telegram.forget_webhook(bot)  # `run` sets it
            return found
    except BadRequest as refused:
        return Finding(NAME, ok=False, detail=text("commands", "reach.refused", problem=refused.message))
    except TelegramError as away:
        return Finding(NAME, ok=None, detail=text("commands", "reach.away", problem=away.message))
    finally:
        await bot.shutdown()


def _secret(settings: Settings) -> str:
    if settings.telegram_webhook_secret is not None:
        return settings.telegram_webhook_secret.get_secret_value()
    if settings.secrets_file.exists():
        return secrets_file.load(settings.secrets_file).webhook_secret
    return random_secrets.token_urlsafe(32)


@asynccontextmanager
async def _listening(settings: Settings, secret: str) -> AsyncIterator[asyncio.Event | None]:
    """Listen where the service will; give what Telegram's call sets, None where the service itself listens."""
    heard = asyncio.Event()

    async def on_update(request: Request) -> Response:
        if hmac.compare_digest(request.headers.get(TELEGRAM_HEADER, "").encode(), secret.encode()):
            heard.set()
        return PlainTextResponse("not yet: being set up", status_code=503)

    try:
        taken = bind(settings.host, settings.port)
    except PortTaken:
        yield None
        return
    serving = asyncio.create_task(Server([Route("/telegram/webhook", on_update, methods=["POST"])]).run_on(taken))
    try:
        yield heard
    finally:
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving


async def _wait(bot: Bot, heard: asyncio.Event | None, began: datetime, patience_seconds: float) -> Finding:
    """Wait until something arrives, or Telegram names an error since `began`."""
    with suppress(TimeoutError):
        async with asyncio.timeout(patience_seconds):
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for((heard or asyncio.Event()).wait(), LOOK_SECONDS)
                if heard is not None and heard.is_set():
                    return Finding(NAME, ok=True, detail=text("commands", "reach.reached"))
                info = await bot.get_webhook_info()
                if info.last_error_message and info.last_error_date and info.last_error_date >= began:
                    error = info.last_error_message
                    return Finding(NAME, ok=False, detail=text("commands", "reach.not_reached", problem=error))
    return Finding(NAME, ok=None, detail=text("commands", "reach.nothing"))
