"""The hours' keys: what an hour closed opens until that hour is forgotten, from any copy, and never after."""

import json
import stat
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from voting import hour_keys, secrets_file
from voting.hour_keys import AHEAD_MAX, FIRST, RECENT_MAX, HourKeys, HourTooFar, closed_in, hour_bytes
from voting.kept_file import turn_at
from voting.refusals import KeyGone, SecretsMissing

NOON = datetime(2022, 8, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOON_HOUR = 460932  # hours from 1970 to NOON
ZEROES = HourKeys(NOON_HOUR, bytes(32))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A secrets file that stands at noon."""
    path = tmp_path / "ballotline.secrets"
    secrets_file.save(path, secrets_file.make())
    secrets_file.load(path).hours.forget_before(NOON)
    return path


def hours_of(path: Path) -> HourKeys:
    return secrets_file.load(path).hours


@settings(deadline=None)
@given(purpose=st.binary(max_size=40), plain=st.binary(max_size=200), seconds=st.integers(0, 3600 * 24 * 3650))
def test_what_is_closed_at_any_time_opens_from_another_copy(purpose: bytes, plain: bytes, seconds: int) -> None:
    closed = ZEROES.close(purpose, plain, NOON + timedelta(seconds=seconds))

    assert HourKeys(NOON_HOUR, bytes(32)).open(purpose, closed) == plain


@pytest.mark.parametrize(
    ("minutes", "hour"), [(0, 0), (59.999, 0), (60, 1), (61, 1)], ids=["stroke", "end", "next", "after"]
)
def test_the_hour_stands_in_front_in_four_bytes_big_endian(minutes: float, hour: int) -> None:
    closed = ZEROES.close(b"x", b"", NOON + timedelta(minutes=minutes))

    assert closed[:4] == (NOON_HOUR + hour).to_bytes(4, "big") == hour_bytes(NOON + HOUR * hour)
    assert closed_in(closed) == NOON + HOUR * hour
    assert len(closed) == 4 + SecretBox.NONCE_SIZE + SecretBox.MACBYTES


def test_the_derivation_is_what_it_is() -> None:
    """Files that lie there must stay readable: made once with sha256sum, step by step."""
    nonce = bytes(24)
    key = bytes.fromhex("36cd8e9960929f1e5d8e6ccf6afadf66e6e0de21a389617e8255965b46407c34")
    closed = (NOON_HOUR + 2).to_bytes(4, "big") + bytes(SecretBox(key).encrypt(b"as ever", nonce))

    assert ZEROES.open(b"inbox", closed) == b"as ever"


def test_another_purpose_another_hour_or_another_key_opens_nothing() -> None:
    closed = ZEROES.close(b"inbox", b"plain", NOON)
    moved = (NOON_HOUR + 1).to_bytes(4, "big") + closed[4:]

    for keys, purpose, value in (
        (ZEROES, b"paper", closed),
        (ZEROES, b"inbox", moved),
        (HourKeys(NOON_HOUR, b"1" * 32), b"inbox", closed),
    ):
        with pytest.raises(CryptoError):
            keys.open(purpose, value)


def test_the_same_words_are_closed_to_other_bytes_each_time() -> None:
    assert ZEROES.close(b"x", b"plain", NOON) != ZEROES.close(b"x", b"plain", NOON)


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_bytes_that_are_not_ours_are_refused(closed: bytes) -> None:
    with pytest.raises((CryptoError, KeyGone)):
        ZEROES.open(b"inbox", closed)


@pytest.mark.parametrize("closed", [b"", b"\0", b"\0\0\0\0", b"\xff" * 60], ids=["empty", "short", "bare", "far"])
def test_what_is_cut_off_or_of_an_hour_that_cannot_be_is_wrong_at_once(closed: bytes) -> None:
    """A row that names an hour in the far future must not keep the machine busy until then."""
    began = time.monotonic()

    with pytest.raises(CryptoError):
        ZEROES.open(b"inbox", closed)
    assert time.monotonic() - began < 0.1


def test_a_forgotten_hour_is_gone_and_the_later_stay(path: Path) -> None:
    keys = hours_of(path)
    early, late = keys.close(b"x", b"early", NOON), keys.close(b"x", b"late", NOON + HOUR)

    keys.forget_before(NOON + HOUR * 1.5)

    for left in (keys, hours_of(path)):
        assert left.oldest == NOON + HOUR
        assert left.open(b"x", late) == b"late"
        with pytest.raises(KeyGone, match="2022-08-01 12:00:00"):
            left.open(b"x", early)


def test_from_the_file_alone_an_earlier_key_cannot_be_made(path: Path) -> None:
    """The ratchet turns one way: set the file's number back, and its key is still the later hour's."""
    keys = hours_of(path)
    early = keys.close(b"x", b"early", NOON)

    keys.forget_before(NOON + HOUR)

    words = json.loads(path.read_bytes())["hours"]
    for hour in range(NOON_HOUR - 5, NOON_HOUR + 1):
        with pytest.raises(CryptoError):
            HourKeys.read(words | {"hour": hour}, path).open(b"x", early)


def test_nothing_of_the_older_key_is_left_in_the_folder_or_in_memory(path: Path) -> None:
    keys = hours_of(path)
    keys.close(b"x", b"", NOON)
    older = [keys._oldest.key, *keys._recent.values()]
    words = [keys.words["key"].encode(), keys._oldest.key, keys._oldest.key.hex().encode()]

    keys.forget_before(NOON + HOUR)

    assert [one.name for one in path.parent.iterdir()] == [path.name]
    assert not any(word in path.read_bytes() for word in words)
    assert not {keys._oldest.key, *keys._recent.values()} & set(older)


def test_the_file_never_goes_back_and_is_left_alone_when_nothing_moves(path: Path) -> None:
    keys = hours_of(path)
    before = path.stat()

    for at in (NOON - HOUR, NOON, NOON + HOUR * 0.9):
        keys.forget_before(at)

    assert path.stat() == before
    assert keys.oldest == NOON


def test_only_the_key_of_the_hour_changes_in_the_file_and_only_its_owner_may_read_it(path: Path) -> None:
    before = json.loads(path.read_bytes())
    path.chmod(0o644)

    hours_of(path).forget_before(NOON + HOUR)

    after = json.loads(path.read_bytes())
    assert after.pop("hours") != before.pop("hours")
    assert after == before
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_through_a_link_the_file_behind_it_moves(path: Path) -> None:
    """Otherwise the link would become a file, and the older key would lie behind it for ever."""
    link = path.with_name("link")
    link.symlink_to(path)

    hours_of(link).forget_before(NOON + HOUR)

    assert link.is_symlink()
    assert hours_of(path).oldest == NOON + HOUR


def test_a_file_that_is_gone_is_said_and_nothing_is_forgotten(path: Path) -> None:
    keys = hours_of(path)
    closed = keys.close(b"x", b"plain", NOON)
    path.unlink()

    with pytest.raises(SecretsMissing, match=r"ballotline\.secrets"):
        keys.forget_before(NOON + HOUR)

    assert keys.open(b"x", closed) == b"plain"


def test_a_clock_that_jumped_back_writes_under_the_oldest_hour_there_is(path: Path) -> None:
    keys = hours_of(path)

    closed = keys.close(b"x", b"plain", NOON - 48 * HOUR)

    assert closed[:4] == NOON_HOUR.to_bytes(4, "big")
    assert keys.open(b"x", closed) == b"plain"


def test_a_clock_that_is_decades_ahead_closes_and_forgets_nothing(path: Path) -> None:
    keys = hours_of(path)
    last = NOON + HOUR * AHEAD_MAX
    assert keys.open(b"x", keys.close(b"x", b"plain", last)) == b"plain"

    with pytest.raises(HourTooFar, match="decades"):
        keys.close(b"x", b"", last + HOUR)
    with pytest.raises(HourTooFar, match="decades"):
        keys.forget_before(last + HOUR)
    assert hours_of(path).oldest == NOON


def test_new_keys_begin_before_any_poll_of_ours_and_reach_years_ahead_in_milliseconds() -> None:
    keys = HourKeys.make()
    assert keys.oldest == FIRST == datetime(2020, 1, 1, tzinfo=UTC)

    began = time.process_time()
    closed = keys.close(b"x", b"plain", FIRST + timedelta(days=3 * 365))
    assert time.process_time() - began < 0.3
    began = time.process_time()
    for _ in range(100):
        assert keys.open(b"x", closed) == b"plain"
    assert time.process_time() - began < 0.3


def test_keys_at_hand_are_few() -> None:
    keys = HourKeys.make()

    for hour in range(RECENT_MAX * 3):
        keys.close(b"x", b"", FIRST + HOUR * hour)

    assert len(keys._recent) == RECENT_MAX
    assert datetime(2020, 1, 1, 1, tzinfo=UTC) == FIRST + HOUR
    assert keys.open(b"x", keys.close(b"x", b"first", FIRST)) == b"first"


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("cfo"), st.integers(0, 100)), max_size=40))
def test_whatever_the_order_a_value_opens_just_when_its_hour_is_not_forgotten(steps: list[tuple[str, int]]) -> None:
    keys, closed, oldest = HourKeys(NOON_HOUR, bytes(32)), [], 0
    for step, hour in steps:
        if step == "c":
            closed.append((max(hour, oldest), keys.close(b"x", b"%d" % hour, NOON + HOUR * hour), b"%d" % hour))
        elif step == "f":
            keys.forget_before(NOON + HOUR * hour)
            oldest = max(oldest, hour)
        for under, value, plain in closed:
            if under >= oldest:
                assert keys.open(b"x", value) == plain
            else:
                with pytest.raises(KeyGone):
                    keys.open(b"x", value)


def test_where_another_process_moved_the_file_further_its_hour_stays_and_counts_here(path: Path) -> None:
    here, there = hours_of(path), hours_of(path)
    closed = here.close(b"x", b"plain", NOON)
    there.forget_before(NOON + 5 * HOUR)

    here.forget_before(NOON + 2 * HOUR)

    assert here.words == there.words == hours_of(path).words
    assert here.oldest == NOON + 5 * HOUR
    with pytest.raises(KeyGone):
        here.open(b"x", closed)


def test_a_file_is_moved_only_in_one_s_turn(path: Path) -> None:
    """Else two processes could both read it, and the one that moves it less would write last."""
    keys = hours_of(path)
    mover = threading.Thread(target=keys.forget_before, args=(NOON + HOUR,))
    with turn_at(path) as replace:
        mover.start()
        mover.join(0.3)
        assert mover.is_alive()
        there = HourKeys.read(keys.words, path)
        there._file = None  # this copy moves in memory alone
        there.forget_before(NOON + 5 * HOUR)
        replace(json.dumps(json.loads(path.read_bytes()) | {"hours": there.words}).encode())
    mover.join()

    assert hours_of(path).words == there.words


def test_processes_and_threads_on_one_file_lose_nothing(path: Path) -> None:
    """Each moves the file in steps of its own; at the end it stands at the latest, with that hour's key."""
    latest = hours_of(path)
    latest._file = None  # this copy moves in memory alone
    latest.forget_before(NOON + 199 * HOUR)
    fields = json.loads(path.read_bytes()) | {"hours": None}
    movers = [subprocess.Popen([sys.executable, "-c", _MOVER, str(path), str(first)]) for first in range(3)]
    keys = hours_of(path)
    threads = [threading.Thread(target=keys.forget_before, args=(NOON + HOUR * hour,)) for hour in range(0, 190, 10)]
    for thread in threads:
        thread.start()
    while any(mover.poll() is None for mover in movers):
        hours_of(path)  # whole whenever it is read
    for thread in threads:
        thread.join()

    assert [mover.returncode for mover in movers] == [0, 0, 0]
    assert hours_of(path).words == latest.words
    assert json.loads(path.read_bytes()) | {"hours": None} == fields


_MOVER = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from voting import secrets_file
hours = secrets_file.load(Path(sys.argv[1])).hours
for hour in range(int(sys.argv[2]), 200, 3):
    hours.forget_before(datetime(2022, 8, 1, 12, tzinfo=UTC) + timedelta(hours=hour))
"""


def test_killed_before_the_new_file_has_its_name_the_old_one_is_whole_and_moves_the_next_time(path: Path) -> None:
    before = path.read_bytes()

    killed = subprocess.run([sys.executable, "-c", _KILLED + _MOVER, str(path), "7"], check=False)

    assert killed.returncode == -9
    assert path.with_name(path.name + ".part").exists()
    assert path.read_bytes() == before
    hours_of(path).forget_before(NOON + HOUR)
    assert hours_of(path).oldest == NOON + HOUR
    assert not path.with_name(path.name + ".part").exists()


_KILLED = """
import os, signal
from pathlib import Path
Path.replace = lambda self, target: os.kill(os.getpid(), signal.SIGKILL)
"""


def test_it_is_on_the_disk_before_the_old_name_is_given_to_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    real = Path.replace
    monkeypatch.setattr("os.fsync", lambda _: done.append("fsync"))

    def replaced(self: Path, target: Path) -> Path:
        done.append("rename")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replaced)

    hours_of(path).forget_before(NOON + HOUR)

    assert done == ["fsync", "rename", "fsync"]


def test_no_key_is_shown(path: Path) -> None:
    keys = hours_of(path)
    keys.close(b"x", b"", NOON)

    for shown in (repr(keys), repr(keys._oldest), repr(hour_keys._box(bytes(32), b"x"))):
        assert shown.startswith("<")
        assert "key=" not in shown
