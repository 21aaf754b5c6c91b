"""Keys that change every hour, for what nobody may read once it was needed: a ratchet that turns one way.

The secrets file holds one key and the number of its hour, counted from 1970. The next hour's key follows from it, an
earlier hour's does not: moving the file forward erases all before. Machines with copies of the file need not talk.
"""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes
from threading import Lock
from typing import Any, Final

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from voting.kept_file import turn_at
from voting.refusals import Fault, KeyGone, SecretsMissing

KEY_BYTES: Final = 32
HOUR_BYTES: Final = 4
FIRST: Final = datetime(2020, 1, 1, tzinfo=UTC)  # where new keys begin; before any poll of ours
AHEAD_MAX: Final = 30 * 366 * 24  # hours after the oldest; so many take a fifth of a second
RECENT_MAX: Final = 64  # hours whose keys are kept at hand
_HOUR: Final = timedelta(hours=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class HourTooFar(Fault):
    """The clock is so far ahead of the secrets file that one of them must be wrong."""

    def __init__(self, at: datetime, oldest: datetime) -> None:
        super().__init__(f"it is {at}, and the secrets file begins at {oldest}: decades lie between")


class HourKeys:
    """The keys from the oldest hour on. With a `file` what is forgotten is erased there too. Safe in threads."""

    def __init__(self, hour: int, key: bytes, file: Path | None = None) -> None:
        self._oldest = _Link(hour, key)
        self._file = file
        self._recent: dict[int, bytes] = {}
        self._lock = Lock()

    @classmethod
    def make(cls) -> "HourKeys":
        """Make a fresh key."""
        return cls(_hour_of(FIRST), token_bytes(KEY_BYTES))

    @classmethod
    def read(cls, words: dict[str, Any], file: Path) -> "HourKeys":
        """Read what `words` wrote into the secrets file; ValueError, KeyError, TypeError."""
        oldest = _Link.read(words)
        return cls(oldest.hour, oldest.key, file)

    @property
    def words(self) -> dict[str, Any]:
        """Give what the secrets file holds: the oldest key, and no other."""
        return self._oldest.words

    @property
    def oldest(self) -> datetime:
        """Give when the oldest hour began that still has a key."""
        return _moment(self._oldest.hour)

    def close(self, purpose: bytes, plain: bytes, at: datetime) -> bytes:
        """Encrypt under the key of the hour of `at`, or the oldest there is; its number stands in front. HourTooFar."""
        with self._lock:
            hour = max(_hour_of(at), self._oldest.hour)
            key = self._key_of(hour)
        if key is None:
            raise HourTooFar(at, self.oldest)
        return hour.to_bytes(HOUR_BYTES) + bytes(_box(key, purpose).encrypt(plain))

    def open(self, purpose: bytes, closed: bytes) -> bytes:
        """Decrypt; KeyGone once its hour is erased, nacl.exceptions.CryptoError when it is not one of ours."""
        hour = int.from_bytes(closed[:HOUR_BYTES])
        with self._lock:
            if hour < self._oldest.hour and len(closed) > HOUR_BYTES:
                raise KeyGone(hour=_moment(hour))
            key = self._key_of(hour)
        if key is None:
            raise CryptoError("of no hour that can be")
        return _box(key, purpose).decrypt(closed[HOUR_BYTES:])

    def forget_before(self, at: datetime) -> None:
        """Erase the keys of all hours before that of `at`, for good; never goes back. Blocks.

        Where another process has moved the file further, its keys are gone here too. HourTooFar, SecretsMissing.
        """
        hour = _hour_of(at)
        if hour - self._oldest.hour > AHEAD_MAX:
            raise HourTooFar(at, self.oldest)
        if self._file is not None:
            hour = max(hour, _move(self._file, hour))
        with self._lock:
            if hour > self._oldest.hour:
                self._oldest = self._nearest(hour).forward(hour)
                self._recent = {one: key for one, key in self._recent.items() if one >= hour}

    def _key_of(self, hour: int) -> bytes | None:
        """Give the key of an hour; None of one that cannot be."""
        if not 0 <= hour - self._oldest.hour <= AHEAD_MAX:
            return None
        link = self._nearest(hour).forward(hour)
        self._recent[hour] = link.key
        if len(self._recent) > RECENT_MAX:
            del self._recent[next(iter(self._recent))]
        return link.key

    def _nearest(self, hour: int) -> "_Link":
        known = max((one for one in self._recent if one <= hour), default=None)
        return self._oldest if known is None else _Link(known, self._recent[known])


@dataclass(frozen=True, slots=True, repr=False)
class _Link:
    """One hour's key."""

    hour: int
    key: bytes

    @classmethod
    def read(cls, words: dict[str, Any]) -> "_Link":
        link = cls(words["hour"], base64.b64decode(words["key"], validate=True))
        if type(link.hour) is not int or not 0 <= link.hour < 256**HOUR_BYTES or len(link.key) != KEY_BYTES:
            raise ValueError("not an hour and its key")
        return link

    @property
    def words(self) -> dict[str, Any]:
        return {"hour": self.hour, "key": base64.b64encode(self.key).decode()}

    def forward(self, hour: int) -> "_Link":
        key = self.key
        for _ in range(hour - self.hour):
            key = sha256(b"ballotline next hour 1|" + key).digest()
        return _Link(hour, key)


def hour_bytes(at: datetime) -> bytes:
    """Give the bytes in front of what is closed in the hour of `at`: what was closed earlier sorts before them."""
    return _hour_of(at).to_bytes(HOUR_BYTES)


def closed_in(closed: bytes) -> datetime:
    """Give when the hour began under whose key something was closed."""
    return _moment(int.from_bytes(closed[:HOUR_BYTES]))


def _box(key: bytes, purpose: bytes) -> SecretBox:
    return SecretBox(sha256(b"ballotline hour's purpose 1|" + key + purpose).digest())


def _hour_of(at: datetime) -> int:
    return (at - _EPOCH) // _HOUR


def _moment(hour: int) -> datetime:
    return _EPOCH + hour * _HOUR


def _move(file: Path, hour: int) -> int:
    """Move the file forward to an hour, unless it is further; give the hour it is at then."""
    with turn_at(file) as replace:
        try:
            fields = json.loads(file.read_bytes())
            kept = _Link.read(fields["hours"])
        except (OSError, ValueError, KeyError, TypeError) as problem:
            raise SecretsMissing(file=str(file)) from problem
        if hour > kept.hour:
            kept = kept.forward(hour)
            fields["hours"] = kept.words
            replace(json.dumps(fields, indent=1).encode("ascii"))
        return kept.hour
