"""Reading a bundle that anybody may have written: every value is checked, what is wrong named by file and line."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

from voting.verify import format as form
from voting.verify.report import Check, Problem

SHOWN_CHARACTERS_MAX: Final = 60
TOLD_CHARACTERS_MAX: Final = 500  # of a whole sentence
NUMBER_MAX: Final = 2**63 - 1
_HEX: Final = frozenset("0123456789abcdef")


# What moves a terminal's cursor, hides text or turns its direction. Written out, for Pythons differ in what they know.
_UNSEEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)


class Wrong(Exception):  # noqa: N818 - a finding, not an error of ours
    """What is wrong with a file, and where when that is known: a line, or a member and a byte of the archive."""

    def __init__(
        self, file: str, line: int | None, what: str, *, member: str | None = None, byte: int | None = None
    ) -> None:
        shown_member = None if member is None else printable(member)
        self.problem = Problem(printable(file), line, printable(what), shown_member, byte)
        super().__init__(str(self.problem))


@dataclass(slots=True)
class Findings:
    """What was tried and what was wrong, in order."""

    checks: list[Check] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, wrong: Wrong) -> None:
        """Note what is wrong."""
        self.problems.append(wrong.problem)

    def note(self, name: str, *, ok: bool, detail: str) -> None:
        """Note how one thing went."""
        self.checks.append(Check(name, ok, printable(detail)))

    def unreliable(self, files: Sequence[str]) -> list[str]:
        """Say in which of these files something is wrong already."""
        named = {problem.file for problem in self.problems}
        return [file for file in files if printable(file) in named]

    def attempt(self, name: str, uses: Sequence[str], act: Callable[[], str]) -> None:
        """Try one thing: `act` returns a detail or raises Wrong.

        What rests on a file in which something is wrong already is not tried: it would only blame correct files.
        """
        if hurt := self.unreliable(uses):
            self.note(name, ok=False, detail=f"not tried, because of {', '.join(hurt)}")
            return
        try:
            detail = act()
        except Wrong as wrong:
            self.wrong(wrong)
            self.note(name, ok=False, detail=str(wrong))
        else:
            self.note(name, ok=True, detail=detail)


class Found:
    """A JSON object from a bundle; each value is asked for with its type, or Wrong names it."""

    def __init__(self, values: Mapping[str, Any], file: str, line: int | None = None) -> None:
        self.values: Final = values
        self._file, self._line = file, line

    def wrong(self, what: str) -> Wrong:
        """Say what is wrong at this place."""
        return Wrong(self._file, self._line, what)

    def whole(self, name: str) -> int:
        """Give a whole number that is not negative."""
        value = self.number(name)
        if value < 0:
            raise self.wrong(f'"{name}" is below 0')
        return value

    def number(self, name: str) -> int:
        """Give a whole number that may be negative."""
        return self._number(name, self.values.get(name))

    def _number(self, name: str, value: object) -> int:
        if type(value) is not int or abs(value) > NUMBER_MAX:  # True is an int too
            raise self.wrong(f'"{name}" is not a whole number')
        return value

    def text(self, name: str) -> str:
        """Give a text."""
        return self._text(name, self.values.get(name))

    def texts(self, name: str) -> list[str]:
        """Give a list of texts."""
        return [self._text(name, item) for item in self.items(name)]

    def items(self, name: str) -> list[Any]:
        """Give a list of whatever."""
        value = self.values.get(name)
        if not isinstance(value, list):
            raise self.wrong(f'"{name}" is not a list')
        return value

    def _text(self, name: str, value: object) -> str:
        if not isinstance(value, str):
            raise self.wrong(f'"{name}" is not a text')
        return value

    def hex(self, name: str, length: int) -> bytes:
        """Give `length` bytes written in lower-case hexadecimal."""
        value = self.text(name)
        if len(value) != 2 * length or not _HEX.issuperset(value):
            raise self.wrong(f'"{name}" is not {2 * length} hexadecimal digits')
        return bytes.fromhex(value)

    def wholes(self, name: str, values: Iterable[object]) -> list[int]:
        """Give values that stand somewhere in `name` as whole numbers, which may be negative."""
        return [self._number(name, value) for value in values]

    def found(self, name: str) -> "Found":
        """Give an object inside this one."""
        value = self.values.get(name)
        if not isinstance(value, dict):
            raise self.wrong(f'"{name}" is not an object')
        return Found(value, self._file, self._line)


def parse(raw: bytes, file: str, line: int | None = None) -> Found:
    """Read one JSON object; Wrong when it is none."""
    try:
        values = json.loads(raw.decode())
    except json.JSONDecodeError as problem:
        raise Wrong(file, line or problem.lineno, f"is not JSON ({problem.msg})") from None
    except (ValueError, RecursionError):
        raise Wrong(file, line, "is not JSON") from None
    if not isinstance(values, dict):
        raise Wrong(file, line, "is not a JSON object")
    return Found(values, file, line)


class Bundle:
    """The files of one folder; every reader raises Wrong."""

    def __init__(self, folder: Path) -> None:
        self.folder: Final = folder

    def whole_file(self, name: str) -> bytes:
        """Give the bytes of a small file."""
        with self.opened(name) as file:
            content = file.read(form.SMALL_BYTES_MAX + 1)
        if len(content) > form.SMALL_BYTES_MAX:
            raise Wrong(name, None, f"is longer than {form.SMALL_BYTES_MAX} bytes")
        return content

    def json(self, name: str) -> Found:
        """Give the object in a file; it must be written exactly as `form.readable` does."""
        content = self.whole_file(name)
        found = parse(content, name)
        insist(name, content, written(form.readable, found.values))
        return found

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a file of any length."""
        with self.opened(name) as file:
            while piece := file.read(form.LINE_BYTES_MAX):
                yield piece

    def raw_lines(self, name: str) -> Iterator[bytes]:
        """Yield lines with their line feeds, of a length that fits memory whatever the file holds."""
        with self.opened(name) as file:
            yield from form.lines_of(file)

    def lines(self, name: str) -> Iterator[tuple[int, bytes]]:
        """Yield numbered lines without their line feeds."""
        for number, line in enumerate(self.raw_lines(name), start=1):
            if not line.endswith(b"\n"):
                raise Wrong(name, number, "does not end with a line feed")
            yield number, line[:-1]

    def opened(self, name: str) -> BinaryIO:
        """Open a file."""
        path = self.folder / name
        if not path.is_file():  # nor anything that could be read for ever
            raise Wrong(name, None, "is not a file" if path.exists() else "is missing")
        try:
            return path.open("rb")
        except OSError as problem:
            raise Wrong(name, None, f"cannot be read ({problem.strerror})") from None


