"""What somebody else's verifier says of our trustees, decryptions and result."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from belenios_tool import TOOL, needs_tool
from false_decryption import Cheat
from trustee_town import Archive, Town, a_vote, add_decryptions, an_election, archive_until_tally, dealt, tallied

from voting.ballots.ballot import Ballot
from voting.ballots.combination import Combined, combine
from voting.ballots.decryption import read_decryption
from voting.ballots.election import Election
from voting.ballots.group import random_scalar
from voting.ballots.tally import Tally, read_tally
from voting.ballots.trustees import Trustees
from voting.ballots.written import File
from voting.trustees.dealer import deal_all
from voting.trustees.decrypt import make_decryption
from voting.trustees.shares import Share, read_share

pytestmark = needs_tool


def tool(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of `belenios-tool election` on the archive in this folder."""
    return subprocess.run(
        [str(TOOL), "election", command, "--dir", str(folder)], capture_output=True, text=True, timeout=60, check=False
    )


class Count:
    """An election from its trustees to its result, as files of ours."""

    def __init__(self, trustees: Trustees, options: Sequence[int]) -> None:
        self.trustees = trustees
        self.election: Election = an_election(trustees.election_key)
        self.ballots: list[Ballot] = [a_vote(self.election, random_scalar(), option) for option in options]
        self.tally: Tally = read_tally(File("tally", tallied(self.election, self.ballots)), self.election)

    def combined(self, shares: Sequence[Share]) -> Combined:
        """Decrypt with these shares and combine."""
        files = [File(share.name, make_decryption(share, self.election, self.tally)) for share in shares]
        size = len(self.ballots)
        return combine(files, election=self.election, trustees=self.trustees, tally=self.tally, ballots=size)

    def archive(self, combined: Combined) -> Archive:
        """The archive with the decryptions that were used, without the result."""
        archive = archive_until_tally(self.election, self.trustees.data, self.ballots)
        return add_decryptions(archive, [(one.index, one.published) for one in combined.used])


def finished(archive: Archive, result: bytes) -> Archive:
    archive.event("Result", archive.data(result))
    return archive


def judged(folder: Path, count: Count, shares: Sequence[Share]) -> None:
    """belenios-tool computes our result, and finds the whole archive good with it."""
    combined = count.combined(shares)
    archive = count.archive(combined)
    archive.write(folder, count.election.uuid)
    computed = tool(folder, "compute-result")
    assert computed.returncode == 0, computed.stderr
    assert json.loads(computed.stdout) == json.loads(combined.dumps())

    finished(archive, combined.dumps()).write(folder, count.election.uuid)
    verified = tool(folder, "verify")
    assert verified.returncode == 0, verified.stderr


@pytest.mark.parametrize(("threshold", "of"), [(1, 1), (1, 2), (2, 2), (2, 3), (3, 3), (3, 5)])
def test_it_computes_our_result_with_a_dealers_trustees(tmp_path: Path, threshold: int, of: int) -> None:
    key = deal_all(of, threshold)

    judged(tmp_path / "a", Count(key.trustees, [0, 1, 1, 0, 1]), key.shares[-threshold:])


def test_it_computes_our_result_with_the_trustees_of_a_ceremony(tmp_path: Path) -> None:
    town = Town(tmp_path / "town").begin().deal().finish()
    shares = [read_share(path) for path in town.shares]
    count = Count(town.assembled().trustees, [0, 1, 1, 0, 1])

    judged(tmp_path / "one", count, [shares[0], shares[2]])
    judged(tmp_path / "two", count, [shares[2], shares[1]])


def test_it_counts_no_ballots_at_all_as_we_do(tmp_path: Path) -> None:
    judged(tmp_path, Count(dealt().trustees, []), dealt().shares[:2])


def test_it_refuses_a_false_factor_as_we_do(tmp_path: Path) -> None:
    key = dealt()
    count = Count(key.trustees, [0, 1, 1])
    combined = count.combined(key.shares[:2])
    one, other = (found.published for found in combined.used)
    wrong = json.loads(one)
    wrong["decryption_factors"][0].reverse()
    archive = archive_until_tally(count.election, key.trustees.data, count.ballots)
    false = json.dumps(wrong, separators=(",", ":")).encode()
    finished(add_decryptions(archive, [(1, false), (2, other)]), combined.dumps()).write(tmp_path, count.election.uuid)

    assert tool(tmp_path, "verify").returncode != 0


def test_it_accepts_the_false_decryption_that_we_refuse(tmp_path: Path) -> None:
    """BALLOTS.md 7.1: 6:2 becomes 1:7, and all its checks pass. This is why our files carry a second proof."""
    key = dealt()
    count = Count(key.trustees, [])
    cheat = Cheat(key.shares[0], key.trustees, count.election, partners=(1, 2), shift=(-5, 5))
    count.ballots = cheat.ballots([0, 0, 0, 0, 0, 0, 1, 1])
    count.tally = read_tally(File("tally", tallied(count.election, count.ballots)), count.election)
    honest = File("2.json", make_decryption(key.shares[1], count.election, count.tally))
    accomplice = read_decryption(honest, count.election, count.tally, key.trustees)
    published = json.loads(cheat.decryption(count.tally))["decryption"]
    false = json.dumps(published, separators=(",", ":")).encode()
    archive = archive_until_tally(count.election, key.trustees.data, count.ballots)
    add_decryptions(archive, [(1, false), (2, accomplice.published)])

    finished(archive, b'{"result":[[1,7]]}').write(tmp_path, count.election.uuid)

    assert tool(tmp_path, "verify").returncode == 0
