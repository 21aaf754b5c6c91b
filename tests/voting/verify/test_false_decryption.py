"""The attack of BALLOTS.md 7.1 as a whole bundle: a trustee and the last voter prove a false result to Belenios's tool.

The operator signs whatever they like; only the second proof of the decryption stands in the way.
"""

import functools
import subprocess
from pathlib import Path

from belenios_tool import TOOL, needs_tool
from false_decryption import Cheat
from made_bundle import Made, decryption_of, secret_of, vote_of
from trustee_town import a_vote

from voting.ballots.ballot import Ballot
from voting.ballots.group import product
from voting.ballots.seal import draw_randomness
from voting.ballots.tally import read_tally
from voting.ballots.written import File
from voting.verify import format as form
from voting.verify.verify import verify

SHIFT = (-5, 5)  # 6:2 becomes 1:7


class Cheated(Made):
    """Trustee 1 moves every sum; the last voter is an accomplice."""

    @functools.cached_property
    def cheat(self) -> Cheat:
        """The trustee."""
        trustees = self.trustees
        return Cheat(trustees.shares[0], trustees.trustees, self.election, partners=(1, 3), shift=SHIFT)

    @functools.cached_property
    def made(self) -> list[Ballot]:
        """Seven honest ballots, and one whose randomness fits proofs that were made before."""
        pairs = list(zip(self.voters, self.votes, strict=True))
        honest = [vote_of(self.election, pack, vote) for pack, vote in pairs[:-1]]
        draws = draw_randomness(self.election)
        for place, move in enumerate(self.cheat.moves):
            alphas = (ballot.answers[0].choices[place].alpha for ballot in honest)
            draws[place] = self.cheat._fit(product(alphas), move)
        pack, vote = pairs[-1]
        return [*honest, a_vote(self.election, secret_of(pack), vote, draws)]

    @functools.cached_property
    def decryptions(self) -> list[bytes]:
        """The false one, and an honest one."""
        tally = read_tally(File("tally", self.tally), self.election)
        assert self.cheat.first_proofs_hold(tally)
        return [self.cheat.decryption(tally), decryption_of(self.election, tally, 3)]

    @functools.cached_property
    def result(self) -> list[int]:
        """What they prove."""
        return [6 + SHIFT[0], 2 + SHIFT[1]]


def test_a_trustee_and_the_last_voter_cannot_prove_a_false_result(tmp_path: Path) -> None:
    problems = verify(Cheated().write(tmp_path / "bundle")).problems

    assert [problem.file for problem in problems] == [form.DECRYPTIONS]
    assert "is a false decryption of trustee 1: second_proofs[0][0] does not prove" in problems[0].what


@needs_tool
def test_belenios_tool_alone_would_believe_it(tmp_path: Path) -> None:
    folder = Cheated().write(tmp_path / "bundle")
    command = [str(TOOL), "election", "verify", "--dir", str(folder / form.ARCHIVES)]

    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert ran.returncode == 0, ran
