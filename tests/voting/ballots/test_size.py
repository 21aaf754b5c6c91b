"""The longest ballot: none that can be made is longer, and the longest of a paper within its bounds is known."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sealed import ANY, BLANK_OR_ANY, BLANK_OR_SOME, ONE_OF_TWO, ballot_for, election_of

from voting.ballots.ballot import BALLOT_BYTES_MAX, write_ballot
from voting.ballots.election import Question
from voting.ballots.size import ballot_bytes_max
from voting.poll.questions_file import OPTIONS_MAX, QUESTIONS_MAX

ANSWERS = {ONE_OF_TWO: (1, 0), BLANK_OR_SOME: (0, 1, 1, 0), ANY: (0, 1), BLANK_OR_ANY: (1, 0)}


def asking(options: int, least: int, most: int, *, blank: bool) -> Question:
    return Question("Who?", tuple(map(str, range(options))), least, most, blank=blank)


@settings(max_examples=20)
@given(st.lists(st.sampled_from(list(ANSWERS)), min_size=1, max_size=4), st.integers())
def test_no_ballot_is_longer_and_most_are_nearly_as_long(questions: list[Question], seed: int) -> None:
    election = election_of(*questions)
    written = write_ballot(ballot_for(election, [ANSWERS[question] for question in questions], str(seed)))
    longest = ballot_bytes_max(election.uuid, tuple(questions))

    assert longest * 0.98 < len(written) <= longest


def shapes() -> list[tuple[Question, ...]]:
    """Papers with as many options as a poll file takes, in 1 to 16 questions, with the longest proofs."""
    return [
        (asking(OPTIONS_MAX // number, 0, OPTIONS_MAX // number, blank=True),) * number
        for number in range(1, QUESTIONS_MAX + 1)
    ]


def test_the_longest_ballot_of_any_poll_file_is_no_surprise() -> None:
    sizes = [ballot_bytes_max("A" * 22, paper) for paper in shapes()]

    assert max(sizes) == sizes[-1]
    assert 64 * 1024 < sizes[-1] < 80 * 1024 < BALLOT_BYTES_MAX


@pytest.mark.parametrize("blank", [True, False])
def test_a_wider_choice_makes_a_longer_proof(blank: bool) -> None:
    narrow, wide = (ballot_bytes_max("A" * 22, (asking(4, 2, most, blank=blank),)) for most in (2, 3))

    assert 150 < wide - narrow < 200
