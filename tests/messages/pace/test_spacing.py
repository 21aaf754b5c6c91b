"""When the next message may go: the two rules of spacing.py, the 429, a limit that changes; time is a number."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messages.pace.spacing import (
    CATCH_UP_SECONDS,
    CLOSED,
    LOWER_BY,
    LOWEST_SHARE,
    RAISE_BY,
    RAISE_EVERY_SECONDS,
    SHARE,
    WINDOW_SECONDS,
    Spacing,
)

EPSILON = 1e-9


def test_the_first_message_goes_at_once_and_the_next_a_step_later() -> None:
    spacing = Spacing(10)
    assert spacing.ready_at(1, 3.0) <= 3.0

    spacing.take(1, 3.0)

    assert spacing.ready_at(1, 3.0) == pytest.approx(3.0 + 1 / (SHARE * 10))


@pytest.mark.parametrize("cost", [1, 2, 4])
def test_a_longer_text_keeps_the_next_waiting_for_as_many_steps(cost: int) -> None:
    spacing = Spacing(10)
    spacing.take(cost, 0.0)

    assert spacing.ready_at(1, 0.0) == pytest.approx(cost / (SHARE * 10))


def test_asking_for_the_time_takes_no_slot() -> None:
    spacing = Spacing(10)
    spacing.take(1, 0.0)

    assert [spacing.ready_at(1, 0.0) for _ in range(3)] == [spacing.ready_at(1, 0.0)] * 3


@pytest.mark.parametrize(
    ("late", "kept"),
    [(0.0, True), (CATCH_UP_SECONDS - EPSILON, True), (CATCH_UP_SECONDS + EPSILON, False), (3600.0, False)],
    ids=["in time", "a little late", "too late to count as a miss", "an hour of nothing"],
)
def test_only_a_slot_missed_by_a_moment_is_made_good(late: float, *, kept: bool) -> None:
    """An hour without a message gives no credit: the one after it still waits a whole step."""
    spacing = Spacing(10)
    spacing.take(1, 0.0)
    due = spacing.ready_at(1, 0.0)

    spacing.take(1, due + late)

    step = 1 / (SHARE * 10)
    assert spacing.ready_at(1, 0.0) == pytest.approx(due + step if kept else due + late + step)


def test_one_message_larger_than_the_limit_goes_when_nothing_else_did() -> None:
    spacing = Spacing(2)
    spacing.take(1, 0.0)
    assert spacing.ready_at(5, 0.6) == pytest.approx(WINDOW_SECONDS)

    spacing.take(5, WINDOW_SECONDS)

    assert spacing.ready_at(1, WINDOW_SECONDS) == pytest.approx(WINDOW_SECONDS + 5 / (SHARE * 2))


def test_what_left_the_window_makes_room_at_the_moment_it_does() -> None:
    """Three of four units are taken: two more fit when the first has been gone for a whole window."""
    spacing = Spacing(4)
    spacing.take(3, 0.0)

    assert spacing.ready_at(1, 0.9) <= 0.9
    assert spacing.ready_at(2, 0.9) == pytest.approx(WINDOW_SECONDS)
    assert spacing.ready_at(2, WINDOW_SECONDS) <= WINDOW_SECONDS


# -- a 429 -------------------------------------------------------------------------------


def test_a_rate_is_never_lowered_below_a_share_that_still_helps() -> None:
    spacing = Spacing(100)
    for second in range(60):
        spacing.lower(2.0 * second)

    assert spacing.rate == 100 * LOWEST_SHARE


@pytest.mark.parametrize(
    ("gap", "lowered"),
    [(0.0, 1), (0.99, 1), (1.0, 2), (30.0, 2)],
    ids=["at once", "within a second", "a second later", "much later"],
)
def test_answers_to_what_was_on_its_way_count_once(gap: float, lowered: int) -> None:
    spacing = Spacing(100)
    spacing.lower(50.0)
    spacing.lower(50.0 + gap)

    assert spacing.rate == pytest.approx(100 * LOWER_BY**lowered)


def test_an_unlimited_pace_is_not_lowered_and_remembers_nothing() -> None:
    spacing = Spacing(math.inf)
    spacing.lower(1.0)
    spacing.take(1000, 1.0)

    assert spacing.rate == math.inf
    assert spacing.ready_at(1000, 1.0) <= 1.0


def test_the_rate_rises_step_by_step_after_quiet_and_not_beyond_the_limit() -> None:
    spacing = Spacing(100)
    spacing.lower(0.0)

    seen = []
    for step in range(1, 7):
        spacing.take(1, step * RAISE_EVERY_SECONDS)
        seen.append(spacing.rate)

    steps = [min(100, 100 * LOWER_BY * RAISE_BY**step) for step in range(1, 7)]
    assert seen == pytest.approx(steps)
    assert seen[-1] == 100


def test_a_hold_counts_as_no_quiet_time() -> None:
    """The rate rises only when messages went for a while without a 429, not while nothing was allowed to go."""
    spacing = Spacing(100)
    spacing.lower(0.0)
    spacing.hold(60.0)

    spacing.take(1, 60.0 + RAISE_EVERY_SECONDS / 2)
    assert spacing.rate == 100 * LOWER_BY
    spacing.take(1, 60.0 + RAISE_EVERY_SECONDS)
    assert spacing.rate > 100 * LOWER_BY


# -- another limit -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "rate"),
    [
        pytest.param(100.0, 50.0, 50.0 * LOWER_BY, id="lowered stays lowered in proportion"),
        pytest.param(100.0, math.inf, math.inf, id="no limit any more"),
        pytest.param(100.0, CLOSED, 0.0, id="closed"),
    ],
)
def test_a_new_limit_keeps_what_a_429_took(before: float, after: float, rate: float) -> None:
    spacing = Spacing(before)
    spacing.lower(0.0)

    spacing.change_limit(after)

    assert (spacing.limit, spacing.rate) == (after, pytest.approx(rate))


@pytest.mark.parametrize("before", [CLOSED, math.inf], ids=["closed", "unlimited"])
def test_a_limit_after_none_is_whole(before: float) -> None:
    spacing = Spacing(before)
    spacing.change_limit(40.0)

    assert (spacing.limit, spacing.rate) == (40.0, 40.0)


@given(
    limit=st.floats(1, 200),
    acts=st.lists(
        st.tuples(
            st.sampled_from(["take", "lower", "hold", "limit"]), st.floats(0, 3, allow_nan=False), st.floats(1, 200)
        ),
        max_size=60,
    ),
)
def test_whatever_happens_nothing_leaves_during_a_hold_and_the_rate_stays_in_its_bounds(
    limit: float, acts: list[tuple[str, float, float]]
) -> None:
    """Times of leaving never go back; the rate is between its lowest share and its limit."""
    spacing, now, held_until, left = Spacing(limit), 0.0, -math.inf, []
    for act, seconds, number in acts:
        now += seconds
        if act == "take":
            now = max(now, spacing.ready_at(1, now))
            assert now >= held_until
            spacing.take(1, now)
            left.append(now)
        elif act == "lower":
            spacing.lower(now)
        elif act == "hold":
            held_until = max(held_until, now + seconds)
            spacing.hold(now + seconds)
        else:
            spacing.change_limit(number)
        assert spacing.limit * LOWEST_SHARE - EPSILON <= spacing.rate <= spacing.limit + EPSILON
    assert all(earlier <= later for earlier, later in pairwise(left))
