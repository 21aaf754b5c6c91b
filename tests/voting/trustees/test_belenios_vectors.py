"""An election made wholly by belenios-tool 3.0: its trustees read, its decryptions and its result made again."""

import itertools
import json
from typing import Any

import pytest
from trustee_town import VECTORS, vector_data, vector_payload

from voting.ballots.combination import combine
from voting.ballots.decryption import read_decryption
from voting.ballots.election import Election, read_election
from voting.ballots.group import base_times, hash_to_scalar, read_point, times, write_point
from voting.ballots.proofs import Proof, check_equality, decryption_prefix
from voting.ballots.tally import Tally, read_tally
from voting.ballots.trustees import Trustees, read_trustees
from voting.ballots.written import File
from voting.trustees.decrypt import make_decryption
from voting.trustees.shares import Share, try_election, try_share

# Each trustee's decryption key, decrypted from secrets.json (specification 4.6.1: AES in CCM mode) once and for all.
SECRETS = (
    801029166937843836938345628310470308518860793900043969321505909092298297082,
    5213254865763038665368336194434565031830177820798694823084876167399236249649,
    2388474987255971279825140197515665514284378488317438070846295487420719951227,
)


@pytest.fixture(scope="module")
def election() -> Election:
    return read_election(vector_data(vector_payload("Setup")["election"]))


@pytest.fixture(scope="module")
def trustees() -> Trustees:
    return read_trustees(File("trustees.json", vector_data(vector_payload("Setup")["trustees"])))


@pytest.fixture(scope="module")
def tally(election: Election) -> Tally:
    return read_tally(File("tally", vector_data(vector_payload("EncryptedTally")["encrypted_tally"])), election)


@pytest.fixture(scope="module")
def shares(election: Election) -> list[Share]:
    return [Share(index, 3, 2, election.key, secret) for index, secret in enumerate(SECRETS, 1)]


def published(number: int) -> Any:
    owned = vector_payload("PartialDecryption", number)
    return owned["owner"], json.loads(vector_data(owned["payload"]))


def test_its_published_trustees_are_read_and_hold(trustees: Trustees, election: Election) -> None:
    assert (trustees.threshold, len(trustees.keys)) == (2, 3)
    assert trustees.election_key == election.key


def test_its_trustees_signing_keys_come_from_their_seeds(trustees: Trustees) -> None:
    secrets = json.loads((VECTORS / "secrets.json").read_text())
    parameters = json.loads(trustees.data)[0][1]

    for trustee, certificate in zip(secrets["trustees"], parameters["certs"], strict=True):
        keys = json.loads(certificate["message"])
        assert write_point(base_times(hash_to_scalar(f"sk|{trustee['seed']}"))) == keys["verification"]
        assert write_point(base_times(hash_to_scalar(f"dk|{trustee['seed']}"))) == keys["encryption"]


def test_its_shares_fit(trustees: Trustees, election: Election, shares: list[Share]) -> None:
    for share in shares:
        try_share(share, trustees)
        try_election(share, election)


@pytest.mark.parametrize("number", [0, 1])
def test_its_decryptions_hold_and_ours_have_the_same_factors(
    number: int, trustees: Trustees, election: Election, tally: Tally, shares: list[Share]
) -> None:
    owner, theirs = published(number)
    made = make_decryption(shares[owner - 1], election, tally)
    ours = read_decryption(File("ours", made), election, tally, trustees)

    key = trustees.keys[owner - 1]
    for question, sums in enumerate(tally.sums):
        for answer, one in enumerate(sums):
            proof = Proof(**{k: int(v) for k, v in theirs["decryption_proofs"][question][answer].items()})
            factor = read_point(theirs["decryption_factors"][question][answer], "factor")
            prefix = decryption_prefix(election.hash, key)
            check_equality(proof, public=key, alpha=one.alpha, factor=factor, prefix=prefix, field="proof")
            assert factor == ours.factors[question][answer].factor == times(SECRETS[owner - 1], one.alpha)
    assert list(json.loads(ours.published)) == list(theirs)


@pytest.mark.parametrize("who", list(itertools.combinations((0, 1, 2), 2)), ids=str)
def test_any_two_of_its_shares_make_its_result(
    who: tuple[int, int], trustees: Trustees, election: Election, tally: Tally, shares: list[Share]
) -> None:
    files = [File(str(one), make_decryption(shares[one], election, tally)) for one in who]

    combined = combine(files, election=election, trustees=trustees, tally=tally, ballots=5)

    assert json.loads(combined.dumps()) == vector_payload("Result")
