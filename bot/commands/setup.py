"""`setup`: asks for what is missing and tries each answer."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.commands.spoken import text
from bot.commands.terminal import OUT, error_line, run


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(setup)


def setup(
    poll_file: Annotated[Path, typer.Option("--poll", metavar="POLL.toml", help="The poll file.")] = Path("poll.toml"),
) -> None:
    """Ask for what is missing, one question at a time; try each answer, write .env and the poll file, end as `doctor`.

    Example: ballotline setup
    """
    from bot import logs
    from bot.commands.examination import examine
    from bot.commands.findings import show_findings
    from bot.commands.poll_questions import ask_poll
    from bot.commands.setting_up import ask_settings, missing
    from bot.settings import read_settings

    settings = read_settings()
    logs.configure("ERROR", json_lines=settings.json_lines)
    if not sys.stdin.isatty():
        for words in missing(settings, poll_file):
            OUT.print(words, markup=False)
        error_line(text("commands", "setup.no_terminal"))
        raise typer.Exit(1)
    ask_poll(poll_file)
    ask_settings()
    show_findings(run(examine(read_settings())))
    OUT.print(text("commands", "poll.next", command=f"ballotline init {poll_file}"), markup=False)
