"""`run`: the service."""

from typing import Annotated, Final

import typer

PROCESSES_MAX: Final = 64


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run")(run_service)


def run_service(
    processes: Annotated[
        int,
        typer.Option(min=1, max=PROCESSES_MAX, help="How many workers share the work; SQLite serves one."),
    ] = 1,
) -> None:
    """Run the service: bot, webhooks, console, postman; Ctrl-C or SIGTERM ends it tidily.

    Example: BALLOTLINE_TELEGRAM_TOKEN=123:abc ballotline run
    """
    from bot.commands.running import run_here

    run_here(None, processes)
