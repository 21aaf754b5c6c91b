"""Whose fault a refusal is: one alone is its recipient's, several alike are ours, however they lie among the others."""

import pytest

from messages.ledger.suspects import KEPT_MAX, NEAR, SEVERAL, Suspects

HERE = ("sms", 1)


def suspects(outcomes: str) -> Suspects:
    """Make them of one letter for each message: `.` went, anything else is its reason."""
    seen = Suspects()
    for place, reason in enumerate(outcomes):
        seen.note(HERE, place, None if reason == "." else reason)
    return seen


@pytest.mark.parametrize(
    ("outcomes", "alike"),
    [
        ("f", []),
        ("..f....f...", []),
        ("fff", [0, 1, 2]),
        ("f.f....f", [0, 2, 7]),
        ("f" + "." * (NEAR - 2) + "f" + "." * (NEAR - 2) + "f", []),
        ("faf", []),
        ("f........." * 10, list(range(0, 100, 10))),
        ("f.........." * 9, []),
    ],
    ids=[
        "one",
        "two, apart",
        "all",
        "three within a few",
        "three, far apart",
        "two of one kind and one of another",
        "a tenth of the last hundred",
        "less than a tenth",
    ],
)
def test_several_alike_are_ours_and_fewer_their_recipients(outcomes: str, alike: list[int]) -> None:
    assert suspects(outcomes).alike(HERE, "f") == alike


@pytest.mark.parametrize(
    ("outcomes", "nothing_gets_through"),
    [("ff", False), ("fff", True), ("fgf", True), ("fff.", False), ("ff.f", False)],
)
def test_nothing_gets_through_when_the_newest_all_failed(outcomes: str, *, nothing_gets_through: bool) -> None:
    assert suspects(outcomes).in_a_row(HERE) is nothing_gets_through


def test_news_of_a_message_that_had_gone_leaves_it_where_it_was() -> None:
    """A callback comes late: what counts is which messages were near each other when they went."""
    seen = suspects("." * 40)
    for place in (1, 20, 39):
        seen.note(HERE, place, "f")
    assert seen.alike(HERE, "f") == []

    for place in (2, 3):
        seen.note(HERE, place, "f")
    assert seen.alike(HERE, "f") == [1, 2, 3, 20, 39]


def test_a_message_counts_once_however_often_it_is_noted() -> None:
    seen = Suspects()
    for _ in range(SEVERAL):
        seen.note(HERE, 7, "f")
    assert seen.alike(HERE, "f") == []


def test_what_was_forgotten_and_what_is_long_ago_is_no_evidence() -> None:
    seen = suspects("fff")
    seen.forget(HERE)
    assert seen.alike(HERE, "f") == []

    seen = suspects("ff" + "." * KEPT_MAX)
    seen.note(HERE, 999, "f")
    assert seen.alike(HERE, "f") == []


def test_broadcasts_and_channels_are_judged_apart() -> None:
    seen = suspects("ff")
    seen.note(("telegram", 1), 8, "f")
    seen.note(("sms", 2), 9, "f")
    assert seen.alike(HERE, "f") == []
