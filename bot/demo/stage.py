"""The transcript: who says and hears what, when, by which channel, as a person enjoys reading it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

LONDON: Final = ZoneInfo("Europe/London")
NAME_WIDTH: Final = 12
SIGNS: Final = {"telegram": "◂", "sms": "☎", "page": "▣"}


class StoryBroken(Exception):  # noqa: N818 - a fact about the story
    """A step of the story did not turn out as it must."""


@dataclass
class Stage:
    """Writes the transcript and counts what was checked."""

    console: Console
    clock: Callable[[], datetime]
    checked: int = 0

    def opens(self, title: str, lines: str) -> None:
        """Set the scene."""
        self.console.print(
            Panel(lines, title=f"[bold]{escape(title)}[/bold]", border_style="cyan", width=self._width())
        )

    def scene(self, title: str) -> None:
        """Begin a scene, with the story's own day and hour."""
        when = f"{self.clock().astimezone(LONDON):%a %-d %b %Y, %H:%M}"
        self.console.print()
        self.console.print(f"[bold cyan]{escape(title)}[/bold cyan]  [dim]{when}[/dim]")

    def command(self, words: str) -> None:
        """Show what staff type at the command line."""
        self.console.print(Padding(f"[dim]$[/dim] [bold]ballotline {escape(words)}[/bold]", (0, 0, 0, 2)))

    def fact(self, words: str) -> None:
        """Show what came of it."""
        self.console.print(Padding(Text(words, style="green"), (0, 0, 0, 4)))

    def says(self, who: str, words: str) -> None:
        """Show what somebody types or presses."""
        self._line(who, "»", "bold yellow", words)

    def hears(self, who: str, channel: str, words: str) -> None:
        """Show what somebody reads, and on what."""
        self._line(who, SIGNS[channel], "white", words)

    def check(self, holds: object, what: str) -> None:
        """Insist on a fact; StoryBroken if it is not one."""
        self.checked += 1
        if not holds:
            raise StoryBroken(what)

    def _line(self, who: str, sign: str, style: str, words: str) -> None:
        name = Text(f"  {who:>{NAME_WIDTH}} {sign} ", style="bold" if sign == "»" else "dim")
        room = max(30, self._width() - NAME_WIDTH - 5)
        lines = [part for line in words.strip().splitlines() if line.strip() for part in _wrapped(line.strip(), room)]
        for number, line in enumerate(lines):
            lead = name if number == 0 else Text(" " * (NAME_WIDTH + 5))
            self.console.print(lead + Text(line, style=style))

    def _width(self) -> int:
        return min(self.console.width, 110)


def _wrapped(line: str, width: int) -> list[str]:
    parts, current = [], ""
    for word in line.split(" "):
        if current and len(current) + 1 + len(word) > width:
            parts.append(current)
            current = word
        else:
            current = f"{current} {word}" if current else word
    return [*parts, current]
