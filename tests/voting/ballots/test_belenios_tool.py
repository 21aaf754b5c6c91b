"""Belenios's own tool judges our ballots, one by one: it takes what we take, and refuses what we refuse."""

from collections.abc import Callable
from pathlib import Path

import pytest
from belenios_tool import accepts, needs_tool, set_up
from sealed import ANY, BLANK_OR_ANY, BLANK_OR_SOME, ONE_OF_TWO, SECRET, TRUSTEE, ballot_for, election_of

from voting.ballots.ballot import write_ballot
from voting.ballots.credential import public_credential
from voting.ballots.group import base_times
from voting.ballots.seal import Choices

pytestmark = needs_tool

ELECTION = election_of(ONE_OF_TWO, BLANK_OR_SOME, ANY, BLANK_OR_ANY)
CHOICES: list[Choices] = [
    [(1, 0), (0, 1, 0, 0), (0, 0), (0, 0)],
    [(0, 1), (0, 1, 0, 1), (1, 1), (0, 1)],
    [(0, 1), (1, 0, 0, 0), (1, 0), (1, 0)],
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    set_up(tmp_path, ELECTION, TRUSTEE, [public_credential(SECRET), base_times(5)])
    return tmp_path


@pytest.mark.parametrize("choices", CHOICES, ids=["least", "most", "blank"])
def test_belenios_accepts_our_ballots(folder: Path, choices: Choices) -> None:
    assert accepts(folder, write_ballot(ballot_for(ELECTION, choices)))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw.replace(b'"response":"1', b'"response":"2', 1),
        lambda raw: raw[:-20] + bytes([raw[-20] ^ 1]) + raw[-19:],
    ],
    ids=["a proof", "the signature"],
)
def test_belenios_refuses_our_spoiled_ballots(folder: Path, spoil: Callable[[bytes], bytes]) -> None:
    good = write_ballot(ballot_for(ELECTION, CHOICES[0]))
    assert spoil(good) != good
    assert not accepts(folder, spoil(good))


def test_belenios_refuses_a_credential_that_is_not_on_the_list(folder: Path) -> None:
    assert not accepts(folder, write_ballot(ballot_for(ELECTION, CHOICES[0], secret=9)))
