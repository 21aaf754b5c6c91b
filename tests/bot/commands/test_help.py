"""What `--help` says, word for word."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from rich.text import Text
from snapshots import assert_as_kept
from typer.testing import CliRunner

from bot.cli import build
from bot.commands import terminal


def paths(command: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Give the words of the command line itself, and of every group and command below it."""
    yield above
    for name, below in getattr(command, "commands", {}).items():
        yield from paths(below, (*above, name))


def words(drawn: str) -> str:
    """Give what a help page says, without its boxes, colours and columns."""
    plain = Text.from_ansi(drawn).plain.replace(f"[default: {terminal.DEFAULT_ACTOR}]", "[default: LOGIN]")
    lines = (re.sub(r"[─ ]{2,}", "  ", line).strip("╭╮╰╯│ ") for line in plain.splitlines())
    return "\n".join(line for line in lines if line)


def test_help_says_word_for_word_what_it_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every command and group; on a terminal so wide that nothing is broken into lines."""
    monkeypatch.setenv("COLUMNS", "1000")
    app = build()
    said = []
    for path in paths(typer.main.get_command(app)):
        result = CliRunner().invoke(app, [*path, "--help"], prog_name="ballotline")
        assert result.exit_code == 0
        said.append(f"$ {' '.join(('ballotline', *path))} --help\n{words(result.output)}\n")

    assert len(said) > 50
    assert_as_kept("help.txt", "\n".join(said))
