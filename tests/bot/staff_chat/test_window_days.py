"""The days of a window as people type them in a chat: two days and a reason, the day before the month."""

from datetime import date

import pytest

from bot.staff_chat.window import read_days
from voting.refusals import WindowBackwards, WrongDay

FIRST, LAST = date(2022, 8, 1), date(2022, 8, 10)

READ = {
    "ISO with a reason": ("2022-08-01 2022-08-10 added security", "added security"),
    "ISO without a reason": ("2022-08-01 2022-08-10", ""),
    "ISO joined by words": ("from 2022-08-01 to 2022-08-10: added security", "added security"),
    "ISO joined by a dash": ("2022-08-01 – 2022-08-10 – printers' strike", "printers' strike"),
    "one digit where ISO has two": ("2022-8-1 2022-8-10 x", "x"),
    "the day first": ("1/8/2022 10/8/2022 added security", "added security"),
    "the day first with noughts": ("01/08/2022-10/08/2022, added security", "added security"),
    "one of each": ("1/8/2022 2022-08-10 mixed", "mixed"),
    "on two lines": ("1/8/2022\n10/8/2022\nadded security", "added security"),
    "a third day belongs to the reason": ("1/8/2022 10/8/2022 not before 12/8/2022", "not before 12/8/2022"),
    "a reason of two lines": ("1/8/2022 10/8/2022 late\nand later", "late\nand later"),
}

REFUSED = {
    "nothing": "",
    "one day": "2022-08-01 because",
    "words": "next Monday to Friday",
    "months by name": "1 August 2022 to 10 August 2022",
    "the month first, where the day cannot be": "8/13/2022 8/20/2022",
    "a day that the month does not have": "30/2/2022 10/3/2022",
    "29 February of a common year": "2022-02-29 2022-03-10",
    "years of two digits": "1/8/22 10/8/22",
    "years of five digits": "1/8/20222 10/8/20222",
    "points": "1.8.2022 10.8.2022",
    "the year first with slashes": "2022/08/01 2022/08/10",
    "a month nought": "1/0/2022 2/0/2022",
}


@pytest.mark.parametrize(("typed", "reason"), READ.values(), ids=READ.keys())
def test_two_days_and_a_reason_are_read(typed: str, reason: str) -> None:
    assert read_days(typed) == (FIRST, LAST, reason)


@pytest.mark.parametrize("typed", REFUSED.values(), ids=REFUSED.keys())
def test_what_can_be_read_in_two_ways_or_none_is_refused(typed: str) -> None:
    with pytest.raises(WrongDay):
        read_days(typed)


def test_a_window_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(WindowBackwards):
        read_days("10/8/2022 1/8/2022 turned round")


def test_one_day_can_be_a_window() -> None:
    assert read_days("1/8/2022 1/8/2022 x") == (FIRST, FIRST, "x")
