"""The archive: bytes as Belenios has them, and Belenios's own tool as judge of ours."""

import asyncio
import json
import re
import subprocess
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from belenios_tool import TOOL, accepts, needs_tool, v7_member
from counted_town import CountedTown, archive_members, count_into, events_of, open_town
from counting import close
from prepared import GWEN, OPENS_AT, SECRETS
from soak import SOAK

from voting.ballots.ballot import ballot_digest, write_ballot
from voting.ballots.group import write_point
from voting.count.count import begin
from voting.poll.election import election_of, trustees_of
from voting.store.database import Database
from voting.verify import format as form

WORKERS = 2
BALLOTS = 300 if SOAK else 60


def archive_of(town: CountedTown, folder: Path) -> Path:
    """Name a bundle's archive."""
    return folder / form.archive_name(town.poll.uuid)


async def test_the_archive_has_its_events_in_order_and_one_time(closed: CountedTown, tmp_path: Path) -> None:
    await count_into(closed, tmp_path / "out")
    archive = archive_of(closed, tmp_path / "out")

    members = archive_members(archive)
    events = events_of(members)

    ballots = ["Ballot"] * 12
    kinds = ["Setup", *ballots, "EndBallots", "EncryptedTally", "PartialDecryption", "PartialDecryption", "Result"]
    assert [event["type"] for event in events] == kinds
    assert [event["height"] for event in events] == list(range(len(kinds)))
    assert next(iter(members)) == "BELENIOS"
    seconds = int(OPENS_AT.timestamp())
    assert members["BELENIOS"] == b'{"version":1,"timestamp":"%d"}' % seconds
    time = f"{0:011o}\0".encode()
    rebuilt = b"".join(v7_member(*member) for member in members.items())
    assert len(rebuilt) == len(archive.read_bytes())
    assert rebuilt[:136] == archive.read_bytes()[:136]
    assert time not in archive.read_bytes()[136:148]
    assert archive.read_bytes()[136:148] == f"{seconds:011o}\0".encode()


async def test_the_archive_holds_election_trustees_credentials_and_the_very_ballots(
    closed: CountedTown, tmp_path: Path
) -> None:
    await count_into(closed, tmp_path / "out")
    members = archive_members(archive_of(closed, tmp_path / "out"))
    events = events_of(members)

    def data(digest: str) -> bytes:
        return members[f"{digest}.data.json"]

    setup = json.loads(data(events[0]["payload"]))
    assert data(setup["election"]) == election_of(closed.poll).written
    assert data(setup["trustees"]) == trustees_of(closed.poll).data
    assert json.loads(data(setup["credentials"])) == sorted(
        write_point(closed.credential(letter)) for letter in closed.letters
    )
    first, second = ([closed.ballots[n] for n in numbers] for numbers in (range(1, 8), range(8, 13)))
    in_order = [*sorted(first, key=ballot_digest), *sorted(second, key=ballot_digest)]  # by entry, then by digest
    assert [data(event["payload"]) for event in events[1:13]] == list(map(write_ballot, in_order))
    decryptions = (tmp_path / "out" / "decryptions.jsonl").read_bytes().splitlines()
    for line, event in zip(decryptions, events[-3:-1], strict=True):
        owned = json.loads(data(event["payload"]))
        assert owned["owner"] == json.loads(line)["index"]
        assert json.loads(data(owned["payload"])) == json.loads(line)["decryption"]
    assert data(events[-1]["payload"]) == b'{"result":[[7,5]]}'


def belenios(*words: str) -> "subprocess.CompletedProcess[str]":
    """Ask Belenios's own tool."""
    return subprocess.run([str(TOOL), *words], capture_output=True, text=True, timeout=120, check=False)


