"""paper.json, election.json and the fingerprint, byte for byte: what a stranger makes from the published poll."""

import base64
import hashlib
import json
from dataclasses import replace

import pytest
from prepared import POLL, asked
from trustee_town import vector_data, vector_payload

from voting.ballots.election import read_election
from voting.ballots.mark import mark_of
from voting.model import Poll
from voting.poll.election import election_of, fingerprint_of, paper_of, trustees_of
from voting.refusals import NoElectionKey

TRUSTEES = vector_data(vector_payload("Setup")["trustees"])  # by belenios-tool, 2 of 3
KEY = json.loads(vector_data(vector_payload("Setup")["election"]))["public_key"]
VECTOR = replace(POLL, trustees_file=TRUSTEES, key_kind="ceremony", signing_key=bytes(range(32)))
PAPER = (
    '{"closes_at":1662134400000000,"format":"ballotline paper 1","key":"ceremony","languages":["en-GB","cy"],'
    '"opens_at":1659340800000000,"questions":[{"blank":false,"least":1,"most":1,"options":[{"cy":"North",'
    '"en-GB":"North"},{"cy":"South","en-GB":"South"}],"order":"fixed","question":{"cy":"Who shall lead?",'
    '"en-GB":"Who shall lead?"},"seats":null}],"rule":{"cy":"Un bleidlais.","en-GB":"One vote."},'
    '"title":{"cy":"The leader ballot","en-GB":"The leader ballot"},"uuid":"BaLLotLineTest"}'
)
PAPER_SHA256 = "ef580a65e152f4eb646547f537a46b8f3ebf0660f753336487449445e35c128c"
ELECTION_HASH = "lOdcqUKVEILNB+UMK1RtQBiqSJdP9fwdusIOM6CpEPI"
FINGERPRINT = "FB5N-YEBX-DVRX-KDFC"


def test_the_paper_is_written_as_the_vector() -> None:
    assert paper_of(VECTOR) == PAPER.encode()
    assert hashlib.sha256(paper_of(VECTOR)).hexdigest() == PAPER_SHA256


def test_the_election_is_belenios_s_and_binds_the_paper() -> None:
    """Its fields in the specification's order; the hash is over exactly these bytes."""
    question = {"answers": ["North", "South"], "min": 1, "max": 1, "question": "Who shall lead?"}
    written = json.dumps(
        {
            "version": 1,
            "description": f"ballotline paper 1 {PAPER_SHA256}",
            "name": "The leader ballot",
            "group": "Ed25519",
            "public_key": KEY,
            "questions": [question],
            "uuid": "BaLLotLineTest",
        },
        separators=(",", ":"),
    ).encode()

    assert election_of(VECTOR).written == written
    assert election_of(VECTOR).hash == ELECTION_HASH
    assert base64.b64encode(hashlib.sha256(written).digest()).decode().rstrip("=") == ELECTION_HASH
    assert read_election(written) == election_of(VECTOR)


def test_the_fingerprint_is_of_election_trustees_and_signing_key() -> None:
    text = f"{ELECTION_HASH}|{hashlib.sha256(TRUSTEES).hexdigest()}|{bytes(range(32)).hex()}"

    assert fingerprint_of(VECTOR) == mark_of(hashlib.sha256(text.encode()).digest()) == FINGERPRINT


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(replace(VECTOR, rule={"en-GB": "One vote.", "cy": "Dwy."}), id="the rule in the second language"),
        pytest.param(replace(VECTOR, title="The leader poll"), id="the title"),
        pytest.param(replace(VECTOR, questions=(asked("Who shall lead?", "South", "North"),)), id="the options' order"),
        pytest.param(replace(VECTOR, closes_at=POLL.opens_at), id="the closing"),
        pytest.param(replace(VECTOR, key_kind="dealer"), id="who made the key"),
        pytest.param(replace(VECTOR, languages=("en-GB",)), id="the languages"),
        pytest.param(replace(VECTOR, uuid="BaLLotLineTest2"), id="the uuid"),
        pytest.param(replace(VECTOR, signing_key=bytes(32)), id="the signing key"),
    ],
)
def test_the_fingerprint_hangs_on_whatever_a_voter_relies_on(changed: Poll) -> None:
    assert fingerprint_of(changed) != FINGERPRINT


def test_a_paper_that_is_there_is_the_paper() -> None:
    """Once the poll is open the bytes are kept: a later rule changes neither them nor the election."""
    opened = replace(VECTOR, paper=paper_of(VECTOR), rule={"en-GB": "Twice.", "cy": "Dwywaith."}, rule_version=2)

    assert (paper_of(opened), election_of(opened)) == (paper_of(VECTOR), election_of(VECTOR))


def test_without_a_key_there_is_no_election() -> None:
    for make in (paper_of, election_of, trustees_of, fingerprint_of):
        with pytest.raises(NoElectionKey):
            make(POLL)
