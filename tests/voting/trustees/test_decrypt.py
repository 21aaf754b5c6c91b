"""A trustee decrypts one tally, once."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
from trustee_town import SIGNING_KEY, UUID, an_election, dealt, tally_bytes

from voting.ballots.decryption import read_decryption
from voting.ballots.election import Election
from voting.ballots.tally import read_tally
from voting.ballots.trustee_refusals import (
    FileDamaged,
    FileForeign,
)
from voting.ballots.written import File
from voting.trustees.agreement import agree
from voting.trustees.dealer import deal_all, write_dealt
from voting.trustees.decrypt import Verified, decrypt, make_decryption
from voting.trustees.disk import read_file
from voting.trustees.refusals import FileTaken, ShareForeign, ShareServesAnother, TallyRefused

ELECTION = an_election(dealt().trustees.election_key)


# ---- a trustee decrypts one tally, once (BALLOTS.md 7.2)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_dealt(tmp_path, dealt())
    return tmp_path


def verified(election: Election, tally: bytes) -> Callable[[], Verified]:
    return lambda: Verified(election.written, dealt().trustees.data, tally)


def decrypt_at(home: Path, election: Election, tally: bytes, out: str = "decryption.json") -> File:
    decrypt(home / "share-1-of-3.json", home / out, verified(election, tally))
    return read_file(home / out)


def records(home: Path) -> list[str]:
    return sorted(path.name for path in home.glob("share-1-of-3.json.*"))


def test_a_trustee_decrypts_and_may_ask_for_the_same_again(home: Path) -> None:
    data = tally_bytes(ELECTION, [[6, 2]])

    first = decrypt_at(home, ELECTION, data)
    again = decrypt_at(home, ELECTION, data)
    elsewhere = decrypt_at(home, ELECTION, data, "elsewhere.json")

    tally = read_tally(File("tally", data), ELECTION)
    found = [read_decryption(file, ELECTION, tally, dealt().trustees) for file in (first, elsewhere)]
    assert first == again
    assert [one.factor for one in found[0].factors[0]] == [one.factor for one in found[1].factors[0]]
    assert (home / "share-1-of-3.json.tally").read_text() == tally.digest
    assert (home / "share-1-of-3.json.uuid").read_text() == UUID
    assert [(home / name).stat().st_mode & 0o777 for name in records(home)] == [0o600, 0o600]


def test_two_archives_that_differ_by_one_ballot_are_not_both_decrypted(home: Path) -> None:
    """The difference of the two results would be that ballot."""
    decrypt_at(home, ELECTION, tally_bytes(ELECTION, [[6, 2]]))

    with pytest.raises(TallyRefused, match="share 1 of 3 has already decrypted another tally of this election"):
        decrypt_at(home, ELECTION, tally_bytes(ELECTION, [[6, 1]]), "one-less.json")
    assert not (home / "one-less.json").exists()


def test_one_ballot_in_an_election_made_up_for_it_is_not_decrypted(home: Path) -> None:
    agree(
        home / "share-1-of-3.json",
        home / "yes.json",
        election=ELECTION,
        trustees=dealt().trustees,
        signing_key=SIGNING_KEY,
    )
    other = an_election(ELECTION.key, uuid="AnotherBaLLotLine")

    with pytest.raises(ShareServesAnother, match=f"serves the election {UUID}"):
        decrypt_at(home, other, tally_bytes(other, [[1, 0]]))
    assert not (home / "decryption.json").exists()
    assert records(home) == ["share-1-of-3.json.uuid"]


def test_nothing_is_decrypted_or_recorded_before_the_bundle_is_verified(home: Path) -> None:
    def stop() -> NoReturn:
        assert records(home) == []
        raise FileDamaged(file="chain.jsonl", problem="a ballot is missing")

    with pytest.raises(FileDamaged, match="a ballot is missing"):
        decrypt(home / "share-1-of-3.json", home / "decryption.json", stop)
    assert records(home) == []
    assert not (home / "decryption.json").exists()


def test_a_share_decrypts_only_for_its_own_key(home: Path) -> None:
    other = deal_all(3, 2).trustees
    election = an_election(other.election_key)
    data = tally_bytes(election, [[1, 0]])

    with pytest.raises(ShareForeign):
        decrypt(home / "share-1-of-3.json", home / "d", lambda: Verified(election.written, other.data, data))
    with pytest.raises(FileForeign, match=r"trustees\.json belongs to another election"):
        decrypt(home / "share-1-of-3.json", home / "d", lambda: Verified(ELECTION.written, other.data, data))
    with pytest.raises(FileDamaged, match=r"election\.json is damaged"):
        decrypt(home / "share-1-of-3.json", home / "d", lambda: Verified(b"{}", other.data, data))
    assert records(home) == []


def test_a_decryption_is_never_written_over_another_file(home: Path) -> None:
    (home / "decryption.json").write_bytes(b"a letter to my sister")

    with pytest.raises(FileDamaged, match=r"decryption\.json is damaged"):
        decrypt_at(home, ELECTION, tally_bytes(ELECTION, [[6, 2]]))
    assert (home / "decryption.json").read_bytes() == b"a letter to my sister"


def test_another_trustees_decryption_in_the_place_of_mine_is_not_taken_for_mine(home: Path) -> None:
    data = tally_bytes(ELECTION, [[6, 2]])
    decrypt(home / "share-2-of-3.json", home / "decryption.json", verified(ELECTION, data))

    with pytest.raises(FileTaken, match=r"decryption\.json is already there"):
        decrypt_at(home, ELECTION, data)


def test_the_tally_is_recorded_durably_before_anything_is_written(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the moment in which the decryption gets its name the record has been on the disk for a while."""
    kept: list[str] = []
    real = Path.replace

    def noted(self: Path, target: Path) -> Path:
        kept.append(target.name)
        return real(self, target)

    monkeypatch.setattr(Path, "replace", noted)
    decrypt_at(home, ELECTION, tally_bytes(ELECTION, [[6, 2]]))

    assert kept == ["share-1-of-3.json.uuid", "share-1-of-3.json.tally", "decryption.json"]


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from voting.trustees import decrypt as room
    from voting.trustees.decrypt import Verified, decrypt

    home = Path(sys.argv[1])
    room.make_decryption = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    files = [(home / name).read_bytes() for name in ("election.json", "trustees.json", "tally.json")]
    decrypt(home / "share-1-of-3.json", home / "decryption.json", lambda: Verified(*files))
