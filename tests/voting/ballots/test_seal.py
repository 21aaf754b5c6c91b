"""Sealing: every allowed answer makes a ballot that holds, no other answer one, the same arguments the same."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sealed import (
    ANY,
    BLANK_OR_ANY,
    BLANK_OR_SOME,
    ONE_OF_TWO,
    SECRET,
    TRUSTEE,
    ballot_for,
    draws_for,
    election_of,
)

from voting.ballots.ballot import ballot_digest, ballot_mark, read_ballot, seal_code, sign, write_ballot, write_unsigned
from voting.ballots.check import check
from voting.ballots.credential import public_credential
from voting.ballots.election import Question
from voting.ballots.group import IDENTITY, ORDER, base_times, minus, times
from voting.ballots.mark import mark_of
from voting.ballots.packed import pack, packed_bytes, unpack
from voting.ballots.refusals import ChoiceWrong, FieldWrong, PointWrong, RandomnessWrong
from voting.ballots.seal import draw_randomness, draws_needed, seal

QUESTIONS = {"one of two": ONE_OF_TWO, "blank or some": BLANK_OR_SOME, "any": ANY, "blank or any": BLANK_OR_ANY}
PUBLIC = public_credential(SECRET)


def allowed(question: Question, bits: tuple[int, ...]) -> bool:
    chosen = sum(bits[question.blank :])
    if question.blank and bits[0]:
        return chosen == 0
    return question.least <= chosen <= question.most


def answers_to(question: Question) -> list[tuple[int, ...]]:
    return list(itertools.product((0, 1), repeat=question.ciphertexts))


CASES = [(name, bits) for name, question in QUESTIONS.items() for bits in answers_to(question)]


@pytest.mark.parametrize(("name", "bits"), CASES, ids=[f"{name} {bits}" for name, bits in CASES])
def test_every_allowed_answer_holds_and_no_other_is_sealed(name: str, bits: tuple[int, ...]) -> None:
    question = QUESTIONS[name]
    election = election_of(question)
    if not allowed(question, bits):
        with pytest.raises(ChoiceWrong, match=r"answers\[0\]"):
            ballot_for(election, [bits])
        return
    ballot = ballot_for(election, [bits])
    assert check(ballot, election, PUBLIC) is ballot
    assert tuple(decrypted(ballot.answers[0].choices)) == bits


def decrypted(choices: tuple[tuple[bytes, bytes], ...]) -> list[int]:
    powers = {IDENTITY: 0, base_times(1): 1}
    return [powers[minus(beta, times(TRUSTEE, alpha))] for alpha, beta in choices]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(list(QUESTIONS.values())), min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_a_ballot_survives_json_and_bytes(questions: list[Question], random: object) -> None:
    election = election_of(*questions)
    choices = [
        random.choice([bits for bits in answers_to(question) if allowed(question, bits)])  # type: ignore[attr-defined]
        for question in questions
    ]
    ballot = ballot_for(election, choices)
    assert read_ballot(write_ballot(ballot)) == ballot
    assert unpack(pack(ballot), election) == ballot
    assert len(pack(ballot)) == packed_bytes(election)
    check(ballot, election)


def test_a_ballot_of_two_options_takes_544_bytes() -> None:
    assert packed_bytes(election_of(ONE_OF_TWO)) == 544


def test_the_same_choice_and_randomness_make_the_same_ballot_elsewhere() -> None:
    """This is how a tested ballot is checked."""
    election = election_of(ONE_OF_TWO, BLANK_OR_SOME)
    draws = draw_randomness(election)
    shown = seal(election, PUBLIC, [(0, 1), (1, 0, 0, 0)], draws)
    again = seal(election, PUBLIC, [(0, 1), (1, 0, 0, 0)], draws)
    assert seal_code(again) == seal_code(shown)
    assert seal_code(seal(election, PUBLIC, [(1, 0), (1, 0, 0, 0)], draws)) != seal_code(shown)
    assert seal_code(seal(election, PUBLIC, [(0, 1), (1, 0, 0, 0)], draw_randomness(election))) != seal_code(shown)


def test_the_number_of_draws_does_not_depend_on_the_choice() -> None:
    election = election_of(ONE_OF_TWO, BLANK_OR_SOME)
    # two ciphertexts, four statements of theirs, one of the sum; four, eight, three of the sum and two of blank
    assert draws_needed(election) == (2 + 2 * 5) + (4 + 2 * 13)
    assert len(set(draw_randomness(election))) == draws_needed(election)


@pytest.mark.parametrize(
    "draws",
    [draws_for(election_of(ONE_OF_TWO))[1:], [*draws_for(election_of(ONE_OF_TWO)), 1], [ORDER] * 12, [-1] * 12, []],
    ids=["one less", "one more", "q", "minus one", "none"],
)
def test_randomness_is_exactly_as_much_as_is_used(draws: list[int]) -> None:
    with pytest.raises(RandomnessWrong, match="draws has to be 12 numbers"):
        seal(election_of(ONE_OF_TWO), PUBLIC, [(0, 1)], draws)


@pytest.mark.parametrize("choices", [[], [(0, 1), (0, 1)]], ids=["no answer", "one more"])
def test_every_question_is_answered_once(choices: list[tuple[int, ...]]) -> None:
    election = election_of(ONE_OF_TWO)
    with pytest.raises(ChoiceWrong, match="answers"):
        seal(election, PUBLIC, choices, draws_for(election))


@pytest.mark.parametrize("bits", [(1,), (1, 0, 0), (2, -1), (1000, -999)], ids=str)
def test_an_answer_is_zeros_and_ones_one_an_option(bits: tuple[int, ...]) -> None:
    with pytest.raises(ChoiceWrong, match=r"answers\[0\] is not allowed by the question: 2 times 0 or 1"):
        ballot_for(election_of(ONE_OF_TWO), [bits])


def test_nobody_seals_for_the_identity() -> None:
    election = election_of(ONE_OF_TWO)
    with pytest.raises(PointWrong, match="credential"):
        seal(election, IDENTITY, [(0, 1)], draws_for(election))


def test_a_sealed_ballot_is_not_cast_before_it_is_signed() -> None:
    election = election_of(ONE_OF_TWO)
    sealed = seal(election, PUBLIC, [(0, 1)], draws_for(election))
    for act in (write_ballot, pack, ballot_mark, lambda ballot: check(ballot, election)):
        with pytest.raises(FieldWrong, match=r"^signature is not"):
            act(sealed)
    signed = sign(sealed, SECRET, 7)
    assert write_unsigned(signed) == write_unsigned(sealed)
    assert ballot_mark(signed) == mark_of(ballot_digest(signed)) != seal_code(signed) == seal_code(sealed)


def test_only_the_credential_s_own_secret_signs() -> None:
    election = election_of(ONE_OF_TWO)
    with pytest.raises(FieldWrong, match="credential"):
        sign(seal(election, PUBLIC, [(0, 1)], draws_for(election)), SECRET + 1, 7)
