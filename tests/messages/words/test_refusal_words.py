"""A refusal's facts as people say them: days, instants, phases, kinds, numbers; in their language and zone."""

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messages.refusals import NotApproved, NoticeOutgrown
from messages.words import refusal_words
from messages.words.dates import date_text, moment_text
from messages.words.refusal_words import refusal_text
from messages.words.texts import MissingText, languages
from voting.model import Phase
from voting.refusals import Refusal, WindowBackwards


class Colour(StrEnum):
    """An enum of any kind."""

    RED = "red"


FACTS: dict[str, tuple[object, str, str | int]] = {
    "a day": (date(2022, 9, 2), "cy", "2 Medi 2022"),
    "an instant": (
        datetime(2022, 9, 2, 16, tzinfo=UTC),
        "en-GB",
        "5:00 pm on Friday 2 September 2022 (BST)",
    ),
    "a phase": (Phase.OPEN, "en-GB", "open"),
    "another enum": (Colour.RED, "cy", "red"),
    "a number stays a number": (17, "en-GB", 17),
    "words stay words": ("Gwen", "cy", "Gwen"),
    "nothing": (None, "en-GB", "None"),
    "money": (1.5, "en-GB", "1.5"),
}


@pytest.mark.parametrize(("fact", "language", "said"), FACTS.values(), ids=FACTS.keys())
def test_a_fact_is_said_as_its_kind_is(fact: object, language: str, said: str | int) -> None:
    found = refusal_words._said(fact, language, "Europe/London")

    assert found == said
    assert type(found) is type(said)


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(1970, 1, 2), max_value=datetime(2099, 1, 1)))  # noqa: DTZ001 - Hypothesis adds the zone
def test_an_instant_is_never_said_as_a_day(instant: datetime) -> None:
    """In Python an instant is a day, too: the first question must be for the instant."""
    said = refusal_words._said(instant, "en-GB", "Europe/London")

    assert said == moment_text(instant, "Europe/London", "en-GB")
    assert said != date_text(instant.date(), "en-GB")


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize(
    ("refusal", "named"),
    [
        (NoticeOutgrown(notice_id=7, approved=20, members=43), ["20", "43"]),
        (NotApproved(notice_id=7, members=43), ["43"]),
        (WindowBackwards(first_day=date(2022, 8, 10), last_day=date(2022, 8, 1)), ["10 A", "1 A"]),
    ],
    ids=["outgrown", "not approved", "backwards"],
)
def test_a_refusal_names_what_it_is_about_in_every_language(refusal: Refusal, named: list[str], language: str) -> None:
    said = refusal_text(refusal, language, "Europe/London")

    assert all(fact in said for fact in named)
    assert "{" not in said


@pytest.mark.parametrize(
    ("zone", "clock"),
    [("Europe/London", "5:00 pm"), ("Etc/UTC", "4:00 pm"), ("America/New_York", "noon"), ("Asia/Tokyo", "1:00 am")],
)
def test_an_instant_is_said_in_the_zone_of_the_poll(zone: str, clock: str) -> None:
    said = str(refusal_words._said(datetime(2022, 9, 2, 16, tzinfo=UTC), "en-GB", zone))

    assert said.startswith(clock)


def test_a_refusal_nobody_wrote_words_for_is_a_fault() -> None:
    class NeverHeardOf(Refusal):
        """Nobody wrote words for it."""

    facts: dict[str, Any] = {}
    with pytest.raises(MissingText, match="never_heard_of"):
        refusal_text(NeverHeardOf(**facts), "en-GB", "Europe/London")