"""


def test_killed_between_record_and_decryption_the_same_tally_is_decrypted_again(home: Path) -> None:
    data = tally_bytes(ELECTION, [[6, 2]])
    (home / "election.json").write_bytes(ELECTION.written)
    (home / "tally.json").write_bytes(data)

    done = subprocess.run([sys.executable, "-c", textwrap.dedent(KILLED), str(home)], env=dict(os.environ), check=False)

    assert done.returncode == -signal.SIGKILL
    assert records(home) == ["share-1-of-3.json.tally", "share-1-of-3.json.uuid"]
    assert not (home / "decryption.json").exists()
    with pytest.raises(TallyRefused):
        decrypt_at(home, ELECTION, tally_bytes(ELECTION, [[6, 1]]))
    tally = read_tally(File("tally", data), ELECTION)
    found = read_decryption(decrypt_at(home, ELECTION, data), ELECTION, tally, dealt().trustees)
    factors = [[one.factor for one in question] for question in found.factors]
    straight = read_decryption(
        File("d", make_decryption(dealt().shares[0], ELECTION, tally)), ELECTION, tally, dealt().trustees
    )
    assert factors == [[one.factor for one in question] for question in straight.factors]


def test_a_damaged_record_stops_the_share(home: Path) -> None:
    (home / "share-1-of-3.json.tally").write_bytes(b"\xff")

    with pytest.raises((TallyRefused, FileTaken)):
        decrypt_at(home, ELECTION, tally_bytes(ELECTION, [[6, 2]]))
    assert not (home / "decryption.json").exists()
