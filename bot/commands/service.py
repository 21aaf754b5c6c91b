"""`run`: the service."""

import asyncio
import signal
import sys
from contextlib import suppress

import typer

from bot import logs
from bot.app.assembly import assemble
from bot.commands.terminal import error_line, run
from bot.house import House
from bot.settings import read_settings
from voting import secrets_file
from voting.refusals import Fault, Refusal
from voting.store.database import Database
from voting.store.upgrade import upgrade


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run")(run_service)


def run_service() -> None:
    """Run the service: bot, webhooks, console, postman; Ctrl-C or SIGTERM ends it tidily.

    Example: BALLOTLINE_TELEGRAM_TOKEN=123:abc ballotline run
    """
    settings = read_settings()
    logs.configure(settings.log_level, json_lines=not sys.stderr.isatty())

    async def serve() -> None:
        secrets = secrets_file.load(settings.secrets_file)
        database = Database(settings.database_url)
        try:
            await upgrade(database)
            async with assemble(House(settings, database, secrets)) as service:
                stop, ready = asyncio.Event(), asyncio.Event()
                for name in (signal.SIGINT, signal.SIGTERM):
                    asyncio.get_running_loop().add_signal_handler(name, stop.set)
                telling = asyncio.create_task(_tell(ready, settings.listen, telegram=settings.telegram_on))
                try:
                    await service.run(stop, ready=ready)
                finally:
                    telling.cancel()
                    with suppress(asyncio.CancelledError):
                        await telling
        finally:
            await database.close()

    try:
        run(serve())
    except* (Refusal, Fault) as several:
        raise _first(several) from None


async def _tell(ready: asyncio.Event, listen: str, *, telegram: bool) -> None:
    await ready.wait()
    error_line(f"Ballotline is running; the console is at http://{listen}/console (log in with /console in the chat).")
    if not telegram:
        error_line("Telegram is off: BALLOTLINE_TELEGRAM_TOKEN is not set.")


def _first(several: BaseExceptionGroup[BaseException]) -> BaseException:
    first = several.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
