"""What `--help` says, word for word, and what a command may load."""

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import typer
from rich.text import Text
from snapshots import assert_as_kept
from typer.testing import CliRunner

from bot.cli import NOUNS, build
from bot.commands import terminal

ROOT: Final = Path(__file__).parents[3]
# The libraries of the command line, and what these load for themselves.
LINE: Final = {
    "annotated_doc",
    "annotated_types",
    "attr",
    "markdown_it",
    "mdurl",
    "pydantic",
    "pydantic_core",
    "pygments",
    "rich",
    "shellingham",
    "typer",
    "typing_extensions",
    "typing_inspection",
}
# What an open house needs besides: settings, logs, keys, the database and its driver for SQLite.
HOUSE: Final = {
    "aiosqlite",
    "cython_runtime",
    "dotenv",
    "greenlet",
    "nacl",
    "pydantic_settings",
    "sqlalchemy",
    "structlog",
}
PAGE: Final = {"babel", "jinja2", "markupsafe"}  # what the voting page is made of, whose digest is compared
# Of ours, besides bot.commands: what the names, options and help of commands are made of.
WORDS: Final = {
    "bot.cli",
    "bot.staff",
    "bot.staff.roles",
    "messages.refusals",
    "messages.words",
    "messages.words.kinds",
    "voting.ballots",
    "voting.ballots.refusals",
    "voting.ballots.trustee_refusals",
    "voting.imports",
    "voting.imports.csv_file",
    "voting.imports.dialect",
    "voting.imports.moments",
    "voting.imports.report",
    "voting.model",
    "voting.refusals",
    "voting.trustees",
    "voting.trustees.refusals",
    "voting.typed_text",
}

PROGRAM: Final = """
import contextlib, io, sys
before = set(sys.modules)
from bot import cli
for command in sys.argv[1:]:
    sys.argv[1:] = command.split()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        cli.main()
print(*set(sys.modules) - before)
"""


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


def loaded(folder: Path, commands: Iterable[str]) -> set[str]:
    """Give the modules that a fresh process loads for these commands, without Python's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BALLOTLINE_")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *commands],
        cwd=folder,
        env=kept | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return {name for name in done.stdout.split() if name.partition(".")[0] not in sys.stdlib_module_names}


def libraries(modules: Iterable[str]) -> set[str]:
    """Give others' packages; a name with an underscore is the compiled half of one."""
    packages = {name.partition(".")[0] for name in modules} - {"bot", "messages", "voting"}
    return {name for name in packages if not name.startswith("_")}


def test_help_loads_the_command_line_and_nothing_that_a_command_runs(tmp_path: Path) -> None:
    """No database, no Telegram, no pictures: of every command and group."""
    asked = [" ".join((*path, "--help")) for path in paths(typer.main.get_command(build()))]

    found = loaded(tmp_path, asked)
    ours = {name for name in found if "." in name and name.startswith(("bot.", "messages.", "voting."))}
    nouns = {name for name in ours if name.startswith("bot.commands")}

    assert libraries(found) <= LINE
    assert ours - nouns <= WORDS
    assert nouns == {
        "bot.commands",
        "bot.commands.importing",
        "bot.commands.several",
        "bot.commands.spoken",
        "bot.commands.terminal",
        *(noun.__name__ for noun in NOUNS),
    }


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder in which a poll was begun; looking at it changes nothing."""
    folder = tmp_path_factory.mktemp("begun")
    (folder / "poll.toml").write_bytes((ROOT / "examples" / "poll.toml").read_bytes())
    loaded(folder, ["init poll.toml"])
    assert (folder / "ballotline.db").exists()
    return folder


@pytest.mark.parametrize(("command", "more"), [("poll status", {"babel"}), ("doctor", PAGE)])
def test_a_look_at_the_poll_loads_no_provider_and_no_picture(begun: Path, command: str, more: set[str]) -> None:
    """With Telegram and SMS off, as on the machine where the poll is counted."""
    found = loaded(begun, [command])

    assert libraries(found) <= LINE | HOUSE | more
    assert "voting.store.database" in found


def test_the_service_starts_without_the_library_that_draws(tmp_path: Path) -> None:
    """Who asks for a picture waits for matplotlib, once; a restart does not."""
    program = "import sys, bot.commands.serving; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )

    assert "bot.staff.turnout_picture" in done.stdout.split()
    assert "matplotlib" not in done.stdout.split()