def judged(folder: Path) -> str:
    """What `election verify` says of an archive."""
    done = belenios("election", "verify", "--dir", str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@needs_tool
async def test_belenios_accepts_our_archive_and_computes_our_result(closed: CountedTown, tmp_path: Path) -> None:
    await begin(closed.database, tmp_path / "tally", secrets=SECRETS, by=GWEN)
    judged(tmp_path / "tally" / form.ARCHIVES)

    await count_into(closed, tmp_path / "out")

    assert "all checks passed" in judged(tmp_path / "out" / form.ARCHIVES).lower()
    cut = tmp_path / "without-result"
    cut.mkdir()
    members = list(archive_members(archive_of(closed, tmp_path / "out")).items())
    assert members[-2][1] == b'{"result":[[7,5]]}'
    whole = archive_of(closed, tmp_path / "out").read_bytes()
    (cut / f"{closed.poll.uuid}.bel").write_bytes(whole[:-2048])  # the last two members, of two blocks each
    done = belenios("election", "compute-result", "--dir", str(cut))
    assert json.loads(done.stdout) == {"result": [[7, 5]]}, done.stderr


@needs_tool
@pytest.mark.parametrize("votes", [0, 1])
async def test_belenios_accepts_the_archive_of_no_votes_and_of_one(
    database: Database, tmp_path: Path, votes: int
) -> None:
    town = await open_town(database, 2)
    if votes:
        await town.votes(town.letters[:1], 1)
    await close(town)

    await count_into(town, tmp_path / "out", publish_small=True)

    judged(tmp_path / "out" / form.ARCHIVES)


@needs_tool
async def test_belenios_accepts_each_ballot_on_the_archive_cut_where_the_readme_says(
    closed: CountedTown, tmp_path: Path
) -> None:
    await count_into(closed, tmp_path / "out")
    readme = (tmp_path / "out" / "README.txt").read_text()
    found = re.search(r"head -c (\d+) FOLDER/(\S+) > cut/(\S+)", readme)
    assert found is not None
    cut, archive, name = found.groups()
    folder = tmp_path / "cut"
    folder.mkdir()
    (folder / name).write_bytes((tmp_path / "out" / archive).read_bytes()[: int(cut)])
    ballots = [content for content in archive_members(tmp_path / "out" / archive).values() if is_ballot(content)]

    assert len(ballots) == 12
    assert [accepts(folder, ballot) for ballot in ballots] == [True] * 12
    forged = re.sub(
        rb'("response":")(.)', lambda found: found[1] + (b"2" if found[2] == b"1" else b"1"), ballots[0], count=1
    )
    assert not accepts(folder, forged)


@needs_tool
@pytest.mark.soak
@pytest.mark.parametrize("engine_name", ["sqlite"])
async def test_belenios_accepts_each_ballot_of_a_whole_poll(database: Database, tmp_path: Path) -> None:
    town = await open_town(database, BALLOTS)
    await town.votes(town.letters[: BALLOTS // 2 + 20], 0)
    await town.votes(town.letters[BALLOTS // 2 + 20 :], 1)
    await close(town)

    await count_into(town, tmp_path / "out")

    assert "all checks passed" in judged(tmp_path / "out" / form.ARCHIVES).lower()
    archive = archive_of(town, tmp_path / "out")
    cut = re.search(r"head -c (\d+) ", (tmp_path / "out" / "README.txt").read_text())
    assert cut is not None
    folders = [tmp_path / f"cut-{worker}" for worker in range(WORKERS)]
    for folder in folders:
        folder.mkdir()
        (folder / archive.name).write_bytes(archive.read_bytes()[: int(cut[1])])
    ballots = [content for content in archive_members(archive).values() if is_ballot(content)]
    assert len(ballots) == BALLOTS
    parts = [partial(accept_all, folder, ballots[at::WORKERS]) for at, folder in enumerate(folders)]
    assert sum(await asyncio.gather(*map(asyncio.to_thread, parts))) == BALLOTS


def accept_all(folder: Path, ballots: Sequence[bytes]) -> int:
    """Count the ballots that belenios-tool finds good."""
    return sum(accepts(folder, ballot) for ballot in ballots)


def is_ballot(content: bytes) -> bool:
    """What the README's `grep` finds."""
    return b'"credential":' in content


async def test_the_readme_names_every_file_of_the_bundle(closed: CountedTown, tmp_path: Path) -> None:
    out: Any = tmp_path / "out"
    await count_into(closed, out)
    readme = (out / "README.txt").read_text()
    _, _, files = readme.partition("What each file is")

    for path in (path for path in out.rglob("*") if path.is_file() and path.name != "README.txt"):
        assert str(path.relative_to(out)) in files
    assert "second proofs" in readme
    assert max(map(len, readme.splitlines())) <= 120
