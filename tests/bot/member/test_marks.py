"""Marks on a paper: a bit a place, and no way of marking that leaves the paper."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.member.marks import Marks
from voting.ballots.election import Question

PAPER = (
    Question("Who?", ("North", "South"), 1, 1),
    Question("Up to two?", ("A", "B", "C", "D"), 0, 2, blank=True),
    Question("Both?", ("E", "F", "G"), 2, 2),
)


def test_marks_lie_question_after_question_and_the_blank_vote_first() -> None:
    marks = Marks(PAPER).only(0, 1).toggled(1, 0).toggled(1, 3).toggled(2, 2)

    assert marks.choices == ((0, 1), (0, 1, 0, 0, 1), (0, 0, 1))
    assert marks.bits == 0b100_10010_10
    assert [marks.options(number) for number in range(3)] == [[1], [0, 3], [2]]


def test_one_answer_takes_the_place_of_the_other() -> None:
    assert Marks(PAPER).only(0, 0).only(0, 1).of(0) == (0, 1)


def test_a_blank_vote_takes_every_other_mark_away_and_the_next_mark_takes_it_away() -> None:
    blank = Marks(PAPER).toggled(1, 0).toggled(1, 1).blank(1)

    assert (blank.of(1), blank.is_blank(1), blank.options(1)) == ((1, 0, 0, 0, 0), True, [])
    assert blank.toggled(1, 2).of(1) == (0, 0, 0, 1, 0)
    assert not blank.is_blank(0)


def test_a_mark_pressed_again_is_taken_away_and_none_goes_beyond_the_most() -> None:
    two = Marks(PAPER).toggled(1, 0).toggled(1, 1)

    assert two.toggled(1, 2) == two
    assert two.toggled(1, 0).of(1) == (0, 0, 1, 0, 0)


def test_the_first_answer_outside_the_rules_is_named() -> None:
    nothing = Marks(PAPER)
    whole = nothing.only(0, 0).toggled(2, 0).toggled(2, 1)

    assert nothing.first_wrong() == 0
    assert nothing.only(0, 0).first_wrong() == 2
    assert whole.first_wrong() is None
    assert [whole.is_allowed(number) for number in range(3)] == [True, True, True]


@pytest.mark.parametrize(("bits", "fit"), [(0, True), ((1 << 10) - 1, True), (1 << 10, False), (1 << 79, False)])
def test_marks_beyond_the_paper_do_not_fit(bits: int, *, fit: bool) -> None:
    assert Marks(PAPER, bits).fit is fit


def test_marks_have_no_words() -> None:
    assert "1" not in repr(Marks(PAPER).only(0, 1)).rpartition("Marks")[2].partition(" at ")[0]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1), st.booleans())))
def test_whatever_is_pressed_the_marks_stay_on_the_paper(presses: list[tuple[int, int, bool]]) -> None:
    marks = Marks(PAPER)
    for number, option, blank in presses:
        if number == 0:
            marks = marks.only(number, option)
        else:
            marks = marks.blank(number) if blank and number == 1 else marks.toggled(number, option)
        assert marks.fit
        assert all(len(marks.options(at)) <= question.most for at, question in enumerate(PAPER))
        assert not (marks.is_blank(1) and marks.options(1))
