"""`demo`: a whole ballot on this machine, no accounts."""

import shutil
import tempfile
from pathlib import Path
from typing import Annotated, Final

import typer

from bot.commands.terminal import error_line, run

DEFAULT_PORT: Final = 8022


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the story.")] = False,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help=f"Where the phones are served; {DEFAULT_PORT} or a free one.")
    ] = None,
) -> None:
    """Play a whole ballot on this machine, then keep phones and console open in the browser.

    Example: ballotline demo --once
    """
    from bot import logs
    from bot.demo.show import show
    from bot.demo.stage import StoryBroken

    logs.configure("ERROR", json_lines=False)
    folder = Path(tempfile.mkdtemp(prefix="ballotline-demo-"))
    try:
        run(show(folder, port or (0 if once else DEFAULT_PORT), asked=port is not None, once=once))
    except (StoryBroken, AssertionError) as broken:
        error_line(f"The story went wrong: {broken}")
        raise typer.Exit(1) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
