"""Credentials: two codes are one key, and only who has both can prove it, for one purpose, in one session."""

import dataclasses

import pytest

from voting.ballots.credential import CodesAsked, check_codes, derive_secret, prove_codes, public_credential
from voting.ballots.group import IDENTITY, ORDER, base_times
from voting.ballots.proofs import Proof
from voting.ballots.refusals import FieldWrong, PointWrong, ProofWrong

UUID = "Ba11ot1inefor1"
PACK, VOTE = "VK475JSUE", "ES2G2H74GVKQ"
SECRET = derive_secret(PACK, VOTE, UUID)
PUBLIC = public_credential(SECRET)
ASKED = CodesAsked(UUID, "session-1", "intent_1", "vote")


def test_a_secret_depends_on_both_codes_and_the_election() -> None:
    others = [(PACK, VOTE[:-1] + "R", UUID), (PACK[:-1] + "F", VOTE, UUID), (PACK, VOTE, UUID[:-1] + "2")]
    secrets = {derive_secret(*facts) for facts in [(PACK, VOTE, UUID), *others]}
    assert len(secrets) == 4
    assert all(0 <= secret < ORDER for secret in secrets)


@pytest.mark.parametrize(
    "code", ["", "vk475jsue", "VK4-75J-SUE", "VK475JSU0", "VK475JSUI", "VK475JSUÉ", "VK475JSUE\n", "A" * 33]
)
def test_only_canonical_codes_are_derived_from(code: str) -> None:
    with pytest.raises(FieldWrong, match="pack_code"):
        derive_secret(code, VOTE, UUID)
    with pytest.raises(FieldWrong, match="vote_code"):
        derive_secret(PACK, code, UUID)
    with pytest.raises(FieldWrong, match="uuid"):
        derive_secret(PACK, VOTE, "short")


@pytest.mark.parametrize("secret", [0, ORDER])
def test_zero_is_no_credential(secret: int) -> None:
    with pytest.raises(PointWrong, match="credential"):
        public_credential(secret)


def test_who_has_the_codes_can_prove_it() -> None:
    check_codes(prove_codes(SECRET, ASKED, 5), PUBLIC, ASKED)


@pytest.mark.parametrize(
    "change",
    [{"uuid": UUID[:-1] + "2"}, {"session": "session-2"}, {"intent": "intent_2"}, {"purpose": "check"}],
    ids=["election", "session", "intent", "purpose"],
)
def test_a_proof_of_codes_serves_nothing_else(change: dict[str, str]) -> None:
    with pytest.raises(ProofWrong, match="proof"):
        check_codes(prove_codes(SECRET, ASKED, 5), PUBLIC, dataclasses.replace(ASKED, **change))


def test_a_proof_of_codes_serves_no_other_pack() -> None:
    with pytest.raises(ProofWrong):
        check_codes(prove_codes(SECRET, ASKED, 5), base_times(9), ASKED)
    with pytest.raises(ProofWrong):
        check_codes(Proof(1, 2), PUBLIC, ASKED)
    with pytest.raises(PointWrong, match="credential"):
        check_codes(prove_codes(SECRET, ASKED, 5), IDENTITY, ASKED)


@pytest.mark.parametrize(
    ("field", "value"),
    [("uuid", "x"), ("session", ""), ("session", "a|b"), ("intent", "ŵ"), ("intent", "a" * 129), ("purpose", "votes")],
)
def test_what_is_hashed_can_be_read_in_one_way(field: str, value: str) -> None:
    with pytest.raises(FieldWrong, match=field):
        dataclasses.replace(ASKED, **{field: value})
