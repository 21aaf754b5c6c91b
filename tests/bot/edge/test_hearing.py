"""When it is said that Telegram does not reach us, by a clock that is moved."""

import pytest
from telegram.error import BadRequest, Conflict, InvalidToken, TimedOut

from bot.edge.hearing import Hearing


class Clock:
    """Seconds that pass when they are told to."""

    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hearing(clock: Clock) -> Hearing:
    return Hearing(clock)


def test_it_is_well_only_once_telegram_has_answered(hearing: Hearing) -> None:
    assert (hearing.well, hearing.trouble) == (False, None)
    hearing.heard()
    assert (hearing.well, hearing.trouble) == (True, None)


@pytest.mark.parametrize("problem", [TimedOut(), BadRequest("x")])
def test_a_minute_without_an_answer_is_silence(hearing: Hearing, clock: Clock, problem: Exception) -> None:
    hearing.heard()
    hearing.not_heard(problem)
    clock.seconds += 59.9
    assert hearing.trouble is None
    clock.seconds += 0.1
    assert (hearing.trouble, hearing.well) == ("silent", False)
    hearing.heard()
    assert (hearing.trouble, hearing.well) == (None, True)


def test_a_refused_token_is_told_though_it_is_tried_only_now_and_then(hearing: Hearing, clock: Clock) -> None:
    hearing.heard()
    hearing.not_heard(InvalidToken())
    assert (hearing.trouble, hearing.well) == (None, False)
    clock.seconds += 5
    assert hearing.trouble == "token"
    hearing.heard()
    assert (hearing.trouble, hearing.well) == (None, True)


def test_a_process_that_is_just_ending_is_no_rival(hearing: Hearing, clock: Clock) -> None:
    """As at each restart: one conflict, then the new one is heard."""
    hearing.not_heard(Conflict("x"))
    clock.seconds += 0.5
    hearing.heard()
    clock.seconds += 30
    assert hearing.trouble is None
    hearing.heard()
    clock.seconds += 31
    hearing.heard()
    assert hearing.well


def test_a_rival_is_told_though_both_are_heard_now_and_then(hearing: Hearing, clock: Clock) -> None:
    """While members write, each of two pollers gets some of the updates between two conflicts."""
    for _ in range(4):
        hearing.heard()
        clock.seconds += 1
        hearing.not_heard(Conflict("x"))
        clock.seconds += 1
    hearing.heard()
    assert hearing.trouble == "conflict"

    clock.seconds += 58
    hearing.heard()
    assert (hearing.trouble, hearing.well) == ("conflict", False)
    clock.seconds += 1
    hearing.heard()
    assert (hearing.trouble, hearing.well) == (None, True)
