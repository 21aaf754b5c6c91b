"""A tested ballot: sealed again it is the same, and nothing in its file can be changed unseen."""

import json
from typing import Any

import pytest
from trustee_town import an_election, dealt

from voting.ballots.ballot import seal_code
from voting.ballots.credential import public_credential
from voting.ballots.election import Question, make_election
from voting.ballots.group import ORDER, write_point
from voting.ballots.refusals import (
    BallotRefusal,
    ChoiceWrong,
    FieldWrong,
    NotThisElection,
    PointWrong,
    RandomnessWrong,
    ScalarWrong,
)
from voting.ballots.seal import draw_randomness, seal
from voting.ballots.tested import read_tested

KEY = dealt().trustees.election_key
ELECTION = an_election(KEY)
CREDENTIAL = public_credential(7)


def page_file(choices: Any, election: Any) -> dict[str, Any]:
    """Write the file as the page does."""
    draws = draw_randomness(election)
    return {
        "format": "ballotline tested 1",
        "uuid": election.uuid,
        "election_hash": election.hash,
        "credential": write_point(CREDENTIAL),
        "choices": choices,
        "draws": [str(draw) for draw in draws],
        "seal_code": seal_code(seal(election, CREDENTIAL, choices, draws)),
    }


def raw(content: dict[str, Any]) -> bytes:
    return json.dumps(content, indent=1).encode()


def test_it_says_what_the_ballot_held() -> None:
    content = page_file([[0, 1]], ELECTION)

    found = read_tested(raw(content), ELECTION)

    assert (found.held, found.seal_code, found.election) == ((("South",),), content["seal_code"], ELECTION)


@pytest.mark.parametrize(
    ("bits", "held"), [([1, 0, 0, 0], ()), ([0, 1, 0, 1], ("Ada", "Cat"))], ids=["blank", "two of three"]
)
def test_it_reads_questions_with_blank_and_several_answers(bits: list[int], held: tuple[str, ...]) -> None:
    question = Question("Who?", ("Ada", "Bob", "Cat"), 1, 2, blank=True)
    election = make_election(uuid="BaLLotLineTest", name="T", description="T", key=KEY, questions=[question])

    assert read_tested(raw(page_file([bits], election)), election).held == (held,)


@pytest.mark.parametrize(
    ("change", "refusal", "field"),
    [
        ({"format": "ballotline tested 2"}, FieldWrong, "format"),
        ({"uuid": "2" * 22}, NotThisElection, "uuid"),
        ({"election_hash": "x"}, NotThisElection, "election_hash"),
        ({"credential": "0" * 64}, PointWrong, "credential"),
        ({"credential": write_point(public_credential(8))}, FieldWrong, "seal_code"),
        ({"choices": [[1, 0]]}, FieldWrong, "seal_code"),
        ({"choices": [[1, 1]]}, ChoiceWrong, "answers[0]"),
        ({"choices": []}, ChoiceWrong, "answers"),
        ({"choices": [[0, True]]}, FieldWrong, "choices[0][1]"),
        ({"draws": ["1"]}, RandomnessWrong, "draws"),
        ({"draws": [str(ORDER)]}, ScalarWrong, "draws[0]"),
        ({"seal_code": "ABCD-EFGH-JKMN-PQRS"}, FieldWrong, "seal_code"),
        ({"more": 1}, FieldWrong, "the file"),
    ],
)
def test_what_was_changed_is_named(change: dict[str, Any], refusal: type[BallotRefusal], field: str) -> None:
    with pytest.raises(refusal) as raised:
        read_tested(raw(page_file([[0, 1]], ELECTION) | change), ELECTION)

    assert raised.value.field == field


def test_one_other_random_number_makes_another_ballot() -> None:
    content = page_file([[0, 1]], ELECTION)
    content["draws"][0] = str((int(content["draws"][0]) + 1) % ORDER)

    with pytest.raises(FieldWrong, match="sealed again the ballot has the code"):
        read_tested(raw(content), ELECTION)
