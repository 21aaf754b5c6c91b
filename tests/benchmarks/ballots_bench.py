"""Ballots: seal, sign, check and read, beside Helios's figures and belenios-tool's check of the same; one core."""

import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from belenios_tool import TOOL, accepts, set_up

from voting.ballots.ballot import Ballot, read_ballot, sign, write_ballot
from voting.ballots.check import check
from voting.ballots.credential import derive_secret, public_credential
from voting.ballots.election import Election, Question, draw_uuid, make_election
from voting.ballots.group import base_times, random_scalar
from voting.ballots.packed import pack, unpack
from voting.ballots.seal import draw_randomness, seal

FEW, MANY = 1, 20  # questions, as few and as many as we allow; the difference leaves out the tool's start
RUNS, ROUNDS = 20, 5

# Helios, one two-option question, 2048 bits, in Python, measured on a machine of this kind: make a ballot, check its
# proofs. (The same run stored 14.4 votes a second: cast, verify, store.)
HELIOS_MAKES: Final = 0.0575
HELIOS_CHECKS: Final = 0.0604


@dataclass(frozen=True, slots=True)
class Paper:
    """An election of two-option questions, and a ballot in it."""

    election: Election
    ballot: Ballot

    @classmethod
    def make(cls, questions: int, trustee: int, secret: int) -> "Paper":
        """Make both."""
        question = Question("Who leads?", ("North", "South"), 1, 1)
        key, uuid = base_times(trustee), draw_uuid()
        election = make_election(
            uuid=uuid, name="Bench", description="Bench", key=key, questions=[question] * questions
        )
        return cls(election, vote(election, secret))


def vote(election: Election, secret: int) -> Ballot:
    """Seal and sign a ballot."""
    choices = [[0, 1]] * len(election.questions)
    return sign(seal(election, public_credential(secret), choices, draw_randomness(election)), secret, random_scalar())


async def ballots(_folder: Path, shrink: int) -> None:
    """Milliseconds of one core's time per ballot of one two-option question."""
    trustee, secret, runs = random_scalar(), random_scalar(), max(RUNS // shrink, 2)
    one, few, many = (Paper.make(questions, trustee, secret) for questions in (1, FEW, MANY))
    written, packed = write_ballot(one.ballot), pack(one.ballot)
    print("\nmilliseconds of one core per ballot of one two-option question, least of several rounds")
    seconds = least(lambda: vote(one.election, secret), runs)
    line("seal and sign", seconds, "Helios", HELIOS_MAKES)
    line("check a whole ballot", least(lambda: check(one.ballot, one.election), runs), "Helios", HELIOS_CHECKS)
    line("read its JSON", least(lambda: read_ballot(written), runs))
    line("unpack it", least(lambda: unpack(packed, one.election), runs))
    line("derive a credential", least(lambda: derive_secret("ABCDEFGHJ", "ABCDEFGHJKMN", one.election.uuid), runs))
    print(f"the check alone, from ballots of {FEW} and {MANY} questions: the difference, per question")
    if TOOL is None:
        print("  belenios-tool is not there: nothing to compare with")
        return
    figures = [further_question(few, many, trustee, secret) for _ in range(ROUNDS)]
    line("check, per question", min(ours for ours, _ in figures), "belenios-tool", min(theirs for _, theirs in figures))


def further_question(few: Paper, many: Paper, trustee: int, secret: int) -> tuple[float, float]:
    """Give the seconds that a further question takes us and belenios-tool, one after the other."""
    ours = least(lambda: check(many.ballot, many.election), 1) - least(lambda: check(few.ballot, few.election), 1)
    theirs = tool_seconds(many, trustee, secret) - tool_seconds(few, trustee, secret)
    return ours / (MANY - FEW), theirs / (MANY - FEW)


def least(act: Callable[[], object], runs: int) -> float:
    """Give the processor seconds of one run, in the best of some rounds."""

    def once() -> float:
        began = time.process_time()
        for _ in range(runs):
            act()
        return (time.process_time() - began) / runs

    return min(once() for _ in range(ROUNDS))


def tool_seconds(paper: Paper, trustee: int, secret: int) -> float:
    """Give the processor seconds in which belenios-tool reads the archive and checks the ballot."""
    with tempfile.TemporaryDirectory() as folder:
        set_up(Path(folder), paper.election, trustee, [public_credential(secret)])
        return min(child_seconds(Path(folder), paper.ballot) for _ in range(ROUNDS))


def child_seconds(folder: Path, ballot: Ballot) -> float:
    """Give the processor seconds of one call of belenios-tool."""
    began = resource.getrusage(resource.RUSAGE_CHILDREN)
    if not accepts(folder, write_ballot(ballot)):
        raise subprocess.SubprocessError("belenios-tool refused a good ballot")
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime


def line(what: str, seconds: float, peer: str = "", peer_seconds: float = 0.0) -> None:
    """Print one line, with the peer's figure and how many times as fast we are."""
    beside = f"  {peer:>13} {peer_seconds * 1_000:7.2f} ms {peer_seconds / seconds:7.2f} times as fast" if peer else ""
    print(f"{what:>24} {seconds * 1_000:7.2f} ms{beside}")
