"""Reading a CSV file row by row, whatever program wrote it; rows that cannot be taken are reported as what they are."""

import csv
import io
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from shutil import copyfileobj
from typing import IO, Any, Final, TypeVar

from voting.imports import dialect
from voting.imports.report import ImportReport, plain_cell
from voting.refusals import FileUnreadable

BATCH_ROWS: Final = 2_000
MEMBER_NO_CHARACTERS_MAX: Final = 64
EXAMPLE: Final = "EXAMPLE"  # the first cell of a template's example row
PIPE: Final = Path("-")  # standard input, as in other programs
SPOOLED_BYTES_MAX: Final = 16 * 1024 * 1024  # of a pipe kept in memory; more goes to a file without a name
BLANK_LINES_MAX: Final = 100  # before the heading
PAIR: Final = 2

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Row:
    """One record: the line it begins on and its cells, stripped, in the order of the columns asked for."""

    line: int
    cells: tuple[str, ...]


class CsvFile:
    """An open CSV file whose heading has been read; its digest is of the bytes that are then read as rows.

    `optional` columns may be missing: their cells are then empty. With `others` further columns are ignored.
    """

    def __init__(
        self, path: Path, file: IO[bytes], columns: Sequence[str], optional: Sequence[str] = (), *, others: bool = False
    ) -> None:
        self.path: Final = path
        self._columns: Final = (*columns, *optional)
        try:
            read = dialect.look(file)
        except dialect.Unreadable as problem:
            raise self._unreadable(str(problem)) from problem
        self.sha256: Final = read.sha256
        file.seek(0)
        self._skipped = 0  # lines before the heading
        self._text: Final = io.TextIOWrapper(file, encoding=read.encoding, newline="")  # kept: closed by who opened it
        self._reader: Final = self._begin()
        self.header: Final[tuple[str, ...]] = self._header(columns, optional, others=others)
        self._order: Final = [
            self.header.index(name) if name in self.header else len(self.header) for name in self._columns
        ]

    def rows(self, report: ImportReport) -> Iterator[Row]:
        """Yield every whole row; a ragged or broken one, and the heading again, are noted in `report` as rejected.

        Empty lines are skipped; rows of empty cells too, with one line about all of them. FileUnreadable when a quote
        that is never closed has swallowed lines: those could not be told apart from rows that were never there.
        """
        order, width = self._order, len(self.header)
        empty: list[int] = []
        while True:
            line = self._line
            try:
                cells = next(self._reader, None)
            except csv.Error as problem:
                if self._line - 1 > line or "unexpected end" in str(problem):
                    raise self._unreadable(f"a quoted field that begins on line {line} is not closed") from problem
                report.reject(line, "", f"not a CSV row: {problem}")
                continue
            if cells is None:
                break
            if not any(map(str.strip, cells)):
                empty += [line] if cells else []
            elif problem_words := self._problem(cells):
                report.reject(line, "", problem_words)
            else:
                cells[width:] = [""]
                yield Row(line, tuple([cells[index].strip() for index in order]))
        if empty:
            words = "an empty row" if len(empty) == 1 else f"{len(empty)} empty rows, of which this is the first"
            report.warn(empty[0], "", f"{words}: skipped")

    @property
    def _line(self) -> int:
        """The line that is read next."""
        return self._skipped + int(self._reader.line_num) + 1

    def _problem(self, cells: list[str]) -> str | None:
        width = len(self.header)
        if len(cells) < width or any(map(str.strip, cells[width:])):  # a delimiter at the end of a row is no field
            return f"{len(cells)} field{'s' * (len(cells) != 1)} instead of {width}"
        if "\0" in "".join(cells):
            return "a NUL character"
        if not cells[0][:1].isdigit() and self._is_heading(cells):
            return "the heading again, no row"
        if cells[0] == EXAMPLE:
            return "the example row of the template"
        return None

    def _is_heading(self, cells: list[str]) -> bool:
        return tuple(map(dialect.fold_heading, cells[: len(self.header)])) == self.header

    def _begin(self) -> Any:  # noqa: ANN401 - csv's own reader has no public type
        """Skip what stands before the heading and read rows with the delimiter that it shows."""
        mark = None
        for line in islice(self._text, BLANK_LINES_MAX):
            if mark is None and (mark := dialect.separator(line)) is not None:
                self._skipped += 1
            elif line.strip(f'{dialect.DELIMITERS}" \r\n'):
                mark = mark or dialect.delimiter(line, self._columns)
                return csv.reader(chain([line], self._text), delimiter=mark, strict=True)
            else:
                self._skipped += 1
        raise self._unreadable(f"it has no header; the first line should be {','.join(self._columns)}")

    def _header(self, columns: Sequence[str], optional: Sequence[str], *, others: bool) -> tuple[str, ...]:
        try:
            cells = [dialect.fold_heading(cell) for cell in next(self._reader, [])]
        except csv.Error as problem:
            raise self._unreadable(f"its header is not a CSV row ({problem})") from problem
        while cells and not cells[-1]:
            cells.pop()
        wanted = ",".join(columns) + "".join(f"[,{name}]" for name in optional)
        for name in columns:
            if cells.count(name) != 1:
                how = "twice" if name in cells else "nowhere"
                raise self._unreadable(f"its header names {name} {how}; it should be {wanted}")
        for name in cells:
            if not others and name not in self._columns:
                raise self._unreadable(f"its header has the unknown column {name!r}; it should be {wanted}")
        return tuple(cells)

    def _unreadable(self, problem: str) -> FileUnreadable:
        return FileUnreadable(file=str(self.path), problem=problem)


