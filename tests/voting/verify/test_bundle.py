"""A bundle as it should be, and one in which something was changed without the signing key."""

import json
import os
import random
import shutil
import signal
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import pytest
from ended_worker import kill_a_worker
from made_bundle import OPTIONS, UUID, Made
from soak import SOAK
from trustee_town import an_election

from voting.ballots.group import base_times
from voting.verify import format as form
from voting.verify.ballots import Cast, Checker
from voting.verify.cast import Ballots
from voting.verify.report import Figures
from voting.verify.verify import Asked, Report, WorkerEnded, verify

ARCHIVE = form.archive_name(UUID)
EVERYTHING = (*form.listed(form.RESULTED, UUID), form.MANIFEST, form.SIGNATURE)


@pytest.fixture(scope="module")
def made() -> Made:
    return Made()


@pytest.fixture(scope="module")
def original(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made.write(tmp_path_factory.mktemp("made") / "bundle")


@pytest.fixture(scope="module")
def tallied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Made(stage=form.TALLIED).write(tmp_path_factory.mktemp("made") / "bundle")


@pytest.fixture
def bundle(original: Path, tmp_path: Path) -> Path:
    """A copy to play with."""
    return Path(shutil.copytree(original, tmp_path / "bundle"))


def named(report: Report) -> set[str]:
    """The files in which something is wrong."""
    return {problem.file for problem in report.problems}


def test_a_right_bundle_passes_every_check(made: Made, original: Path) -> None:
    report = verify(original)

    assert report.problems == ()
    assert report.ok
    assert len(report.checks) == 18
    assert report.stage == form.RESULTED
    assert report.notes == ()
    assert report.result == json.loads((original / form.RESULT).read_bytes())
    assert report.result is not None
    assert [option["votes"] for option in report.result["questions"][0]["options"]] == [8, 3]
    assert report.result["ballots_by_later_credentials"] == 1
    assert report.figures == Figures(
        "leader-2022", made.fingerprint, 3, 2, 12, 2, 8, 1, len(made.entries), made.entries[-1]["hash"]
    )


def test_a_bundle_without_a_result_is_checked_as_far_as_it_goes(tallied: Path) -> None:
    report = verify(tallied)
    made = Made(stage=form.TALLIED)

    assert report.problems == ()
    assert report.ok
    assert len(report.checks) == 15
    assert report.stage == form.TALLIED
    assert report.result is None
    assert (report.election, report.trustees) == (made.election.written, made.trustees.trustees.data)
    assert json.loads(report.tally)[0][0].keys() == {"alpha", "beta"}


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(Made(votes=(), voters=()), id="no votes"),
        pytest.param(Made(votes=(), voters=(), stage=form.TALLIED), id="no votes yet"),
        pytest.param(Made(votes=(1,), voters=(4,)), id="one vote"),
        pytest.param(Made(votes=(), voters=(), received=0, rejected=0, papers=(0, 0)), id="nothing at all"),
        pytest.param(Made(votes=(0, 0), voters=(3, 2), first=2), id="everybody agreed"),
        pytest.param(Made(kind="ceremony"), id="a key by ceremony"),
        pytest.param(Made(deciders=(2, 3)), id="other trustees"),
        pytest.param(Made(replaced=None, later=(), voters=(1, 2, 3, 4, 5, 6, 7, 8)), id="no pack after the opening"),
        pytest.param(Made(papers=(3, 1), justification="one paper was found later"), id="papers justified"),
        pytest.param(Made(options=("Gwen \N{DRAGON} & Huw", "<b>No</b>")), id="options to be escaped"),
    ],
)
def test_every_honest_poll_passes(made: Made, tmp_path: Path) -> None:
    assert verify(made.write(tmp_path / "bundle")).problems == ()


