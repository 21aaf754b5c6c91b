"""Belenios's own tool on the archives that verify accepts, and on one that it does not see through."""

import subprocess
from pathlib import Path

import pytest
from belenios_tool import TOOL, accepts, needs_tool
from made_bundle import UUID, Made

from voting.verify import format as form
from voting.verify.verify import verify

pytestmark = needs_tool


def tool(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Run the tool on the folder of the archive."""
    arguments = [str(TOOL), "election", command, "--dir", str(folder / form.ARCHIVES)]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    "made", [Made(), Made(kind="ceremony"), Made(votes=(), voters=())], ids=["dealer", "ceremony", "none"]
)
def test_it_accepts_an_archive_with_its_result(tmp_path: Path, made: Made) -> None:
    folder = made.write(tmp_path / "bundle")

    assert verify(folder).ok
    ran = tool(folder, "verify")
    assert (ran.returncode, "all checks passed" in (ran.stdout + ran.stderr).lower()) == (0, True), ran


def test_it_computes_the_same_result(tmp_path: Path) -> None:
    made = Made(edit_members=lambda events: events[:-1])  # until the decryptions
    folder = made.write(tmp_path / "bundle")

    ran = tool(folder, "compute-result")

    assert ran.returncode == 0, ran
    assert ran.stdout.strip() == '{"result":[[6,2]]}'


def test_it_accepts_each_ballot(tmp_path: Path) -> None:
    made = Made(edit_members=lambda events: events[:1])  # until Setup
    folder = made.write(tmp_path / "bundle") / form.ARCHIVES

    assert all(accepts(folder, raw) for _, raw in made.ballots)
    assert not accepts(folder, made.ballots[0][1].replace(b'"challenge":"', b'"challenge":"1', 1))


def test_it_does_not_see_what_the_chain_says(tmp_path: Path) -> None:
    """A bundle whose chain names another ballot: the archive alone is good."""
    made = Made(edit_entries=lambda entries: entries[9]["body"]["ballots"].__setitem__(0, "00" * 32))
    folder = made.write(tmp_path / "bundle")

    assert not verify(folder).ok
    assert tool(folder, "verify").returncode == 0
    assert (folder / form.archive_name(UUID)).exists()
