"""`run`: the service."""

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
    import structlog

    from bot import logs
    from bot.commands.serving import serve
    from bot.settings import read_settings, wants_json

    json_lines = wants_json()
    logs.configure("INFO", json_lines=json_lines)
    try:
        settings = read_settings()
        logs.configure(settings.log_level, json_lines=json_lines)
        run(serve(settings))
    except* (Refusal, Fault, OSError) as several:
        first = _first(several)
        if not json_lines:
            raise first from None
        log = structlog.get_logger()
        log.critical("the service ends: it cannot run", why=str(first))
        ended = True
    else:
        ended = False
    if ended:
        raise typer.Exit(1)


def _first(several: BaseExceptionGroup[BaseException]) -> BaseException:
    first = several.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