def test_progress_is_told_ballot_by_ballot(original: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voting.verify.cast.BATCH_BALLOTS", 3)
    told: list[tuple[int, int]] = []

    assert verify(original, progress=lambda done, ballots: told.append((done, ballots))).ok

    assert told == [(3, 8), (6, 8), (8, 8)]


def test_batches_are_small_in_bytes_too(original: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voting.verify.cast.BATCH_BYTES", 3_000)
    told: list[int] = []

    assert verify(original, progress=lambda done, _ballots: told.append(done)).ok

    assert told == [2, 4, 6, 8]


def test_several_workers_find_the_same(original: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voting.verify.checking.ALONE_BALLOTS", 0)
    monkeypatch.setattr("voting.verify.cast.BATCH_BALLOTS", 1)
    monkeypatch.setattr("voting.verify.ballots.BATCHES_WAITING", 1)

    assert verify(original, workers=2) == verify(original, workers=1)
    assert verify(original, workers=2).ok


@pytest.mark.parametrize("when", ["before the first batch", "after it"])
def test_a_worker_ended_from_outside_ends_the_check_and_blames_nobody(
    original: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    monkeypatch.setattr("voting.verify.checking.ALONE_BALLOTS", 0)
    monkeypatch.setattr("voting.verify.cast.BATCH_BALLOTS", 1)
    monkeypatch.setattr("voting.verify.ballots.BATCHES_WAITING", 1)
    take, told = Ballots.take, []

    def take_and_kill(*given: Any, checker: Checker, progress: Any, **named: Any) -> str:
        def once(done: int, _ballots: int) -> None:
            told.append(done)
            if len(told) == 1:
                kill_a_worker(checker)

        assert progress is None
        if when.startswith("before"):
            once(0, 8)
        return take(*given, checker=checker, progress=once, **named)

    monkeypatch.setattr(Ballots, "take", take_and_kill)
    with pytest.raises(WorkerEnded, match="ended from outside; nothing is known of the bundle"):
        verify(original, workers=2)
    assert told[-1] < 8


def test_a_worker_begun_while_the_pool_breaks_finds_its_pipes_closed_and_blames_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checker = Checker(an_election(base_times(1)), workers=2)
    answers = iter([OSError("handle is closed"), BrokenProcessPool("a process was terminated abruptly")])

    def submit(*_: object) -> None:
        raise next(answers)

    monkeypatch.setattr(checker._pool, "submit", submit)
    with checker, pytest.raises(WorkerEnded):
        list(checker.check([[Cast(b"", "", "", 0, 0)]]))

    assert list(answers) == []


def test_a_worker_that_begins_while_another_is_ended_is_ended_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pool may miss it, and waits for it; it waits for what the other held. Both would wait for ever."""
    checker = Checker(an_election(base_times(1)), workers=2)
    pool: Any = checker._pool
    pool._call_queue._rlock.acquire()  # as one holds it that was ended while it waited for work
    monkeypatch.setattr(SpawnProcess, "terminate", lambda _process: None)

    def batches() -> Iterator[list[Cast]]:
        yield [Cast(b"", "", "", 0, 0)]
        yield [Cast(b"", "", "", 0, 0)]
        checker._spawning.made[0].kill()

    with checker, pytest.raises(WorkerEnded):
        list(checker.check(batches()))

    assert [process.exitcode for process in checker._spawning.made] == [-signal.SIGKILL] * 2


def test_as_many_workers_as_there_are_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    from voting.verify.ballots import cores

    assert cores() == len(os.sched_getaffinity(0))
    monkeypatch.delattr(os, "sched_getaffinity")
    assert cores() == os.cpu_count()


@pytest.mark.soak
@pytest.mark.parametrize("name", EVERYTHING)
def test_one_changed_byte_is_named_by_file_and_line(bundle: Path, name: str) -> None:
    """Wherever a byte is flipped, put in or taken out: by line, in the archive by member and byte.

    At both ends each way is tried; within, only the long runs try each way at each place.
    """
    content = (bundle / name).read_bytes()
    pick = random.Random(name)
    ends = {0, len(content) - 1, len(content) - 2}
    places = ends | {pick.randrange(len(content)) for _ in range(9)}
    for nth, place in enumerate(sorted(places)):
        line = content[:place].count(b"\n") + 1
        changes = {
            "flipped": content[:place] + bytes([content[place] ^ (1 << pick.randrange(8))]) + content[place + 1 :],
            "taken out": content[:place] + content[place + 1 :],
            "put in": content[:place] + bytes([pick.randrange(256)]) + content[place:],
            "line feed put in": content[:place] + b"\n" + content[place:],
        }
        ways = list(changes) if SOAK or place in ends else [list(changes)[nth % len(changes)]]
        for how in ways:
            if (changed := changes[how]) == content:
                continue
            (bundle / name).write_bytes(changed)
            report = verify(bundle)
            assert not report.ok, (how, place)
            assert named(report) == {name}, (how, place, report.problems)
            if name == ARCHIVE:
                _insist_on_member(report, content, place, changed)
            elif name != form.PAPER:  # one line without a line feed
                # A line feed put in before a line, or into a row of equal ones, may show one line later.
                assert {one.line for one in report.problems} <= {line, line + 1}, (how, place, report.problems)


def _insist_on_member(report: Report, content: bytes, place: int, changed: bytes) -> None:
    """The named byte is in the member that was changed, or where the next begins."""
    (problem,) = report.problems
    assert problem.member is not None
    assert problem.byte is not None
    starts, start = [], 0
    while start < len(content):
        starts.append(start)
        start += 512 + -(-int(content[start + 124 : start + 135], 8) // 512) * 512
    first = max(at for at in starts if at <= place)
    after = min((at for at in starts if at > place), default=len(content))
    assert first <= problem.byte <= after + 512, (place, len(changed), problem)


def test_the_very_byte_of_a_header_is_named(bundle: Path) -> None:
    content = bytearray((bundle / ARCHIVE).read_bytes())
    content[512 * 2 + 110] ^= 1  # the second member's owner
    (bundle / ARCHIVE).write_bytes(bytes(content))

    (problem,) = verify(bundle).problems

    assert (problem.file, problem.line, problem.member, problem.byte) == (ARCHIVE, None, "member 2", 512 * 2 + 110)
    assert str(problem) == f"{ARCHIVE}, member 2, byte 1134: has another header than it must have"


@pytest.mark.parametrize("name", EVERYTHING)
def test_a_missing_file_is_named(bundle: Path, name: str) -> None:
    (bundle / name).unlink()

    report = verify(bundle)

    assert [(one.file, one.line, one.what) for one in report.problems[:1]] == [(name, None, "is missing")]


def test_a_file_that_is_no_part_of_it_is_named(bundle: Path) -> None:
    (bundle / "result-2.html").write_text("Somebody else won")
    (bundle / form.ARCHIVES / "other.bel").write_text("Somebody else won")
    (bundle / ".DS_Store").write_text("a file manager's")

    assert [(problem.file, problem.what) for problem in verify(bundle).problems] == [
        ("belenios/other.bel", "is not part of the bundle"),
        ("result-2.html", "is not part of the bundle"),
    ]


def test_a_name_never_controls_the_terminal(bundle: Path) -> None:
    (bundle / "\x1b[31mresult\u202e.html").write_text("red")
    for number in range(30):
        (bundle / f"z{number}").write_text("more")

    problems = verify(bundle).problems

    assert problems[0].file == "?[31mresult?.html"
    assert len(problems) == 10


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    report = verify(tmp_path / "nowhere")

    assert not report.ok
    assert report.checks == ()
    assert report.problems[0].what == "there is no such folder"


def test_an_empty_folder_has_no_uuid(tmp_path: Path) -> None:
    assert named(verify(tmp_path)) == {form.POLL}


def test_a_folder_that_cannot_be_listed_is_said(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)

    assert [one.what for one in verify(bundle).problems] == ["cannot be listed (Permission denied)"]


def test_what_could_be_read_for_ever_is_not_opened(bundle: Path) -> None:
    (bundle / form.CREDENTIALS).unlink()
    os.mkfifo(bundle / form.CREDENTIALS)

    assert (form.CREDENTIALS, "is not a file") in {(one.file, one.what) for one in verify(bundle).problems}


def test_a_file_that_may_not_be_read_is_named(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Path.open

    def refuse(path: Path, *arguments: str) -> object:
        if path.name == form.POSTAL:
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments)

    monkeypatch.setattr(Path, "open", refuse)

    assert verify(bundle).problems[0].what == "cannot be read (Permission denied)"


@pytest.mark.parametrize("name", [form.MANIFEST, form.POLL, form.PAPER])
def test_a_small_file_of_great_length_is_not_read_whole(bundle: Path, name: str) -> None:
    with (bundle / name).open("ab") as file:
        file.truncate(form.SMALL_BYTES_MAX + 1)

    assert name in named(verify(bundle))


def test_two_changed_files_are_both_named(bundle: Path) -> None:
    for name in (form.CREDENTIALS, form.POSTAL):
        lines = (bundle / name).read_bytes().splitlines(keepends=True)
        lines[4] = lines[4].replace(lines[4][:2], b"zz")
        (bundle / name).write_bytes(b"".join(lines))

    problems = verify(bundle).problems

    assert [(problem.file, problem.line) for problem in problems] == [(form.CREDENTIALS, 5), (form.POSTAL, 5)]


def test_what_rests_on_a_changed_file_is_not_tried(bundle: Path) -> None:
    (bundle / form.CREDENTIALS).write_bytes((bundle / form.CREDENTIALS).read_bytes()[:-1])

    report = verify(bundle)
    checks = {check.name: check for check in report.checks}

    assert checks["The chain's heads are signed"].ok
    assert checks["The page is the one that follows from the result"].detail == "not tried, because of credentials.txt"
    assert report.result is None


def test_lines_and_another_file_changed_together_are_both_named(bundle: Path) -> None:
    for name in (form.LINES, form.POSTAL):
        (bundle / name).write_bytes((bundle / name).read_bytes() + b"\n")

    report = verify(bundle)

    assert named(report) == {form.LINES, form.POSTAL}
    assert (form.POSTAL, None) in {(problem.file, problem.line) for problem in report.problems}


def test_two_bundles_mixed_are_told_apart(bundle: Path, tmp_path: Path) -> None:
    """Each file is signed somewhere, but not here."""
    other = Made(votes=(1, 1, 1, 1, 1, 1, 1, 1)).write(tmp_path / "other")
    for name in (ARCHIVE, form.RESULT):
        shutil.copy(other / name, bundle / name)

    assert named(verify(bundle)) == {ARCHIVE, form.RESULT}


def test_a_whole_archive_exchanged_is_named_though_it_is_whole(bundle: Path, tmp_path: Path) -> None:
    shutil.copy(Made(votes=(1,) * 8).write(tmp_path / "other") / ARCHIVE, bundle / ARCHIVE)

    assert [(one.file, one.what) for one in verify(bundle).problems] == [(ARCHIVE, "was changed")]


@pytest.mark.parametrize("write", [str, str.lower, lambda key: key.replace("-", " "), lambda key: key.replace("-", "")])
def test_the_fingerprint_that_was_published_is_known_however_it_is_written(
    original: Path, made: Made, write: Callable[[str], str]
) -> None:
    assert verify(original, asked=Asked(key=write(made.fingerprint))).ok


@pytest.mark.parametrize(("key", "what"), [("2222-2222-2222-2222", "is not this election's"), ("0", "cannot be read")])
def test_another_fingerprint_is_no_pass(original: Path, key: str, what: str) -> None:
    """A bundle made up as a whole agrees with itself."""
    report = verify(original, asked=Asked(key=key))

    assert [problem.file for problem in report.problems] == ["the fingerprint"]
    assert what in report.problems[0].what


def test_a_bundle_made_up_whole_has_another_fingerprint(made: Made, tmp_path: Path) -> None:
    """All of it by somebody with a signing key of their own: only what was published before tells."""
    from nacl.signing import SigningKey

    other = Made(key=SigningKey(bytes(32))).write(tmp_path / "other")

    assert verify(other).ok
    assert not verify(other, asked=Asked(key=made.fingerprint)).ok


def test_another_poll_is_no_pass(original: Path) -> None:
    assert verify(original, asked=Asked(poll="leader-2022")).ok
    assert [one.what for one in verify(original, asked=Asked(poll="leader-2020")).problems] == [
        "is the poll 'leader-2022', not 'leader-2020'"
    ]


def test_nothing_is_shown_that_controls_a_terminal(tmp_path: Path) -> None:
    made = Made(options=("North\u202e", "South"))
    report = verify(made.write(tmp_path / "bundle"))

    assert report.ok
    assert "North? 8, South 3" in {check.detail for check in report.checks}
    assert OPTIONS == ("North", "South")
