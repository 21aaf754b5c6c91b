"""What every import shares: reading a CSV file row by row, and the report of what was not taken as it stood."""

import csv
import hashlib
import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from voting.refusals import FileUnreadable

BATCH_ROWS: Final = 2_000
MEMBER_NO_CHARACTERS_MAX: Final = 64
REPORT_SUFFIX: Final = ".report.csv"
CLOCK_SLACK: Final = timedelta(days=1)  # a file from another zone or a clock that is off

Item = TypeVar("Item")
Progress = Callable[[int], None]  # called with the number of rows done so far


class Level(StrEnum):
    """What became of a row in the report."""

    REJECTED = "rejected"  # nothing of it was taken
    WARNING = "warning"  # taken, with the change or doubt that the reason names


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One line of `FILE.report.csv`; `line` is where the row begins in the file, the header being line 1."""

    line: int
    level: Level
    member_no: str
    reason: str


@dataclass(slots=True)
class ImportReport:
    """What an import did. Every row of the file is one of added, changed, unchanged and rejected."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    rows: list[ReportRow] = field(default_factory=list)

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


@dataclass(frozen=True, slots=True)
class Row:
    """One record: the line it begins on and its cells, stripped, in the order of the columns asked for."""

    line: int
    cells: tuple[str, ...]


class CsvFile:
    """An open CSV file whose header has been read; its digest is of the bytes that are then read as rows."""

    def __init__(self, path: Path, file: io.BufferedReader, columns: Sequence[str]) -> None:
        self.path: Final = path
        self.sha256: Final = hashlib.file_digest(file, "sha256").digest()
        file.seek(0)
        self._text: Final = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        self._reader: Final = csv.reader(self._text, strict=True)
        self.header: Final[tuple[str, ...]] = self._header(columns)
        self._order: Final = [self.header.index(name) for name in columns]

    def rows(self, report: ImportReport) -> Iterator[Row]:
        """Yield every whole row; a ragged or broken one is noted in `report` as rejected.

        Blank lines are skipped. FileUnreadable when the bytes are not UTF-8, or when a quote that is never closed
        has swallowed lines: those could not be told apart from rows that were never there.
        """
        order = self._order
        while True:
            line = self._reader.line_num + 1
            try:
                cells = self._next()
            except csv.Error as problem:
                if self._reader.line_num > line or "unexpected end" in str(problem):
                    raise self._unreadable(f"a quoted field that begins on line {line} is not closed") from problem
                report.reject(line, "", f"not a CSV row: {problem}")
                continue
            if cells is None:
                return
            if not cells:
                continue
            if problem_words := self._problem(cells):
                report.reject(line, "", problem_words)
                continue
            yield Row(line, tuple([cells[index].strip() for index in order]))

    def _problem(self, cells: list[str]) -> str | None:
        if len(cells) != len(self.header):
            return f"{len(cells)} fields instead of {len(self.header)}"
        if "\0" in "".join(cells):
            return "a NUL character"
        return None

    def _header(self, columns: Sequence[str]) -> tuple[str, ...]:
        try:
            header = tuple(cell.strip() for cell in self._next() or ())
        except csv.Error as problem:
            raise self._unreadable(f"its header is not a CSV row ({problem})") from problem
        wanted = ",".join(columns)
        if not any(header):
            raise self._unreadable(f"it has no header; the first line should be {wanted}")
        for name in columns:
            if header.count(name) != 1:
                how = "twice" if name in header else "nowhere"
                raise self._unreadable(f"its header names {name} {how}; it should be {wanted}")
        for name in header:
            if name not in columns:
                raise self._unreadable(f"its header has the unknown column {name!r}; it should be {wanted}")
        return header

    def _next(self) -> list[str] | None:
        try:
            return next(self._reader, None)
        except UnicodeDecodeError as problem:
            raise self._unreadable(f"it is not UTF-8 text (near line {self._reader.line_num + 1})") from problem

    def _unreadable(self, problem: str) -> FileUnreadable:
        return FileUnreadable(file=str(self.path), problem=problem)


@contextmanager
def open_csv(path: Path, columns: Sequence[str]) -> Iterator[CsvFile]:
    """Open a file with exactly these columns, in any order; FileUnreadable when it is not one."""
    try:
        file = path.open("rb")
    except OSError as problem:
        raise FileUnreadable(file=str(path), problem=problem.strerror or type(problem).__name__) from problem
    with file:
        yield CsvFile(path, file, columns)


def batches(items: Iterable[Item], size: int = BATCH_ROWS) -> Iterator[list[Item]]:
    """Yield lists of at most `size` items: what bounds memory and statements alike."""
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch


def read_day(raw: str) -> date | None:
    """Read a day written as 2022-08-01; None when it is not one (other orders of day and month are guesses)."""
    try:
        return date.fromisoformat(raw) if len(raw) == len("2022-08-01") else None
    except ValueError:
        return None


def read_moment(raw: str, zone: ZoneInfo) -> datetime | None:
    """Read a time or a day in ISO form, in `zone` unless it carries its own offset; None when it is not one."""
    try:
        moment = datetime.fromisoformat(raw)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def report_path(path: Path) -> Path:
    """Give the name of a file's report: `roll.csv` has `roll.csv.report.csv`."""
    return path.with_name(path.name + REPORT_SUFFIX)


def write_report(path: Path, rows: Iterable[ReportRow]) -> None:
    """Write rows by line as CSV, whole or not at all; mode 0600, since they name members."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["line", "level", "member_no", "reason"])
        writer.writerows(
            [row.line, row.level, row.member_no, row.reason] for row in sorted(rows, key=lambda row: row.line)
        )
    part.replace(path)
