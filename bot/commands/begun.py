"""How a service that runs until a signal is begun, and how whoever started it is told that it runs."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from bot.app.place import Place
from bot.commands.spoken import text
from bot.commands.terminal import error_line
from bot.settings import Settings

log = structlog.get_logger()


def stopped_by_signals() -> asyncio.Event:
    """Give what Ctrl-C and SIGTERM set."""
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    return stop


@asynccontextmanager
async def told(settings: Settings, place: Place | None) -> AsyncIterator[asyncio.Event]:
    """Yield what to set when the service runs: it is then told to whoever started it."""
    ready = asyncio.Event()
    telling = asyncio.create_task(_tell(ready, settings, place))
    try:
        yield ready
    finally:
        telling.cancel()
        with suppress(asyncio.CancelledError):
            await telling


async def _tell(ready: asyncio.Event, settings: Settings, place: Place | None) -> None:
    await ready.wait()
    if place is not None:
        place.say_ready()
        return
    if settings.json_lines:
        log.info("Ballotline is running", listen=settings.listen, telegram=settings.telegram_on)
        return
    console = f"{settings.public_url or f'http://{settings.listen}'}/console"
    error_line(text("commands", "service.runs", console=console))
    if not settings.telegram_on:
        error_line(text("commands", "service.telegram_off"))
