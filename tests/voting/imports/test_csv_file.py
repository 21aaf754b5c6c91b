"""A CSV file as programs write it: what is certain is read, what is not is named with the way to save it."""

import io
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voting.imports import csv_file, dialect
from voting.imports.csv_file import PIPE, open_csv, read_distinct
from voting.imports.report import ImportReport, ReportRow
from voting.refusals import FileUnreadable

COLUMNS = ("member_no", "name")
ROWS = [("1", "Siân"), ("2", "Huw, the 2nd")]


def read(path: Path, optional: tuple[str, ...] = (), *, others: bool = False) -> tuple[list[Any], list[ReportRow]]:
    report = ImportReport()
    with open_csv(path, COLUMNS, optional, others=others) as file:
        return [(row.line, *row.cells) for row in file.rows(report)], report.rows


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "first_line"),
    [
        pytest.param('member_no,name\n1,Siân\n2,"Huw, the 2nd"\n'.encode(), 2, id="plain"),
        pytest.param('member_no,name\r\n1,Siân\r\n2,"Huw, the 2nd"\r\n'.encode("utf-8-sig"), 2, id="a mark"),
        pytest.param('member_no,name\r1,Siân\r2,"Huw, the 2nd"\r'.encode(), 2, id="an old Mac"),
        pytest.param("member_no;name\n1;Siân\n2;Huw, the 2nd\n".encode(), 2, id="semicolons"),
        pytest.param("member_no|name\n1|Siân\n2|Huw, the 2nd\n".encode(), 2, id="bars"),
        pytest.param("member_no\tname\n1\tSiân\n2\tHuw, the 2nd\n".encode("utf-16"), 2, id="UTF-16 with a mark"),
        pytest.param(
            "\ufeffmember_no\tname\n1\tSiân\n2\tHuw, the 2nd\n".encode("utf-16-be"), 2, id="UTF-16, big end first"
        ),
        pytest.param("sep=;\nmember_no;name\n1;Siân\n2;Huw, the 2nd\n".encode(), 3, id="sep="),
        pytest.param('"sep=#"\r\nmember_no#name\r\n1#Siân\r\n2#Huw, the 2nd\r\n'.encode(), 3, id="sep= of its own"),
        pytest.param('\n,,\nmember_no,name\n1,Siân\n2,"Huw, the 2nd"\n'.encode(), 4, id="empty lines before"),
        pytest.param('Name,Member No\nSiân,1\n"Huw, the 2nd",2\n'.encode(), 2, id="another order"),
        pytest.param('MEMBER-NO , name,,\n1,Siân,,\n2,"Huw, the 2nd",,\n'.encode(), 2, id="commas at the end"),
        pytest.param('member_no,name\n1,Siân,\n2,"Huw, the 2nd",,\n'.encode(), 2, id="commas after rows only"),
    ],
)
def test_what_is_certain_is_read(tmp_path: Path, content: bytes, first_line: int) -> None:
    found, report = read(written(tmp_path / "a.csv", content))

    assert [row[1:] for row in found] == ROWS
    assert (found[0][0], report) == (first_line, [])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(b"PK\x03\x04\x14\x00", "it is a workbook", id="a renamed workbook"),
        pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1", "it is a workbook", id="an old workbook"),
        pytest.param(b"%PDF-1.7", "it is a PDF", id="a PDF"),
        pytest.param(b"\xef\xbb\xbf\n <html><table>", "it is a web page or XML", id="a web page"),
        pytest.param(b"{\\rtf1\\ansi", "it is a document", id="a document"),
        pytest.param("member_no,name\n".encode("utf-16-le"), "it is UTF-16 without its mark", id="UTF-16, no mark"),
        pytest.param(b"\xff\xfem\x00\n\x00x", "line 2 is not UTF-16, as its first bytes say", id="UTF-16 cut short"),
        pytest.param(b"member_no,name\n1,A\n2,\x96", "line 3 is not UTF-8: save it as CSV UTF-8", id="1252"),
        pytest.param(b"", "it has no header; the first line should be member_no,name", id="empty"),
        pytest.param(b"member_no\n", "its header names name nowhere", id="a column missing"),
        pytest.param(b"m" * 200_000, "its header is not a CSV row", id="a heading without an end"),
        pytest.param(b"member_no,name,Name\n", "its header names name twice", id="a column twice"),
        pytest.param(b"member_no,name,shoe\n", "its header has the unknown column 'shoe'", id="an unknown column"),
        pytest.param(b'"member_no,name', "its header is not a CSV row", id="a heading that never ends"),
        pytest.param(b'member_no,name\n1,"A\n2,B\n', "a quoted field that begins on line 2", id="an open quote"),
    ],
)
def test_what_is_not_certain_is_named(tmp_path: Path, content: bytes, problem: str) -> None:
    with pytest.raises(FileUnreadable) as refused:
        read(written(tmp_path / "a.csv", content))

    assert problem in str(refused.value)


