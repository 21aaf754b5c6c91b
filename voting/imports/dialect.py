"""How a file's bytes are written: its encoding, a `sep=` line, its delimiter; what is no CSV file is called what it is.

Only what is certain is read: UTF-8, UTF-16 where its mark says so, and the delimiter under which the heading has the
columns asked for. Everything else is refused with the way to save it right.
"""

import codecs
import csv
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import IO, Final

PIECE_BYTES: Final = 1024 * 1024
DELIMITERS: Final = ",;\t|"
SAVE: Final = "save it as CSV UTF-8"

_WORKBOOK: Final = f"it is a workbook, not a CSV file: open it in the spreadsheet and {SAVE}"
_MARKS: Final = {  # the first bytes of what people rename to .csv
    b"PK\x03\x04": _WORKBOOK,  # .xlsx, .ods
    b"\xd0\xcf\x11\xe0": _WORKBOOK,  # .xls
    b"%PDF": "it is a PDF, not a CSV file: export the list again as CSV UTF-8",
    b"{\\rtf": f"it is a document, not a CSV file: {SAVE}",
    b"<": f"it is a web page or XML, not a CSV file: open it in a spreadsheet and {SAVE}",
}
_UTF_16: Final = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_SEP_LINE: Final = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE | re.DOTALL)


class Unreadable(ValueError):  # noqa: N818 - the fact, as with refusals
    """The bytes are no CSV file of ours; the message says what they are and how to save them."""


@dataclass(frozen=True, slots=True)
class Bytes:
    """A whole file's bytes, looked at once: their SHA-256 and the encoding that reads every one of them."""

    sha256: bytes
    encoding: str


def look(file: IO[bytes]) -> Bytes:
    """Read a file to its end; Unreadable when it is something else, or names the line of the first bad byte."""
    piece = file.read(PIECE_BYTES)
    for mark, problem in _MARKS.items():
        if piece.removeprefix(codecs.BOM_UTF8).lstrip(b" \t\r\n").startswith(mark):
            raise Unreadable(problem)
    encoding = next((name for mark, name in _UTF_16.items() if piece.startswith(mark)), "utf-8-sig")
    if encoding == "utf-8-sig" and b"\0" in piece[:4]:
        raise Unreadable(f"it is UTF-16 without its mark: {SAVE}")
    decoder, digest, line = codecs.getincrementaldecoder(encoding)(), hashlib.sha256(), 1
    while True:
        try:
            text = decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as problem:
            # problem.object is what the decoder was at: bytes kept back from the piece before, and this one
            line += _line_ends(problem.object[: problem.start].decode(encoding, errors="ignore"))
            name = "UTF-8" if encoding == "utf-8-sig" else "UTF-16, as its first bytes say"
            raise Unreadable(f"line {line} is not {name}: {SAVE}") from problem
        if not piece:
            return Bytes(digest.digest(), encoding)
        digest.update(piece)
        line += _line_ends(text)
        piece = file.read(PIECE_BYTES)


def _line_ends(text: str) -> int:
    return text.count("\n") or text.count("\r")


def separator(line: str) -> str | None:
    """Give the delimiter that a `sep=;` line names, or None for any other line."""
    found = _SEP_LINE.fullmatch(line)
    return found[1] if found else None


def fold_heading(cell: str) -> str:
    """Give a heading as we write it: `Member No` is member_no."""
    return re.sub(r"[\s\-_]+", "_", cell.strip()).casefold()


def delimiter(heading: str, columns: Iterable[str]) -> str:
    """Give the delimiter under which a first line names most of the columns; a comma when none names any."""
    wanted = set(columns)

    def named(mark: str) -> int:
        return len(wanted & {fold_heading(cell) for cell in _cells(heading, mark)})

    return max(DELIMITERS, key=named)


def _cells(line: str, mark: str) -> Sequence[str]:
    try:
        return next(csv.reader([line], delimiter=mark), [])
    except csv.Error:
        return []