def written(how: Callable[[object], bytes], value: object) -> bytes:
    """Write a value in one of the format's ways; nothing when it holds what no text or memory of ours does."""
    try:
        return how(value)
    except (ValueError, RecursionError):  # a lone surrogate; nested too deeply
        return b""


def insist(name: str, content: bytes, expected: bytes) -> None:
    """Raise Wrong at the first line in which a file differs from what it has to be."""
    if content == expected:
        return
    there, due = content.splitlines(keepends=True), expected.splitlines(keepends=True)
    for number, (line, wanted) in enumerate(zip(there, due, strict=False), start=1):
        if line != wanted:
            raise Wrong(name, number, f"should be {shown(wanted)}")
    if len(there) > len(due):
        raise Wrong(name, len(due) + 1, "should not be there")
    raise Wrong(name, len(there) + 1, f"is missing; it should be {shown(due[len(there)])}")


def shown(line: bytes) -> str:
    """Quote a line of somebody else's file so that it cannot control a terminal."""
    text = printable(line.decode(errors="replace").strip())
    return f"'{text[:SHOWN_CHARACTERS_MAX]}{'...' if len(text) > SHOWN_CHARACTERS_MAX else ''}'"


def printable(text: str) -> str:
    """Give a text of somebody else's without what could control a terminal, and not too long for one."""
    return _UNSEEN.sub("?", text[:TOLD_CHARACTERS_MAX])
