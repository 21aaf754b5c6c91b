"""What an import says: its reasons by kind, cells that no spreadsheet runs, a report that goes with its faults."""

import csv
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voting.imports.csv_file import read_distinct
from voting.imports.report import (
    Agreed,
    Asks,
    ImportReport,
    Level,
    Need,
    PeoplesCsv,
    keep_report,
    plain_cell,
    report_path,
    safe_cell,
)

PAIRS = Need(Asks.PAIRS, "?", {}, (("=1", "=01"), ("a", "A")))


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        pytest.param("=1+1", "'=1+1", id="a formula"),
        pytest.param("+1+1", "'+1+1", id="with a plus"),
        pytest.param("-12 Mill Lane", "'-12 Mill Lane", id="a dash"),
        pytest.param("@SUM(1)", "'@SUM(1)", id="an at"),
        pytest.param(" =1", "' =1", id="a space first"),
        pytest.param("\t=1", "'\t=1", id="a tab first"),
        pytest.param("＝1", "'＝1", id="full-width"),
        pytest.param("+447700900123", "+447700900123", id="a number"),
        pytest.param("-12.5", "-12.5", id="less than nothing"),
        pytest.param("Siân", "Siân", id="a name"),
        pytest.param("", "", id="nothing"),
        pytest.param(7, 7, id="no text"),
    ],
)
def test_a_cell_that_a_spreadsheet_would_run_is_quoted(cell: object, shown: object) -> None:
    assert safe_cell(cell) == shown


@settings(deadline=None)  # the machine may be busy
@given(st.text())
def test_a_safe_cell_can_be_read_back(cell: str) -> None:
    if not cell.startswith("'"):
        assert plain_cell(str(safe_cell(cell))) == cell


def test_every_row_of_a_csv_for_people_is_safe() -> None:
    file = StringIO()
    writer = PeoplesCsv(file)
    writer.row(["a", "=b"])
    writer.rows([["c", 1], ["@d", None]])

    assert list(csv.reader(StringIO(file.getvalue()))) == [["a", "'=b"], ["c", "1"], ["'@d", ""]]


def test_reasons_are_told_by_kind_and_one_alone_as_it_is() -> None:
    report = ImportReport()
    for line in range(2, 5):
        report.warn(line, "1", f"joined on 2022-12-{line}, after 2022-06-03: kept, may not vote")
    report.reject(7, "", "3 fields instead of 11")

    assert report.reasons() == [
        (Level.WARNING, "joined on …, after …: kept, may not vote", 3),
        (Level.REJECTED, "3 fields instead of 11", 1),
    ]


def test_a_clean_import_takes_the_report_of_the_one_before_away(tmp_path: Path) -> None:
    path = tmp_path / "roll.csv"
    path.touch()
    report = ImportReport(needs=[PAIRS])
    report.warn(2, "1", "?")

    written = keep_report(path, report)
    pairs = tmp_path / "roll.csv.pairs.csv"

    assert written == tmp_path / "roll.csv.report.csv"
    assert read_distinct(pairs) == {frozenset(pair) for pair in PAIRS.pairs}
    assert keep_report(path, ImportReport()) is None
    assert sorted(each.name for each in tmp_path.iterdir()) == ["roll.csv", "roll.csv.pairs.csv"]


def test_pairs_that_were_agreed_stay_in_the_file_that_names_them(tmp_path: Path) -> None:
    """Whoever answers with the very file, and is asked about one pair more, loses nothing."""
    path = tmp_path / "roll.csv"
    agreed = Agreed(distinct=frozenset({frozenset(("7", "07"))}))

    keep_report(path, ImportReport(needs=[PAIRS]), agreed)

    assert read_distinct(tmp_path / "roll.csv.pairs.csv") == {frozenset(pair) for pair in (*PAIRS.pairs, ("7", "07"))}


def test_the_report_of_a_pipe_lies_in_this_folder(tmp_path: Path) -> None:
    assert report_path(Path("-")) == Path("stdin.report.csv")
    assert report_path(Path("/dev/null")) == Path("stdin.report.csv")
    assert report_path(tmp_path / "a.csv", ".pairs.csv") == tmp_path / "a.csv.pairs.csv"
