"""Days and times: read where only one reading is possible, otherwise named by their shape."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from voting.imports.moments import find_day, find_moment, read_day, read_moment, shape_of
from voting.imports.vocabulary import Kind, is_total, our_word, unknown

LONDON = ZoneInfo("Europe/London")
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 26)


@pytest.mark.parametrize(
    ("raw", "day"),
    [
        pytest.param("2011-05-02", date(2011, 5, 2), id="a day"),
        pytest.param("2011-05-02 00:00:00", date(2011, 5, 2), id="a spreadsheet's midnight"),
        pytest.param("2011-05-02T09:30", date(2011, 5, 2), id="a time"),
        pytest.param("2011-05-02 23:59:59.999", date(2011, 5, 2), id="a database's time"),
        pytest.param("2011-05-02T00:00:00Z", None, id="a time of another zone may be another day"),
        pytest.param("2011-13-02", None, id="no such month"),
        pytest.param("2011-W18-1", None, id="a week"),
        pytest.param("20110502", None, id="no dashes"),
        pytest.param("02/05/2011", None, id="another order"),
        pytest.param("٢٠١١-٠٥-٠٢", None, id="other digits"),
    ],
)
def test_a_day_is_read_in_one_shape_only(raw: str, day: date | None) -> None:
    assert read_day(raw) == day


@pytest.mark.parametrize(
    ("raw", "day"),
    [
        pytest.param("2026-11-05", date(2026, 11, 5), id="as we write it"),
        pytest.param("25/11/2026", date(2026, 11, 25), id="there is no month 25"),
        pytest.param("11/25/2026", date(2026, 11, 25), id="nor here"),
        pytest.param("25.12.2026", date(2026, 12, 25), id="one reading, though it is not possible"),
        pytest.param("05/11/2026", date(2026, 11, 5), id="in May there was no pack"),
        pytest.param("11/05/2026", None, id="the month first is never preferred"),
        pytest.param("08/09/2026", None, id="neither is possible"),
        pytest.param("11/11/2026", date(2026, 11, 11), id="the same either way"),
        pytest.param("5-11-2026", date(2026, 11, 5), id="dashes and one digit"),
        pytest.param("32/01/2026", None, id="no day at all"),
        pytest.param("05/11-2026", None, id="two marks"),
        pytest.param("05/11/26", None, id="two digits for the year"),
        pytest.param("today", None, id="a word"),
    ],
)
def test_the_day_first_is_read_where_it_is_certain(raw: str, day: date | None) -> None:
    assert find_day(raw, lambda each: FIRST <= each <= LAST) == day


def test_both_orders_possible_are_a_choice_that_nobody_makes() -> None:
    assert find_day("05/11/2026", lambda _: True) is None


def test_a_time_is_read_in_its_zone() -> None:
    assert find_moment("25/11/2026 09:30", LONDON, lambda _: True) == datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
    assert find_moment("25/07/2026 9:30:15", LONDON, lambda _: True) == datetime(2026, 7, 25, 8, 30, 15, tzinfo=UTC)
    assert find_moment("2026-07-25T09:30+05:00", LONDON, lambda _: True) == datetime(2026, 7, 25, 4, 30, tzinfo=UTC)
    assert find_moment("25/11/2026 29:30", LONDON, lambda _: True) is None
    assert read_moment("0001-01-01", ZoneInfo("Asia/Tokyo")) is None


@pytest.mark.parametrize(
    ("raw", "shape"),
    [
        ("25/01/2026", "the day first"),
        ("01/25/2026", "the month first"),
        ("01/02/2026", "the day or the month first"),
        ("01/02/26", "a year of two digits"),
        ("40665", "a spreadsheet's day number"),
        ("20110502", "no dashes"),
        ("2011-5-2", "one digit where there should be two"),
        ("2 May 2011", "words"),
        ("2011-13-01", None),
        ("?", None),
    ],
)
def test_a_shape_has_a_name(raw: str, shape: str | None) -> None:
    assert shape_of(raw) == shape


def test_words_are_taken_in_any_case_and_the_known_are_named() -> None:
    assert our_word(Kind.EVENT, " Despatched ") == "dispatched"
    assert our_word(Kind.STATUS, "RECEIVED") == "received"
    assert our_word(Kind.STATUS, "dispatched") is None
    assert unknown(Kind.STATUS, "lost") == "unknown status 'lost': known are received, rejected"


@pytest.mark.parametrize(
    ("cell", "total"), [("Total: 3", True), ("TOTALS", True), ("Grand total = 12", True), ("3", False)]
)
def test_the_last_line_of_a_list_is_known(cell: str, total: bool) -> None:
    assert is_total(cell) is total
