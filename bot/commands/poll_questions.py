"""The poll file by questions: the example with the answers in its lines, read once before it takes its place."""

import json
import re
from collections.abc import Callable
from datetime import date, datetime
from importlib.resources import files
from pathlib import Path
from typing import Final

from bot.commands.asking import ask, say_ok, until_taken
from bot.commands.spoken import text
from voting.poll import polls
from voting.typed_text import one_line

EXAMPLE: Final = files("bot.commands") / "poll.toml"


def ask_poll(file: Path) -> None:
    """Ask for the poll and write its file; one that is there is left alone. GivenUp, PollFileWrong."""
    if file.exists():
        say_ok(f"{file}: {polls.read_poll_file(file).title}")
        return
    title = until_taken(text("commands", "setup.poll_refused", file=str(file)), lambda: _attempt(file))
    say_ok(text("commands", "setup.poll_written", file=str(file), title=title))


def _attempt(file: Path) -> str:
    content = EXAMPLE.read_text(encoding="utf-8")
    for name, standard, read in QUESTIONS:
        question = text("commands", f"setup.ask.{name}")
        answer = until_taken(question, lambda q=question, s=standard, r=read: r(ask(q, s)))  # type: ignore[misc]
        content = with_value(content, name, answer)
    part = file.with_name(file.name + ".part")
    part.write_text(content, encoding="utf-8")
    try:
        title = polls.read_poll_file(part).title
        file.hardlink_to(part)
    finally:
        part.unlink()
    return title


def with_value(content: str, name: str, value: str) -> str:
    """Put a value, as TOML, into the line of the example that has this name; what is said beside it stays."""
    line = re.compile(rf'^({name} = )(?:"[^"]*"|\[[^\]]*\]|[^\s#]+)', re.MULTILINE)
    assert len(line.findall(content)) == 1
    return line.sub(lambda found: found.group(1) + value, content)


def _text(typed: str) -> str:
    line = one_line(typed)
    if not line:
        raise ValueError(text("commands", "setup.empty"))
    return json.dumps(line, ensure_ascii=False)


def _options(typed: str) -> str:
    names = [one_line(name) for name in typed.split(";") if one_line(name)]
    return json.dumps(names, ensure_ascii=False)


def _moment(typed: str) -> str:
    return datetime.fromisoformat(typed).isoformat()


def _day(typed: str) -> str:
    return date.fromisoformat(typed).isoformat()


# In the order in which they are asked: the name in the file, what an empty answer means.
QUESTIONS: Final[tuple[tuple[str, str, Callable[[str], str]], ...]] = (
    ("id", "", _text),
    ("title", "", _text),
    ("question", "", _text),
    ("options", "", _options),
    ("timezone", "Europe/London", _text),
    ("opens_at", "", _moment),
    ("closes_at", "", _moment),
    ("joined_by", "", _day),
    ("first_day", "", _day),
    ("last_day", "", _day),
)
