"""`run`: the service."""

import sys

import typer

from bot.commands.terminal import run
from voting.refusals import Fault, Refusal


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run")(run_service)


def run_service() -> None:
    """Run the service: bot, webhooks, console, postman; Ctrl-C or SIGTERM ends it tidily.

    Example: BALLOTLINE_TELEGRAM_TOKEN=123:abc ballotline run
    """
    from bot import logs
    from bot.commands.serving import serve
    from bot.settings import read_settings

    settings = read_settings()
    logs.configure(settings.log_level, json_lines=not sys.stderr.isatty())
    try:
        run(serve(settings))
    except* (Refusal, Fault) as several:
        raise _first(several) from None


def _first(several: BaseExceptionGroup[BaseException]) -> BaseException:
    first = several.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
