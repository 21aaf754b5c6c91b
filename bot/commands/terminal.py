"""What commands share: who acts, tables and progress for a person, JSON for a script. `--help` loads all of it."""

import getpass
import json
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from bot.commands.spoken import said, text
from voting.model import SYSTEM
from voting.refusals import StaffRefusal
from voting.typed_text import looks_like, one_line

Result = TypeVar("Result")

OUT: Final = Console(highlight=False, soft_wrap=True)
VIA: Final = "command line"
ACTOR_CHARACTERS_MAX: Final = 80


class MomentUnreadable(StaffRefusal):
    """{moment} is not a moment; write it like 2022-08-02T18:00."""


def actor_name(typed: str) -> str:
    """Read `--as`: who stands on the chain and counts as one person for the rules that need two."""
    name = one_line(typed)
    if not name or len(name) > ACTOR_CHARACTERS_MAX:
        raise typer.BadParameter(f"a name has 1 to {ACTOR_CHARACTERS_MAX} characters that can be seen")
    if looks_like(name, SYSTEM):
        raise typer.BadParameter(f"{name!r} is what the chain calls the program itself")
    return name


Actor = Annotated[
    str,
    typer.Option(
        "--as", metavar="NAME", parser=actor_name, help="Who acts, for the chain; your login name if not given."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check everything, change nothing.")]


def login_name() -> str:
    """Give the name that the chain records for who typed a command without `--as`."""
    try:
        name = one_line(getpass.getuser())[:ACTOR_CHARACTERS_MAX]
    except (OSError, KeyError):
        name = ""
    return name if name and not looks_like(name, SYSTEM) else "unknown"


DEFAULT_ACTOR: Final = login_name()


def error_line(sentence: str) -> None:
    """Say one sentence on standard error."""
    sys.stderr.write(sentence.rstrip() + "\n")


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run one coroutine to its end."""
    import asyncio

    return asyncio.run(work)


def print_json(value: Mapping[str, Any]) -> None:
    """Print one JSON object."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=_plain) + "\n")


def _plain(value: object) -> str | float | int:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal | Path):
        return str(value)
    raise TypeError(f"no JSON for {type(value).__name__}")


def print_facts(title: str, facts: Mapping[str, object]) -> None:
    """Print a short list of named facts."""
    table = Table(title=title, title_justify="left", show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in facts.items():
        table.add_row(name, str(value))
    OUT.print(table)


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under their columns; an empty list says so."""
    if not rows:
        OUT.print(text("commands", "table.none", title=title))
        return
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    OUT.print(table)


@contextmanager
def progress_bar(what: str, total: int | None = None, *, quiet: bool = False) -> Iterator[Callable[[int], None]]:
    """Show progress on standard error while a terminal looks on; yield what to call with the number done so far."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda _done: None
        return
    bar = Progress(
        SpinnerColumn(), TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    )
    with bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


@contextmanager
def stages_bar(*, quiet: bool = False) -> Iterator[Callable[[str, int, int], None]]:
    """Show progress of several stages, one after another; yield what to call with stage, done and of how many."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda _stage, _done, _number: None
        return
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )
    tasks: dict[str, TaskID] = {}

    def show(stage: str, done: int, number: int) -> None:
        if stage not in tasks:
            tasks[stage] = bar.add_task(said(stage), total=number or None)
        bar.update(tasks[stage], completed=done)

    with bar:
        yield show


def read_time(raw: str | None, timezone: str) -> datetime | None:
    """Read a moment as it is typed, in the poll's zone; None when none was given.

    MomentUnreadable, HourComesTwice, HourSkipped.
    """
    from voting.local_time import instant_of

    if raw is None:
        return None
    try:
        return instant_of(datetime.fromisoformat(raw), ZoneInfo(timezone))
    except (ValueError, OverflowError):
        raise MomentUnreadable(moment=raw) from None
