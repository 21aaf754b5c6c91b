"""Dates, windows and times as a person of that language writes them."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messages.words.dates import (
    between_text,
    date_text,
    moment_text,
    on_day_text,
    time_text,
    window_text,
)
from messages.words.sms_text import Encoding, encode_plan, plain
from messages.words.texts import languages

LONDON = "Europe/London"


@pytest.mark.parametrize(
    ("first", "last", "english", "welsh"),
    [
        pytest.param(date(2022, 8, 1), date(2022, 8, 10), "1–10 August 2022", "1–10 Awst 2022", id="within a month"),
        pytest.param(
            date(2022, 8, 28),
            date(2022, 9, 2),
            "28 August – 2 September 2022",
            "28 Awst – 2 Medi 2022",
            id="across months",
        ),
        pytest.param(
            date(2022, 12, 28),
            date(2023, 1, 3),
            "28 December 2022 – 3 January 2023",
            "28 Rhagfyr 2022 – 3 Ionawr 2023",
            id="across years",
        ),
        pytest.param(
            date(2022, 8, 1),
            date(2023, 8, 1),
            "1 August 2022 – 1 August 2023",
            "1 Awst 2022 – 1 Awst 2023",
            id="a year apart",
        ),
        pytest.param(date(2022, 8, 5), date(2022, 8, 5), "5 August 2022", "5 Awst 2022", id="one day"),
    ],
)
def test_a_window_is_as_short_as_a_person_writes_it(first: date, last: date, english: str, welsh: str) -> None:
    assert window_text(first, last, "en-GB") == english
    assert window_text(first, last, "cy") == welsh


@pytest.mark.parametrize(
    ("first", "last", "english", "welsh"),
    [
        pytest.param(
            date(2022, 8, 28),
            date(2022, 9, 2),
            "between 28 August and 2 September",
            "rhwng 28 Awst a 2 Medi",
            id="across months",
        ),
        pytest.param(
            date(2022, 8, 1), date(2022, 8, 10), "between 1 and 10 August", "rhwng 1 a 10 Awst", id="in a month"
        ),
        pytest.param(
            date(2022, 8, 1),
            date(2022, 8, 11),
            "between 1 and 11 August",
            "rhwng 1 ac 11 Awst",
            id="ac before a vowel as spoken",
        ),
        pytest.param(
            date(2022, 8, 28),
            date(2022, 9, 8),
            "between 28 August and 8 September",
            "rhwng 28 Awst ac 8 Medi",
            id="ac before wyth",
        ),
        pytest.param(
            date(2022, 12, 28),
            date(2023, 1, 3),
            "between 28 December 2022 and 3 January 2023",
            "rhwng 28 Rhagfyr 2022 a 3 Ionawr 2023",
            id="across years",
        ),
        pytest.param(date(2022, 8, 5), date(2022, 8, 5), "on 5 August", "ar 5 Awst", id="one day"),
    ],
)
def test_between_two_days_inside_a_sentence(first: date, last: date, english: str, welsh: str) -> None:
    assert between_text(first, last, "en-GB") == english
    assert between_text(first, last, "cy") == welsh


def test_a_window_that_ends_before_it_begins_is_not_written() -> None:
    with pytest.raises(ValueError, match="after"):
        window_text(date(2022, 8, 2), date(2022, 8, 1), "en-GB")


def test_a_day_with_its_weekday_mutates_in_welsh_where_something_happens_on_it() -> None:
    closing = date(2022, 9, 2)
    assert date_text(closing, "cy") == "2 Medi 2022"
    assert on_day_text(closing, "en-GB") == "on Friday 2 September 2022"
    assert on_day_text(closing, "cy") == "ddydd Gwener 2 Medi 2022"


@pytest.mark.parametrize(
    ("instant", "english", "welsh"),
    [
        pytest.param(
            datetime(2022, 9, 2, 16, tzinfo=UTC),
            "5:00 pm on Friday 2 September 2022 (BST)",
            "5:00pm ddydd Gwener 2 Medi 2022 (BST)",
            id="summer",
        ),
        pytest.param(
            datetime(2022, 12, 2, 9, 5, tzinfo=UTC),
            "9:05 am on Friday 2 December 2022 (GMT)",
            "9:05am ddydd Gwener 2 Rhagfyr 2022 (GMT)",
            id="winter",
        ),
        pytest.param(
            datetime(2022, 10, 30, 0, 30, tzinfo=UTC),
            "1:30 am on Sunday 30 October 2022 (BST)",
            "1:30am ddydd Sul 30 Hydref 2022 (BST)",
            id="the first half past one of the night the clocks go back",
        ),
        pytest.param(
            datetime(2022, 10, 30, 1, 30, tzinfo=UTC),
            "1:30 am on Sunday 30 October 2022 (GMT)",
            "1:30am ddydd Sul 30 Hydref 2022 (GMT)",
            id="the second half past one",
        ),
        pytest.param(
            datetime(2022, 8, 3, 11, tzinfo=UTC),
            "noon on Wednesday 3 August 2022 (BST)",
            "hanner dydd ddydd Mercher 3 Awst 2022 (BST)",
            id="noon",
        ),
        pytest.param(
            datetime(2022, 9, 1, 23, tzinfo=UTC),
            "midnight at the start of Friday 2 September 2022 (BST)",
            "hanner nos ar ddechrau dydd Gwener 2 Medi 2022 (BST)",
            id="midnight says which",
        ),
        pytest.param(
            datetime(2022, 9, 1, 23, 30, tzinfo=UTC),
            "12:30 am on Friday 2 September 2022 (BST)",
            "12:30am ddydd Gwener 2 Medi 2022 (BST)",
            id="half past midnight",
        ),
    ],
)
def test_an_instant_in_the_time_people_there_use(instant: datetime, english: str, welsh: str) -> None:
    assert moment_text(instant, LONDON, "en-GB") == english
    assert moment_text(instant, LONDON, "cy") == welsh


def test_a_zone_without_a_name_gives_its_offset() -> None:
    instant = datetime(2022, 9, 2, 16, tzinfo=UTC)
    assert moment_text(instant, "America/Sao_Paulo", "en-GB").endswith("(UTC-03:00)")
    assert time_text(instant, "Asia/Kathmandu", "en-GB") == "9:45 pm"


def test_an_instant_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        moment_text(datetime(2022, 9, 2, 16), LONDON, "en-GB")  # noqa: DTZ001 - what is refused


@settings(deadline=None)  # the machine may be busy
@given(st.dates(), st.dates(), st.sampled_from(languages()))
def test_every_window_can_be_written_and_goes_in_plain_gsm_7(one: date, other: date, language: str) -> None:
    first, last = sorted((one, other))
    for written in (window_text(first, last, language), between_text(first, last, language)):
        assert str(last.day) in written
        assert encode_plan(plain(written)).encoding is Encoding.GSM_7


ZONES = ["Europe/London", "Etc/UTC", "America/St_Johns", "Asia/Kathmandu", "Pacific/Kiritimati", "America/Sao_Paulo"]
instants = st.datetimes(datetime(1971, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - the zone is added


@settings(deadline=None)  # the machine may be busy
@given(instants, st.sampled_from(ZONES))
def test_a_time_in_english_can_be_read_back(instant: datetime, zone: str) -> None:
    """To the minute, noon and midnight by name: nobody has to know whether 12:00 am is night."""
    local = instant.astimezone(ZoneInfo(zone))
    said = time_text(instant, zone, "en-GB")
    named = {"noon": (12, 0), "midnight": (0, 0)}

    if said in named:
        assert (local.hour, local.minute) == named[said]
    else:
        read = datetime.strptime(said.upper(), "%I:%M %p")  # noqa: DTZ007 - a time of day
        assert (read.hour, read.minute) == (local.hour, local.minute)
        assert (read.hour, read.minute) not in named.values()


@settings(deadline=None)  # the machine may be busy
@given(instants, st.sampled_from(ZONES), st.sampled_from(languages()))
def test_an_instant_names_its_day_in_that_zone_and_the_zone(instant: datetime, zone: str, language: str) -> None:
    said = moment_text(instant, zone, language)
    local = instant.astimezone(ZoneInfo(zone))

    assert date_text(local.date(), language) in said
    assert said.endswith(")")


@settings(deadline=None)  # the machine may be busy
@given(st.dates(), st.sampled_from(languages()))
def test_a_day_is_said_alike_with_and_without_its_weekday(day: date, language: str) -> None:
    assert on_day_text(day, language).endswith(date_text(day, language))
    assert window_text(day, day, language) == date_text(day, language)


@settings(deadline=None)  # the machine may be busy
@given(st.dates(min_value=date(1000, 1, 1)), st.dates(min_value=date(1000, 1, 1)))
def test_a_window_leaves_nothing_out(one: date, other: date) -> None:
    """Both days can be read back: what is written once holds for both."""
    first, last = sorted((one, other))
    begin, _, end = window_text(first, last, "en-GB").partition("–")
    words = end.split() or begin.split()
    begun = begin.split() + words[len(begin.split()) :]

    assert [datetime.strptime(" ".join(found), "%d %B %Y").date() for found in (begun, words)] == [first, last]  # noqa: DTZ007 - a day


@pytest.mark.parametrize("day", range(2, 32))
def test_welsh_joins_a_day_by_how_it_is_spoken(day: int) -> None:
    """In twenties: "wyth ar hugain" is 28, "un ar ddeg ar hugain" is 31; before a vowel it is "ac"."""
    said = between_text(date(2022, 8, 1), date(2022, 8, day), "cy")
    vowel = day in {8, 11, 16, 20, 21, 28, 31}

    assert f" {'ac' if vowel else 'a'} {day} Awst" in said
