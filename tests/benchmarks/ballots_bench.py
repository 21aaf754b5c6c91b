"""Ballots: seal, sign, check and read, beside belenios-tool's check of the same; one core, processor time."""

import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.parts.belenios_tool import TOOL, accepts, set_up
from voting.ballots.ballot import Ballot, read_ballot, sign, write_ballot
from voting.ballots.check import check
from voting.ballots.credential import derive_secret, public_credential
from voting.ballots.election import Election, Question, draw_uuid, make_election
from voting.ballots.group import base_times, random_scalar
from voting.ballots.packed import pack, unpack
from voting.ballots.seal import draw_randomness, seal

FEW, MANY = 1, 20  # questions; the difference leaves out what starting the tool costs
RUNS = 5


def main() -> None:
    """Print milliseconds of processor time for one two-option question."""
    trustee, secret = random_scalar(), random_scalar()
    few, many = (_election(count, trustee) for count in (FEW, MANY))
    ballots = {count: _ballot(el, secret) for count, el in ((FEW, few), (MANY, many))}
    ours = _per_question(lambda: check(ballots[FEW], few), lambda: check(ballots[MANY], many))
    written, packed = write_ballot(ballots[FEW]), pack(ballots[FEW])
    _print("seal and sign", _best(lambda: _ballot(few, secret)))
    _print("check a whole ballot", _best(lambda: check(ballots[FEW], few)))
    _print("read its JSON", _best(lambda: read_ballot(written)))
    _print("unpack it", _best(lambda: unpack(packed, few)))
    _print("derive a credential", _best(lambda: derive_secret("ABCDEFGHJ", "ABCDEFGHJKMN", few.uuid)))
    _print("check, per further question", ours)
    if TOOL is None:
        print("belenios-tool is not there: nothing to compare with")
        return
    theirs = _tool_per_question(((few, ballots[FEW]), (many, ballots[MANY])), trustee, secret)
    _print("belenios-tool, per further question", theirs)
    print(f"{'times as fast':40} {theirs / ours:7.2f}")


def _election(questions: int, trustee: int) -> Election:
    question = Question("Who leads?", ("North", "South"), 1, 1)
    key, uuid = base_times(trustee), draw_uuid()
    return make_election(uuid=uuid, name="Bench", description="Bench", key=key, questions=[question] * questions)


def _ballot(election: Election, secret: int) -> Ballot:
    choices = [[0, 1]] * len(election.questions)
    sealed = seal(election, public_credential(secret), choices, draw_randomness(election))
    return sign(sealed, secret, random_scalar())


def _per_question(few: Callable[[], object], many: Callable[[], object]) -> float:
    return (_best(many) - _best(few)) / (MANY - FEW)


def _best(act: Callable[[], object]) -> float:
    def once() -> float:
        began = time.process_time()
        for _ in range(RUNS):
            act()
        return (time.process_time() - began) / RUNS

    return min(once() for _ in range(RUNS))


def _tool_per_question(pairs: tuple[tuple[Election, Ballot], ...], trustee: int, secret: int) -> float:
    few, many = (_tool_seconds(*pair, trustee, secret) for pair in pairs)
    return (many - few) / (MANY - FEW)


def _tool_seconds(election: Election, ballot: Ballot, trustee: int, secret: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        set_up(Path(folder), election, trustee, [public_credential(secret)])
        return min(_child_seconds(lambda: accepts(Path(folder), write_ballot(ballot))) for _ in range(2 * RUNS))


def _child_seconds(act: Callable[[], bool]) -> float:
    began = resource.getrusage(resource.RUSAGE_CHILDREN)
    if not act():
        raise subprocess.SubprocessError("belenios-tool refused a good ballot")
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime


def _print(what: str, seconds: float) -> None:
    print(f"{what:40} {seconds * 1_000:7.3f} ms")


if __name__ == "__main__":
    main()
