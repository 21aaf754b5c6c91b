"""Shares of dealer and ceremony: the same kind of file, tried against what is published, good for one election."""

import fcntl
import json
import os
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from trustee_town import SIGNING_KEY, Town, an_election, changed, compact, dealt

from voting.ballots.agreement import check_yes
from voting.ballots.election import Election
from voting.ballots.group import ORDER
from voting.ballots.trustee_refusals import FileDamaged, FileForeign
from voting.ballots.trustees import read_trustees
from voting.ballots.written import File
from voting.trustees.agreement import agree
from voting.trustees.dealer import deal_all, write_dealt
from voting.trustees.disk import read_file, write_once
from voting.trustees.memory import remember
from voting.trustees.refusals import BadThreshold, FileTaken, ShareForeign, ShareServesAnother
from voting.trustees.secret_file import make_secret, read_secret
from voting.trustees.shares import Share, read_share, try_election, try_share, write_share


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_dealt(tmp_path, dealt())
    return tmp_path


def share_one(home: Path) -> Path:
    return home / "share-1-of-3.json"


# ---- the files


def test_a_dealer_writes_the_files_that_a_ceremony_writes(tmp_path: Path) -> None:
    town = Town(tmp_path / "town").begin().deal().finish()
    (tmp_path / "dealer").mkdir()
    paths = write_dealt(tmp_path / "dealer", deal_all(3, 2))

    assert [path.name for path in paths[:3]] == [path.name for path in town.shares]
    assert list(json.loads(paths[0].read_bytes())) == list(json.loads(town.shares[0].read_bytes()))
    assert paths[3].name == "trustees.json"
    assert read_trustees(read_file(paths[3])).threshold == 2


def test_a_dealers_shares_fit_and_are_secret(home: Path) -> None:
    trustees = read_trustees(read_file(home / "trustees.json"))

    for index in (1, 2, 3):
        path = home / f"share-{index}-of-3.json"
        try_share(read_share(path), trustees)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert repr(dealt()).count("<share") == 3
    assert str(dealt().shares[0].secret) not in repr(dealt())


@pytest.mark.parametrize(("of", "threshold"), [(0, 0), (3, 0), (3, 4), (17, 1)], ids=str)
def test_a_dealer_refuses_numbers_that_cannot_be(of: int, threshold: int) -> None:
    with pytest.raises(BadThreshold):
        deal_all(of, threshold)


def test_a_share_of_another_key_does_not_fit(home: Path) -> None:
    other = deal_all(3, 2)
    share = read_share(share_one(home))

    with pytest.raises(ShareForeign, match=r"share 1 of 3 is a share of another key\."):
        try_share(share, other.trustees)
    with pytest.raises(ShareForeign):
        try_election(share, an_election(other.trustees.election_key))
    try_election(share, an_election(dealt().trustees.election_key))


@pytest.mark.parametrize("change", [{"of": 2}, {"threshold": 3}, {"index": 2}, {"secret": 5}], ids=str)
def test_a_share_that_says_something_else_than_what_is_published_does_not_fit(change: dict[str, int]) -> None:
    share = dealt().shares[0]
    other = Share(**({name: getattr(share, name) for name in Share.__slots__} | change))

    with pytest.raises(ShareForeign):
        try_share(other, dealt().trustees)


def test_a_share_with_no_secret_is_damaged(tmp_path: Path) -> None:
    path = write_share(tmp_path, replace(dealt().shares[0], secret=0))

    with pytest.raises(FileDamaged, match=r"share-1-of-3\.json is damaged: digest"):
        read_share(path)


def test_a_share_is_never_written_over(home: Path) -> None:
    with pytest.raises(FileTaken, match=r"share-1-of-3\.json is already there and holds something else"):
        write_share(home, replace(dealt().shares[0], secret=5))


def test_a_secret_file_with_other_coefficients_is_damaged(tmp_path: Path) -> None:
    secret = make_secret(1, 1, 1)
    path = tmp_path / "secret.json"
    path.write_bytes(secret.dumps().replace(b'"polynomial":["', b'"polynomial":["1'))

    with pytest.raises(FileDamaged):
        read_secret(path)
    path.write_bytes(compact({"format": "ballotline trustee secret 1"}))
    with pytest.raises(FileDamaged, match="it must have the fields format, signing_key"):
        read_secret(path)


def test_a_secret_file_with_a_false_digest_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "secret.json"
    data = make_secret(1, 1, 1).dumps()
    path.write_bytes(data[:-66] + b"0" * 64 + data[-2:])

    with pytest.raises(FileDamaged, match="digest is not as the rules have it: it is not that of the file"):
        read_secret(path)


# ---- the disk


def test_a_crash_while_writing_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pulled(_descriptor: int) -> None:
        raise OSError("the stick was pulled out")

    monkeypatch.setattr(os, "fsync", pulled)
    with pytest.raises(OSError, match="pulled out"):
        write_once(tmp_path / "file", b"data")

    assert not (tmp_path / "file").exists()


