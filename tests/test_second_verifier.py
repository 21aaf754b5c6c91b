"""docs/ballots.md is enough: a verifier written from it, on nothing of ours, takes our bundles and sees faults."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import stranger
import stranger_group
from counted_town import CountedTown, open_town, replace_pack
from counting import close, counted, take_count, take_papers
from prepared import GWEN, SECRETS
from stranger import Refused
from trustee_town import vector_data, vector_payload

from voting.count.count import begin
from voting.poll.election import election_of, fingerprint_of
from voting.store.database import Database

FILES = (
    "chain.jsonl",
    "heads.jsonl",
    "credentials.txt",
    "postal.json",
    "decryptions.jsonl",
    "result.json",
    "poll.json",
)


@pytest.fixture
def engine_name() -> str:
    """The bundle is the same from both engines, which others test."""
    return "sqlite"


@pytest.fixture
async def town(database: Database, tmp_path: Path) -> CountedTown:
    """Eight online, one of them by a letter that was replaced after the opening; two by post."""
    town = await open_town(database, 12)
    await town.votes(town.letters[:4], 0)
    town.letters.append(await replace_pack(town, town.letters[11]))
    await town.votes([*town.letters[4:7], town.letters[12]], 1)
    await take_papers(town, tmp_path, town.letters[7:9])
    await close(town)
    await take_count(town, tmp_path, [0, 2])
    return town


async def test_a_stranger_verifies_our_bundles_from_the_specification_alone(town: CountedTown, tmp_path: Path) -> None:
    await begin(town.database, tmp_path / "tally", secrets=SECRETS, by=GWEN, publish_small=True)
    bundle = await counted(town, tmp_path)
    fingerprint = fingerprint_of(town.poll)

    assert stranger.verify(tmp_path / "tally", fingerprint)["ballots"] == 8
    result = stranger.verify(bundle, fingerprint)

    assert [(one["online"], one["post"]) for one in result["questions"][0]["options"]] == [(4, 0), (4, 2)]
    assert result["ballots_by_later_credentials"] == 1
    with pytest.raises(Refused, match="fingerprint"):
        stranger.verify(bundle, "2222-2222-2222-2222")
    for name in FILES:  # and it is a verifier: any byte counts
        shutil.copytree(bundle, tmp_path / name)
        content = (bundle / name).read_bytes()
        (tmp_path / name / name).write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
        with pytest.raises((Refused, ValueError, KeyError)):
            stranger.verify(tmp_path / name, fingerprint)


def _one_more(proof: dict[str, str]) -> None:
    proof["response"] = str((int(proof["response"]) + 1) % stranger_group.Q)


FAULTS: dict[str, Callable[[dict[str, Any]], None]] = {
    "the answer's proof": lambda ballot: _one_more(ballot["answers"][0]["individual_proofs"][0][1]),
    "the sum's proof": lambda ballot: _one_more(ballot["answers"][0]["overall_proof"][0]),
    "the signature": lambda ballot: _one_more(ballot["signature"]["proof"]),
    "answers that changed places": lambda ballot: ballot["answers"][0]["choices"].reverse(),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_stranger_refuses_a_ballot_with_a_fault(fault: str) -> None:
    """Belenios's own ballot, with a question that allows blank, holds; and not with this fault."""
    election = election_of_the_vectors()
    ballot = vector_payload("Ballot")
    y = stranger_group.read(election["public_key"])
    election_hash = ballot["election_hash"]
    stranger._ballot(ballot, election, election_hash, y)

    FAULTS[fault](ballot)

    with pytest.raises(Refused):
        stranger._ballot(ballot, election, election_hash, y)


def election_of_the_vectors() -> dict[str, Any]:
    return dict(json.loads(vector_data(vector_payload("Setup")["election"])))


async def test_the_election_of_a_stranger_is_ours(town: CountedTown) -> None:
    """The hash of election.json, base64 without padding."""
    election = election_of(town.poll)

    assert stranger.b64(election.written) == election.hash
