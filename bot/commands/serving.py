"""What `run` does: the service from its upgrade of the database to the signal that ends it."""

import asyncio
import signal
from contextlib import suppress

import structlog

from bot.app.assembly import assemble
from bot.commands.bringing_up import bring_up_to_date
from bot.commands.terminal import error_line
from bot.house import House
from bot.settings import Settings
from voting import secrets_file
from voting.audit.signer import Signer
from voting.store.database import Database

log = structlog.get_logger()


async def serve(settings: Settings) -> None:
    """Serve until Ctrl-C or SIGTERM; a refusal or fault of the service comes in an exception group."""
    secrets = secrets_file.load(settings.secrets_file)
    database = Database(settings.database_url, Signer.beside(secrets, settings.secrets_file))
    try:
        await bring_up_to_date(settings, database, secrets)
        async with assemble(House(settings, database, secrets)) as service:
            stop, ready = asyncio.Event(), asyncio.Event()
            for name in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(name, stop.set)
            telling = asyncio.create_task(_tell(ready, settings))
            try:
                await service.run(stop, ready=ready)
            finally:
                telling.cancel()
                with suppress(asyncio.CancelledError):
                    await telling
    finally:
        await database.close()


async def _tell(ready: asyncio.Event, settings: Settings) -> None:
    await ready.wait()
    if settings.json_lines:
        log.info("Ballotline is running", listen=settings.listen, telegram=settings.telegram_on)
        return
    console = f"http://{settings.listen}/console"
    error_line(f"Ballotline is running; the console is at {console} (log in with /console in the chat).")
    if not settings.telegram_on:
        error_line("Telegram is off: BALLOTLINE_TELEGRAM_TOKEN is not set.")
