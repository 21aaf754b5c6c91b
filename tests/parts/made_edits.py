"""Ways to change a made bundle's chain, and the first thing that verify finds then."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from made_bundle import CLOSES, Entry, Made, _entry, entry_of

from voting.verify.verify import Problem, verify

Entries = list[Entry]


def forged(tmp_path: Path, made: Made) -> Problem:
    """The first problem of a forged bundle; there is one."""
    report = verify(made.write(tmp_path / "bundle"))
    assert not report.ok
    return report.problems[0]


def body(kind: str, number: int = 0, /, **changes: Any) -> Callable[[Entries], None]:
    """Change an entry's body; None takes a field out."""

    def act(entries: Entries) -> None:
        found = entry_of(entries, kind, number)["body"]
        for name, value in changes.items():
            found[name] = value
            if value is None:
                del found[name]

    return act


def words(kind: str, number: int = 0, /, **changes: Any) -> Callable[[Entries], None]:
    """Change an entry itself."""

    def act(entries: Entries) -> None:
        entry_of(entries, kind, number).update(changes)

    return act


def without(kind: str, number: int = 0) -> Callable[[Entries], None]:
    """Take an entry out."""

    def act(entries: Entries) -> None:
        entries.remove(entry_of(entries, kind, number))

    return act


def after(kind: str, *new: Entry, number: int = 0) -> Callable[[Entries], None]:
    """Put entries in after one."""

    def act(entries: Entries) -> None:
        place = entries.index(entry_of(entries, kind, number)) + 1
        entries[place:place] = [json.loads(json.dumps(entry)) for entry in new]

    return act


def entry(kind: str, /, actor: str = "Gwen (command line)", **body: Any) -> Entry:
    """An entry."""
    return _entry(kind, actor, body, CLOSES)


def both(*acts: Callable[[Entries], None]) -> Callable[[Entries], None]:
    """One after the other."""

    def act(entries: Entries) -> None:
        for one in acts:
            one(entries)

    return act


def number_of(kind: str, **made: Any) -> int:
    """The line of an entry in the honest chain."""
    return next(seq for seq, entry in enumerate(Made(**made).story, start=1) if entry["kind"] == kind)
