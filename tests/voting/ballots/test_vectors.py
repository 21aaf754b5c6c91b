"""The vectors that the voting page shares with Python: what was written once is made again, to the byte, and holds."""

import json
from pathlib import Path

import pytest
from ballot_vectors import vectors

from voting.ballots.ballot import read_ballot
from voting.ballots.check import check
from voting.ballots.credential import CodesAsked, check_codes
from voting.ballots.election import read_election
from voting.ballots.group import read_point, read_scalar
from voting.ballots.proofs import Proof

KEPT = json.loads((Path(__file__).parents[2] / "data" / "ballot-vectors.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("part", KEPT)
def test_each_vector_is_made_again_to_the_byte(part: str) -> None:
    assert vectors()[part] == KEPT[part]


def test_no_vector_is_left_out() -> None:
    assert list(vectors()) == list(KEPT)


@pytest.mark.parametrize("number", range(len(KEPT["ballots"])))
def test_each_kept_ballot_holds(number: int) -> None:
    kept = KEPT["ballots"][number]
    check(read_ballot(kept["ballot"].encode()), read_election(kept["election"].encode()))


@pytest.mark.parametrize("number", range(len(KEPT["codes"])))
def test_each_kept_proof_of_codes_holds(number: int) -> None:
    kept = KEPT["codes"][number]
    proof = Proof(*(read_scalar(kept["proof"][name], name) for name in Proof._fields))
    asked = CodesAsked(KEPT["uuid"], kept["session"], kept["intent"], kept["purpose"])
    check_codes(proof, read_point(KEPT["credentials"][0]["credential"], "credential"), asked)
