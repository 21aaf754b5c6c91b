"""Forgeries by somebody who has codes: signed well, some with proofs that hold, and still refused by their name."""

import dataclasses
from functools import cache
from typing import Any

import pytest
from sealed import BLANK_OR_SOME, ONE_OF_TWO, SECRET, TRUSTEE, ballot_for, draws_for, election_of

from voting.ballots.ballot import Answer, Ballot, Ciphertext, sign
from voting.ballots.check import check
from voting.ballots.credential import public_credential
from voting.ballots.election import Election, Question
from voting.ballots.group import BASE, IDENTITY, ORDER, base_times, hash_to_scalar, plus, write_point
from voting.ballots.proofs import Proof
from voting.ballots.refusals import FieldWrong, NotThisElection, PointWrong, ProofWrong
from voting.ballots.seal import _Sealing, seal

ELECTION = election_of(ONE_OF_TWO, BLANK_OR_SOME)
PUBLIC = public_credential(SECRET)
BALLOT = ballot_for(ELECTION, [(0, 1), (0, 1, 0, 1)])
ORDER_TWO = (2**255 - 20).to_bytes(32, "little")
IDENTITY_TEXT = write_point(IDENTITY)


def forged(values: tuple[int, ...], question: Question, *, secret: int = SECRET) -> Ballot:
    """A ballot that encrypts any values; its proofs are honest about what can be proved, and claim the rest."""
    election = election_of(question)
    sealing = _Sealing(election.key, question, values, iter(draws_for(election)))
    choices = tuple(sealing._encrypt(value, r) for value, r in zip(values, sealing.randomness, strict=True))
    branches = [tuple(Proof(1, 2) for _ in range(2)) for _ in values]
    context = (
        f"{election.hash}|{write_point(base_times(secret))}|{','.join(write_point(p) for c in choices for p in c)}"
    )
    overall = sealing._sum(choices, context)
    ballot = Ballot(election.uuid, election.hash, base_times(secret), (Answer(choices, tuple(branches), overall),))
    return sign(ballot, secret, 7)


def test_plus_1000_and_minus_999_is_refused() -> None:
    """Their sum is 1 and is proved; the values themselves cannot be."""
    election = election_of(ONE_OF_TWO)
    ballot = forged((1000, -999), ONE_OF_TWO)
    with pytest.raises(ProofWrong) as refused:
        check(ballot, election)
    assert refused.value.field == "answers[0].individual_proofs[0]"


@pytest.mark.parametrize(
    ("individual", "field"),
    [((), "answers[0].individual_proofs"), (((), ()), "answers[0].individual_proofs[0]")],
    ids=["no lists", "empty lists"],
)
def test_plus_1000_and_minus_999_without_proofs_is_refused(individual: Any, field: str) -> None:
    ballot = forged((1000, -999), ONE_OF_TWO)
    bare = dataclasses.replace(ballot, answers=(dataclasses.replace(ballot.answers[0], individual=individual),))
    with pytest.raises(FieldWrong) as refused:
        check(sign(bare, SECRET, 7), election_of(ONE_OF_TWO))
    assert refused.value.field == field


def swapped(ballot: Ballot, number: int, **parts: Any) -> Ballot:
    """With parts of one answer replaced, signed again."""
    answers = list(ballot.answers)
    answers[number] = dataclasses.replace(answers[number], **parts)
    return sign(dataclasses.replace(ballot, answers=tuple(answers)), SECRET, 7)


def test_two_of_a_question_that_allows_one_is_refused() -> None:
    """Each value is proved to be 0 or 1; of the sum only another question's proof can be shown."""
    two = dataclasses.replace(ONE_OF_TWO, least=2, most=2)
    loose = ballot_for(election_of(two), [(1, 1)])
    strict = election_of(ONE_OF_TWO)
    with pytest.raises(ProofWrong):
        check(sign(dataclasses.replace(loose, election_hash=strict.hash), SECRET, 7), strict)


@pytest.mark.parametrize(
    ("part", "field"),
    [("overall", "answers[1].overall_proof"), ("blank", "answers[1].blank_proof")],
)
def test_proofs_of_another_ballot_do_not_serve(part: str, field: str) -> None:
    other = ballot_for(ELECTION, [(0, 1), (0, 1, 0, 1)], "other draws")
    with pytest.raises(ProofWrong) as refused:
        check(swapped(BALLOT, 1, **{part: getattr(other.answers[1], part)}), ELECTION)
    assert refused.value.field == field


def test_an_answer_cannot_be_copied_from_another_voter() -> None:
    """The credential is in every challenge."""
    thief = hash_to_scalar("thief")
    copy = dataclasses.replace(BALLOT, credential=public_credential(thief))
    with pytest.raises(ProofWrong) as refused:
        check(sign(copy, thief, 7), ELECTION)
    assert refused.value.field == "answers[0].individual_proofs[0]"


