"""What an import says of a file: its numbers, each row to look at, what it asks; and CSV that is safe to open."""

import csv
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TextIO

REPORT_SUFFIX: Final = ".report.csv"
PAIRS_SUFFIX: Final = ".pairs.csv"
PIPE_NAME: Final = "stdin"  # what a report of a pipe is named after
REPORT_COLUMNS: Final = ("line", "level", "member_no", "reason")
PAIR_COLUMNS: Final = ("member_no", "member_no")
NO_LINE: Final = 0  # of what is not in the file


class Level(StrEnum):
    """What became of a row in the report."""

    REJECTED = "rejected"  # nothing of it was taken
    QUESTION = "question"  # nothing of the file is taken until somebody decides this
    WARNING = "warning"  # taken, with the change or doubt that the reason names
    GONE = "gone"  # on the roll, not in the file; stays as it is


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One line of `FILE.report.csv`; `line` is where the row begins in the file, NO_LINE when it is not in it."""

    line: int
    level: Level
    member_no: str
    reason: str


class Asks(StrEnum):
    """What an import can ask before it takes a file."""

    PAIRS = "pairs"  # numbers that may be one person's
    NEW = "new"  # many new members of a roll that was there before
    ELIGIBLE = "eligible"  # many who may not vote any more


@dataclass(frozen=True, slots=True)
class Need:
    """A decision that a file waits for: the question as a sentence, and its facts for a script."""

    asks: Asks
    sentence: str
    facts: dict[str, Any]
    pairs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Agreed:
    """What somebody accepted beforehand: the sizes, and the pairs of numbers that are different people's."""

    sizes: bool = False
    distinct: frozenset[frozenset[str]] = frozenset()

    @classmethod
    def to(cls, needs: Iterable[Need]) -> "Agreed":
        """Agree to all of this, and to nothing that is asked anew."""
        asked = tuple(needs)
        pairs = frozenset(frozenset(pair) for need in asked for pair in need.pairs)
        return cls(sizes=any(need.asks is not Asks.PAIRS for need in asked), distinct=pairs)


NOTHING_AGREED: Final = Agreed()


@dataclass(slots=True)
class ImportReport:
    """What an import did. Every row of the file is one of added, changed, unchanged and rejected.

    `notes`: sentences about the file as a whole. With `needs` nothing was changed.
    """

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    rows: list[ReportRow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    needs: list[Need] = field(default_factory=list)

    @property
    def rejected(self) -> int:
        """Rows of which nothing was taken."""
        return sum(row.level is Level.REJECTED for row in self.rows)

    @property
    def warnings(self) -> int:
        """Things to look at; a row can have more than one."""
        return sum(row.level is Level.WARNING for row in self.rows)

    @property
    def changes_something(self) -> bool:
        """Whether the import is an act that the chain should know."""
        return self.added + self.changed > 0

    def reject(self, line: int, member_no: str, reason: str) -> None:
        """Note a row that was not taken."""
        self.rows.append(ReportRow(line, Level.REJECTED, member_no, reason))

    def warn(self, line: int, member_no: str, reason: str) -> None:
        """Note a row that was taken with a doubt."""
        self.rows.append(ReportRow(line, Level.WARNING, member_no, reason))

    def counts(self) -> dict[str, int]:
        """Give the five numbers that every import prints."""
        return {
            "added": self.added,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "rejected": self.rejected,
            "warnings": self.warnings,
        }

    def facts(self) -> dict[str, Any]:
        """Give what a script reads besides the five numbers."""
        return {"needs": {str(need.asks): need.facts for need in self.needs}}

    def reasons(self) -> list[tuple[Level, str, int]]:
        """Give each kind of reason with its number of rows, most first; what differs from row to row is left out."""
        found = Counter((row.level, _VARIES.sub("…", row.reason)) for row in self.rows)
        whole = {(row.level, _VARIES.sub("…", row.reason)): row.reason for row in self.rows}
        return [
            (level, whole[level, reason] if rows == 1 else reason, rows)
            for (level, reason), rows in found.most_common()
        ]


# Quoted cells, and whatever has a digit in it: numbers, days, lines.
_VARIES: Final = re.compile(r"'[^']*'|\"[^\"]*\"|[^\s()]*\d[^\s(),:;]*")

# OWASP, "CSV Injection": what a cell begins with that a spreadsheet runs; their full-width forms too.
_RUNS: Final = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
_PLAIN_NUMBER: Final = re.compile(r"[+-]?[\d .,()]+")


def safe_cell(cell: object) -> object:
    """Give a cell that a spreadsheet shows and never runs: an apostrophe goes before what would be a formula."""
    if not isinstance(cell, str) or not _RUNS.match(cell) or _PLAIN_NUMBER.fullmatch(cell):
        return cell
    return f"'{cell}"


def plain_cell(cell: str) -> str:
    """Give back what `safe_cell` made safe."""
    return cell[1:] if cell.startswith("'") and _RUNS.match(cell[1:]) else cell


class PeoplesCsv:
    """A CSV file for people: its cells are safe to open in a spreadsheet. The print file is not one of them."""

    def __init__(self, file: TextIO) -> None:
        self._writer: Final = csv.writer(file)

    def row(self, cells: Iterable[object]) -> None:
        """Write one row."""
        self._writer.writerow([safe_cell(cell) for cell in cells])

    def rows(self, rows: Iterable[Sequence[object]]) -> None:
        """Write rows."""
        for cells in rows:
            self.row(cells)


def report_path(path: Path, suffix: str = REPORT_SUFFIX) -> Path:
    """Give the name of a file's report: `roll.csv` has `roll.csv.report.csv`; that of a pipe lies in this folder."""
    known = path.exists() and not path.is_file()
    return Path(PIPE_NAME + suffix) if known or path == Path("-") else path.with_name(path.name + suffix)


def write_report(path: Path, rows: Iterable[ReportRow]) -> None:
    """Write rows by line as CSV, whole or not at all; mode 0600, since they name members."""
    ordered = sorted(rows, key=lambda row: (row.line == NO_LINE, row.line))
    _write(path, REPORT_COLUMNS, ([row.line or "", row.level, row.member_no, row.reason] for row in ordered))


def keep_report(path: Path, report: ImportReport, agreed: Agreed = NOTHING_AGREED) -> Path | None:
    """Write the report of the file at `path` and give its name; without rows the report of an import before goes.

    Pairs that are asked about stand in a file of their own, which `read_distinct` reads, beside those that are agreed
    already: whoever answered with that very file loses nothing.
    """
    if pairs := [pair for need in report.needs for pair in need.pairs]:
        known = sorted(tuple(sorted(pair)) for pair in agreed.distinct)
        _write(report_path(path, PAIRS_SUFFIX), PAIR_COLUMNS, [*known, *pairs])
    target = report_path(path)
    if report.rows:
        write_report(target, report.rows)
        return target
    target.unlink(missing_ok=True)
    return None


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
        writer = PeoplesCsv(file)
        writer.row(columns)
        writer.rows(rows)
    part.replace(path)