def test_a_bad_byte_far_on_is_named_with_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line is right wherever the pieces end in which the file is read, within a letter too."""
    content = b"member_no,name\n" + "1,Siân\n".encode() * 40 + b"2,\x96\n"
    for size in range(5, 20):
        monkeypatch.setattr(dialect, "PIECE_BYTES", size)
        with pytest.raises(FileUnreadable, match="line 42 is not UTF-8"):
            read(written(tmp_path / "a.csv", content))


def test_rows_that_are_none_are_called_what_they_are(tmp_path: Path) -> None:
    content = b'member_no,name\n1\n,\nMember No,NAME\nEXAMPLE,A\n1,A,B\n\n,\n1,\0\n3,"a"b\n4,D\n'

    found, report = read(written(tmp_path / "a.csv", content))

    assert found == [(11, "4", "D")]
    assert [(row.line, row.reason) for row in report] == [
        (2, "1 field instead of 2"),
        (4, "the heading again, no row"),
        (5, "the example row of the template"),
        (6, "3 fields instead of 2"),
        (9, "a NUL character"),
        (10, "not a CSV row: ',' expected after '\"'"),
        (3, "2 empty rows, of which this is the first: skipped"),
    ]


def test_one_empty_row_is_one(tmp_path: Path) -> None:
    _, report = read(written(tmp_path / "a.csv", b"member_no,name\n,\n"))

    assert [row.reason for row in report] == ["an empty row: skipped"]


def test_an_optional_column_may_be_missing_and_others_overlooked(tmp_path: Path) -> None:
    assert read(written(tmp_path / "a.csv", b"member_no,name\n1,A\n"), ("code",))[0] == [(2, "1", "A", "")]
    assert read(written(tmp_path / "b.csv", b"code,member_no,name\nC,1,A\n"), ("code",))[0] == [(2, "1", "A", "C")]
    assert read(written(tmp_path / "c.csv", b"shoe,member_no,name\nC,1,A\n"), others=True)[0] == [(2, "1", "A")]


def test_a_pipe_is_read_to_its_end(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"member_no,name\n1,A\n",))
    writer.start()

    with open_csv(pipe, COLUMNS) as file:
        assert file.path == PIPE
        assert [row.cells for row in file.rows(ImportReport())] == [("1", "A")]
    writer.join()


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_file.sys, "stdin", io.TextIOWrapper(io.BytesIO(b"member_no,name\n1,A\n")))

    assert read(PIPE)[0] == [(2, "1", "A")]


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="No such file"):
        read(tmp_path / "nowhere.csv")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("member_no,member_no\n1,01\nA,a\n", id="with a heading"),
        pytest.param("1;01\r\nA;a\r\n;\r\n", id="without"),
        pytest.param("1\t01\nA\ta", id="tabs"),
    ],
)
def test_pairs_of_different_people_are_read(tmp_path: Path, content: str) -> None:
    path = written(tmp_path / "pairs.csv", content.encode())

    assert read_distinct(path) == {frozenset(("1", "01")), frozenset(("A", "a"))}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(b"1,01,001\n", "each line should name two numbers", id="three"),
        pytest.param(b"1\n", "each line should name two numbers", id="one"),
        pytest.param(b'1,"01\n', "unexpected end", id="an open quote"),
        pytest.param(b"PK\x03\x04", "it is a workbook", id="a workbook"),
    ],
)
def test_pairs_that_are_none_are_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    with pytest.raises(FileUnreadable, match=problem):
        read_distinct(written(tmp_path / "pairs.csv", content))


cells = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"])).map(str.strip)


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.tuples(cells, cells)), st.sampled_from(dialect.DELIMITERS), st.sampled_from(["utf-8", "utf-16"]))
def test_whatever_a_program_writes_is_read_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], mark: str, encoding: str
) -> None:
    quoted = [("member_no", "name"), *rows]
    text = "\n".join(mark.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in quoted)
    path = written(tmp_path_factory.mktemp("any") / "a.csv", text.encode(encoding))

    found, report = read(path)

    kept = [row for row in rows if any(row)]
    odd = [row for row in kept if row[0] == "EXAMPLE" or [*map(dialect.fold_heading, row)] == ["member_no", "name"]]
    assert [row[1:] for row in found] == [row for row in kept if row not in odd]
    assert len([row for row in report if row.level == "rejected"]) == len(odd)