def test_a_signature_by_another_credential_is_refused() -> None:
    thief = hash_to_scalar("thief")
    signature = sign(dataclasses.replace(BALLOT, credential=public_credential(thief)), thief, 7).signature
    with pytest.raises(ProofWrong) as refused:
        check(dataclasses.replace(BALLOT, signature=signature), ELECTION)
    assert refused.value.field == "signature.proof"


def test_answers_cannot_change_places() -> None:
    election = election_of(ONE_OF_TWO, ONE_OF_TWO)
    ballot = ballot_for(election, [(0, 1), (1, 0)])
    choices = ballot.answers[0].choices[::-1]
    individual = ballot.answers[0].individual[::-1]
    with pytest.raises(ProofWrong) as refused:
        check(swapped(ballot, 0, choices=choices, individual=individual), election)
    assert refused.value.field == "answers[0].overall_proof"


def test_a_ballot_serves_its_own_election_only() -> None:
    other = election_of(ONE_OF_TWO, BLANK_OR_SOME, uuid="1" * 14)
    with pytest.raises(NotThisElection, match="election_uuid"):
        check(BALLOT, other)
    with pytest.raises(NotThisElection, match="election_hash"):
        check(sign(dataclasses.replace(BALLOT, election_hash="A" * 43), SECRET, 7), ELECTION)


def test_a_ballot_is_of_the_credential_whose_codes_were_given() -> None:
    with pytest.raises(FieldWrong, match="credential"):
        check(BALLOT, ELECTION, BASE)


@cache
def inverse_key() -> int:
    """The r with y^r x g = the identity."""
    return -pow(TRUSTEE, -1, ORDER) % ORDER


@pytest.mark.parametrize(
    ("first", "field"),
    [(0, "answers[0].choices[0].alpha"), (inverse_key(), "answers[0].choices[0].beta")],
    ids=["r = 0 shows the choice", "y^r x g^m is the identity"],
)
def test_an_identity_with_good_proofs_is_refused(first: int, field: str) -> None:
    election = election_of(ONE_OF_TWO)
    question, draws = ONE_OF_TWO, [first, *draws_for(election)[1:]]
    answer = _Sealing(election.key, question, (1, 0), iter(draws)).answer(f"{election.hash}|{write_point(PUBLIC)}")
    ballot = sign(Ballot(election.uuid, election.hash, PUBLIC, (answer,)), SECRET, 7)
    with pytest.raises(PointWrong) as refused:
        check(ballot, election)
    assert refused.value.field == field


def test_the_identity_as_credential_is_refused_though_its_signature_holds() -> None:
    election = election_of(ONE_OF_TWO)
    context = f"{election.hash}|{IDENTITY_TEXT}"
    answer = _Sealing(election.key, ONE_OF_TWO, (1, 0), iter(draws_for(election))).answer(context)
    with pytest.raises(PointWrong, match="credential"):
        check(sign(Ballot(election.uuid, election.hash, IDENTITY, (answer,)), 0, 7), election)


def test_a_point_of_small_order_in_a_ciphertext_is_refused_though_its_proofs_hold() -> None:
    """A point of order 2 in beta goes unseen by every proof whose challenges are even."""
    election = election_of(ONE_OF_TWO)
    tries = (small_order(election, seed) for seed in range(200))
    ballot = next(ballot for ballot in tries if ballot)
    with pytest.raises(PointWrong) as refused:
        check(ballot, election)
    assert refused.value.field == "answers[0].choices[0].beta"


def small_order(election: Election, seed: int) -> Ballot | None:
    draws = [number - number % 2 for number in draws_for(election, f"small {seed}")]
    sealing = _Sealing(election.key, ONE_OF_TWO, (0, 1), iter(draws))
    honest = sealing._encrypt
    first = honest(0, sealing.randomness[0])
    spoiled = Ciphertext(first.alpha, plus(first.beta, ORDER_TWO))
    sealing._encrypt = lambda bit, r: spoiled if bit == 0 else honest(bit, r)  # type: ignore[method-assign]
    answer = sealing.answer(f"{election.hash}|{write_point(PUBLIC)}")
    even = all(proof.challenge % 2 == 0 for proof in (*answer.individual[0], *answer.overall))
    if not even:
        return None
    return sign(Ballot(election.uuid, election.hash, PUBLIC, (answer,)), SECRET, 7)


def test_sums_may_be_the_identity() -> None:
    """Of computed points the identity is allowed: here the sum of all randomness is zero."""
    election = election_of(ONE_OF_TWO)
    draws = draws_for(election)
    draws[1] = -draws[0] % ORDER
    ballot = sign(seal(election, PUBLIC, [(0, 1)], draws), SECRET, 7)
    assert plus(*(choice.alpha for choice in ballot.answers[0].choices)) == IDENTITY
    check(ballot, election)
