"""The proofs alone refuse an answer that its question does not allow, when nothing before them has looked."""

import itertools
from typing import Any

import pytest
from sealed import ANY, BLANK_OR_ANY, BLANK_OR_SOME, ONE_OF_TWO, SECRET, ballot_for, election_of

from voting.ballots import seal as sealing
from voting.ballots.check import check
from voting.ballots.credential import public_credential
from voting.ballots.election import Question
from voting.ballots.proofs import Branch, Proof, prove_one_of
from voting.ballots.refusals import ChoiceWrong, ProofWrong

PAPER = (ONE_OF_TWO, BLANK_OR_SOME, BLANK_OR_ANY, ANY)
RIGHT = ((1, 0), (0, 1, 0, 1), (1, 0), (0, 1))


def claim(self: Any, statements: list[tuple[int, int]], prefix: str) -> tuple[Proof, ...]:
    """Prove what is true, and claim the first statement where none is."""
    branches = [Branch(secret, offset, next(self.draws), next(self.draws)) for secret, offset in statements]
    true = next((index for index, branch in enumerate(branches) if not branch.offset), 0)
    return tuple(prove_one_of(self.key, branches, true, prefix))


def is_allowed(question: Question, bits: tuple[int, ...]) -> bool:
    try:
        sealing.check_choice(question, bits, "answer")
    except ChoiceWrong:
        return False
    return True


OUTSIDE = [
    (number, bits)
    for number, question in enumerate(PAPER)
    for bits in itertools.product((0, 1), repeat=question.ciphertexts)
    if not is_allowed(question, bits)
]


def test_there_are_answers_outside_the_rules_of_every_kind() -> None:
    assert {(0, 0), (1, 1)} <= {bits for number, bits in OUTSIDE if number == 0}
    assert {(0, 0, 0, 0), (0, 1, 1, 1), (1, 1, 0, 0)} <= {bits for number, bits in OUTSIDE if number == 1}
    assert (2, (1, 1)) in OUTSIDE


@pytest.mark.parametrize(("number", "bits"), OUTSIDE, ids=str)
def test_the_proofs_alone_refuse_it(monkeypatch: pytest.MonkeyPatch, number: int, bits: tuple[int, ...]) -> None:
    monkeypatch.setattr(sealing, "check_choice", lambda *_: None)
    monkeypatch.setattr(sealing._Sealing, "_prove", claim)
    election = election_of(*PAPER)
    ballot = ballot_for(election, [bits if place == number else right for place, right in enumerate(RIGHT)])

    with pytest.raises(ProofWrong) as refused:
        check(ballot, election, public_credential(SECRET))

    assert refused.value.field.startswith(f"answers[{number}]")


def test_the_same_paper_within_its_rules_holds() -> None:
    election = election_of(*PAPER)
    ballot = ballot_for(election, RIGHT)

    assert check(ballot, election, public_credential(SECRET)) is ballot
