"""Local times: what comes twice or never is asked about, in every zone and to the minute."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voting.local_time import FIRST, SECOND, comes_twice, instant_of
from voting.refusals import HourComesTwice, HourSkipped

LONDON = ZoneInfo("Europe/London")


def local(written: str) -> datetime:
    return datetime.fromisoformat(written)


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        pytest.param("2026-08-01T09:00", "2026-08-01T08:00", id="summer"),
        pytest.param("2026-12-01T09:00", "2026-12-01T09:00", id="winter"),
        pytest.param("2026-10-25T00:59", "2026-10-24T23:59", id="a minute before the hour that comes twice"),
        pytest.param("2026-10-25T02:00", "2026-10-25T02:00", id="as the hour that came twice has ended"),
        pytest.param("2026-03-29T00:59", "2026-03-29T00:59", id="a minute before the clocks go forward"),
        pytest.param("2026-03-29T02:00", "2026-03-29T01:00", id="as the clocks went forward"),
        pytest.param("2026-10-25T01:30+01:00", "2026-10-25T00:30", id="twice, with an offset"),
    ],
)
def test_a_local_time_is_one_instant(written: str, instant: str) -> None:
    assert instant_of(local(written), LONDON) == local(instant).replace(tzinfo=UTC)


@pytest.mark.parametrize("written", ["2026-10-25T01:00", "2026-10-25T01:59"], ids=["first minute", "last minute"])
def test_an_hour_that_comes_twice_asks_which(written: str) -> None:
    with pytest.raises(HourComesTwice, match=rf"write {written}\+01:00 or {written}\+00:00"):
        instant_of(local(written), LONDON)

    first, second = (instant_of(local(written), LONDON, which=which) for which in (FIRST, SECOND))
    assert second - first == timedelta(hours=1)
    assert comes_twice(local(written), LONDON)


@pytest.mark.parametrize("which", ["", FIRST, SECOND])
def test_an_hour_that_never_comes_names_its_neighbours(which: str) -> None:
    with pytest.raises(HourSkipped, match="write 2026-03-29T00:30 or 2026-03-29T02:30"):
        instant_of(local("2026-03-29T01:30"), LONDON, which=which)

    assert not comes_twice(local("2026-03-29T01:30"), LONDON)


def test_half_an_hour_may_come_twice_too() -> None:
    island = ZoneInfo("Australia/Lord_Howe")

    with pytest.raises(HourComesTwice, match=r"01:45\+11:00 or 2026-04-05T01:45\+10:30"):
        instant_of(local("2026-04-05T01:45"), island)


@given(
    st.datetimes(min_value=datetime(1980, 1, 2), max_value=datetime(2080, 1, 1)),  # noqa: DTZ001 - local on purpose
    st.sampled_from(["Europe/London", "Europe/Dublin", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe"]),
)
def test_what_is_taken_is_shown_as_it_was_written(written: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    try:
        instant = instant_of(written, zone)
    except (HourComesTwice, HourSkipped):
        return
    assert instant.astimezone(zone).replace(tzinfo=None) == written
    assert not comes_twice(written, zone)