def test_what_is_written_is_made_durable_file_and_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[object] = []
    real, real_replace = os.fsync, Path.replace

    def noted(descriptor: int) -> None:
        found = os.fstat(descriptor)
        kept.append((found.st_ino, found.st_size))
        real(descriptor)

    def named(self: Path, target: Path) -> Path:
        kept.append("named")
        return real_replace(self, target)

    monkeypatch.setattr(os, "fsync", noted)
    monkeypatch.setattr(Path, "replace", named)
    write_once(tmp_path / "file", b"data")

    whole, folder = (tmp_path / "file").stat(), tmp_path.stat()
    assert kept[:2] == [(whole.st_ino, len(b"data")), "named"], "the whole file before it gets its name"
    assert kept[-1] == (folder.st_ino, folder.st_size), "and then the name"


def test_a_record_stays_what_it_was(home: Path) -> None:
    assert remember(share_one(home), "uuid", "one") == "one"
    assert remember(share_one(home), "uuid", "two") == "one"
    assert remember(share_one(home), "uuid", "one") == "one"


def test_two_commands_at_the_same_moment_take_turns(home: Path) -> None:
    """Whoever asks for another tally meanwhile waits, and then finds the first one recorded."""
    got: list[str] = []
    asking = threading.Thread(target=lambda: got.append(remember(share_one(home), "tally", "second")))
    with share_one(home).open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        asking.start()
        asking.join(0.2)
        assert not got
        write_once(home / "share-1-of-3.json.tally", b"first")
    asking.join()

    assert got == ["first"]


# ---- a trustee's yes


@pytest.fixture
def election() -> Election:
    return an_election(dealt().trustees.election_key)


def say_yes(home: Path, election: Election, *, signing_key: bytes = SIGNING_KEY, out: str = "yes.json") -> File:
    path = home / out
    agree(share_one(home), path, election=election, trustees=dealt().trustees, signing_key=signing_key)
    return read_file(path)


def test_a_yes_is_known_as_its_trustees(home: Path, election: Election) -> None:
    yes = say_yes(home, election)

    assert check_yes(yes, election=election, trustees=dealt().trustees, signing_key=SIGNING_KEY) == 1
    assert say_yes(home, election) == yes


def test_a_yes_to_something_else_is_refused(home: Path, election: Election) -> None:
    yes = say_yes(home, election)
    trustees = dealt().trustees
    elsewhere = an_election(trustees.election_key, options=("North", "East"))

    for other in (
        {"election": elsewhere, "trustees": trustees, "signing_key": SIGNING_KEY},
        {"election": election, "trustees": deal_all(3, 2).trustees, "signing_key": SIGNING_KEY},
        {"election": election, "trustees": trustees, "signing_key": bytes(32)},
    ):
        with pytest.raises(FileForeign, match=r"yes\.json belongs to another election: it is a yes to something else"):
            check_yes(yes, **other)  # type: ignore[arg-type]


def test_a_yes_is_never_written_over_another(home: Path, election: Election) -> None:
    say_yes(home, election)

    with pytest.raises(FileTaken, match=r"yes\.json"):
        say_yes(home, election, signing_key=bytes(32))
    with pytest.raises(FileTaken, match=r"yes\.json"):
        agree(
            home / "share-2-of-3.json",
            home / "yes.json",
            election=election,
            trustees=dealt().trustees,
            signing_key=SIGNING_KEY,
        )


def test_nobody_says_yes_for_another_trustee(home: Path, election: Election) -> None:
    yes = say_yes(home, election)
    forged = File("forged.json", yes.data.replace(b'"index":1', b'"index":2'))

    with pytest.raises(FileDamaged, match=r"forged\.json is damaged: proof does not prove"):
        check_yes(forged, election=election, trustees=dealt().trustees, signing_key=SIGNING_KEY)


@pytest.mark.parametrize("place", [number / 60 for number in range(60)])
def test_any_changed_byte_of_a_yes_is_refused(home: Path, election: Election, place: float) -> None:
    yes = say_yes(home, election)

    with pytest.raises((FileDamaged, FileForeign)):
        check_yes(
            File("yes", changed(yes.data, place, 0)),
            election=election,
            trustees=dealt().trustees,
            signing_key=SIGNING_KEY,
        )


def test_a_share_says_yes_only_to_an_election_of_its_own_key(home: Path, election: Election) -> None:
    other = deal_all(3, 2).trustees
    arguments = {"signing_key": SIGNING_KEY}

    with pytest.raises(FileForeign, match=r"trustees\.json belongs to another election: its key is not"):
        agree(share_one(home), home / "y", election=election, trustees=other, **arguments)
    with pytest.raises(ShareForeign):
        agree(share_one(home), home / "y", election=an_election(other.election_key), trustees=other, **arguments)
    assert not (home / "y").exists()


def test_a_share_serves_one_election(home: Path, election: Election) -> None:
    say_yes(home, election)

    with pytest.raises(ShareServesAnother, match="share 1 of 3 serves the election BaLLotLineTest, and a share serves"):
        say_yes(home, an_election(election.key, uuid="AnotherBaLLotLine"), out="other.json")
    say_yes(home, an_election(election.key, options=("A", "B")), out="mended.json")  # before the opening, texts change


def test_a_secret_is_below_q() -> None:
    assert all(0 < share.secret < ORDER for share in dealt().shares)