@contextmanager
def open_csv(
    path: Path, columns: Sequence[str], optional: Sequence[str] = (), *, others: bool = False
) -> Iterator[CsvFile]:
    """Open a file with exactly these columns, in any order; FileUnreadable when it is not one.

    A pipe is read to its end first; `-` is standard input.
    """
    with _opened(path) as (name, file):
        yield CsvFile(name, file, columns, optional, others=others)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """Give a file that can be read twice, and PIPE for the name of one that has none."""
    with ExitStack() as stack:
        try:
            file: IO[bytes] = sys.stdin.buffer if path == PIPE else stack.enter_context(path.open("rb"))
            if path == PIPE or not file.seekable():
                kept = stack.enter_context(tempfile.SpooledTemporaryFile(SPOOLED_BYTES_MAX))
                copyfileobj(file, kept)
                kept.seek(0)
                path, file = PIPE, kept
        except OSError as problem:
            raise FileUnreadable(file=str(path), problem=problem.strerror or type(problem).__name__) from problem
        yield path, file


def batches(items: Iterable[Item], size: int = BATCH_ROWS) -> Iterator[list[Item]]:
    """Yield lists of at most `size` items: what bounds memory and statements alike."""
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch


def read_distinct(path: Path) -> frozenset[frozenset[str]]:
    """Read pairs of numbers that are different people's: two columns, with or without a heading; FileUnreadable."""
    with _opened(path) as (name, file):
        try:
            encoding = dialect.look(file).encoding
            file.seek(0)
            with io.TextIOWrapper(file, encoding=encoding, newline="") as text:
                return frozenset(_pairs(text))
        except (dialect.Unreadable, csv.Error) as problem:
            raise FileUnreadable(file=str(name), problem=str(problem)) from problem


def _pairs(text: io.TextIOWrapper) -> Iterator[frozenset[str]]:
    first = text.readline()
    mark = max(dialect.DELIMITERS, key=first.count)
    for cells in csv.reader(chain([first], text), delimiter=mark, strict=True):
        pair = frozenset(plain_cell(cell.strip()) for cell in cells if cell.strip())
        if len(pair) == PAIR:
            yield pair
        elif pair and pair != {"member_no"}:
            raise dialect.Unreadable(f"each line should name two numbers, not {','.join(cells)[:80]!r}")
