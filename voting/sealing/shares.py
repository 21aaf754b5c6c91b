"""Trustees' shares of the election key: split, written down, read back, tried, joined.

Shamir's scheme takes 16 bytes at a time, so the key is split as two halves. The scheme itself notices nothing: a
damaged share joins to a wrong key without a word. So each share carries a digest of itself and the fingerprint of
its key, and the poll's public record holds the digests of all of them.
"""

import json
import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from Crypto.Protocol.SecretSharing import Shamir

from voting.audit.canonical import canonical_json, sha256_hex
from voting.refusals import ShareRefusal

TRUSTEES_MAX: Final = 16
HALF_BYTES: Final = 16
_FORMAT: Final = "ballotline share 1"
_NOTE: Final = "A trustee's share of an election key. Keep it secret until the count; do not change a letter."
_FILE_BYTES_MAX: Final = 4_096  # a share is under 1 KiB


class BadThreshold(ShareRefusal):
    """{threshold} of {trustees} cannot be: there are 1 to 16 trustees, and 1 to all of them open the box."""


class ShareDamaged(ShareRefusal):
    """{share} is damaged: {problem}."""


class ShareForeign(ShareRefusal):
    """{share} is a share of another key (poll {poll_id})."""


class ShareRepeated(ShareRefusal):
    """{share} was given twice; each trustee's share counts once."""


class TooFewShares(ShareRefusal):
    """{given} of the {needed} shares needed were given."""


class PollKeyMismatch(ShareRefusal):
    """These shares do not make this poll's key: one of them was changed."""


@dataclass(frozen=True, slots=True)
class Share:
    """One trustee's share. The halves are secret; everything else may be shown."""

    poll_id: str
    index: int  # from 1
    trustees: int
    threshold: int
    key: str  # fingerprint of the public key
    first_half: bytes = field(repr=False)
    second_half: bytes = field(repr=False)

    @property
    def name(self) -> str:
        """What to call this share in a sentence."""
        return f"share {self.index} of {self.trustees}"

    @property
    def digest(self) -> str:
        """Hash all of the share; its halves are random, so the digest gives nothing away."""
        return sha256_hex(canonical_json(self._fields()))

    def dumps(self) -> str:
        """Write the share as a short text that a person can read and print."""
        return json.dumps({"note": _NOTE, **self._fields(), "digest": self.digest}, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def loads(cls, text: str, *, name: str = "This share") -> Self:
        """Read what `dumps` wrote; `name` is what to call it if it is damaged. Raises ShareDamaged."""
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            raise ShareDamaged(share=name, problem="it is not a share file") from None
        if not isinstance(found, dict) or found.get("format") != _FORMAT:
            raise ShareDamaged(share=name, problem="it is not a share file of this version")
        try:
            share = cls(
                poll_id=_text(found, "poll"),
                index=_number(found, "share"),
                trustees=_number(found, "of"),
                threshold=_number(found, "needed"),
                key=_text(found, "key"),
                first_half=_half(found, "first_half"),
                second_half=_half(found, "second_half"),
            )
        except ValueError as wrong:
            raise ShareDamaged(share=name, problem=f"its line {wrong} is missing or wrong") from None
        if share.digest != found.get("digest"):
            raise ShareDamaged(share=name, problem="it was changed, or mistyped, since it was made")
        return share

    def _fields(self) -> dict[str, str | int]:
        return {
            "format": _FORMAT,
            "poll": self.poll_id,
            "share": self.index,
            "of": self.trustees,
            "needed": self.threshold,
            "key": self.key,
            "first_half": self.first_half.hex(),
            "second_half": self.second_half.hex(),
        }


def split(secret: bytes, trustees: int, threshold: int, *, poll_id: str, key: str) -> tuple[Share, ...]:
    """Split 32 secret bytes so that any `threshold` shares give them back and fewer tell nothing."""
    if not 1 <= threshold <= trustees <= TRUSTEES_MAX:
        raise BadThreshold(threshold=threshold, trustees=trustees)
    halves = (secret[:HALF_BYTES], secret[HALF_BYTES:])
    first, second = (Shamir.split(threshold, trustees, half) for half in halves)
    return tuple(
        Share(poll_id, index, trustees, threshold, key, first_half, second_half)
        for (index, first_half), (_, second_half) in zip(first, second, strict=True)
    )


def try_share(share: Share, *, key: str, digests: Sequence[str] = ()) -> None:
    """Check a share against the fingerprint of the poll's key and, where known, its public digests.

    Returns when the share is good; raises ShareForeign or ShareDamaged.
    """
    if share.key != key:
        raise ShareForeign(share=share.name, poll_id=share.poll_id)
    if digests and share.digest not in digests:
        raise ShareDamaged(share=share.name, problem="it is not as it was when the key was made")


def join(shares: Collection[Share], *, key: str, digests: Sequence[str] = ()) -> bytes:
    """Put the 32 secret bytes together; that they are the right ones is for the caller to prove.

    Raises ShareForeign, ShareDamaged, ShareRepeated or TooFewShares.
    """
    by_index: dict[int, Share] = {}
    for share in shares:
        try_share(share, key=key, digests=digests)
        if share.index in by_index:
            raise ShareRepeated(share=share.name)
        by_index[share.index] = share
    needed = max((share.threshold for share in by_index.values()), default=1)
    if len(by_index) < needed:
        raise TooFewShares(given=len(by_index), needed=needed)
    used = list(by_index.values())[:needed]  # more points than the polynomial needs add nothing
    first = Shamir.combine([(share.index, share.first_half) for share in used])
    second = Shamir.combine([(share.index, share.second_half) for share in used])
    return bytes(first + second)


def write_shares(directory: Path, shares: Iterable[Share]) -> list[Path]:
    """Write one file per share, readable by its owner only; raises FileExistsError rather than overwrite one."""
    written = []
    for share in shares:
        path = directory / f"share-{share.index}-of-{share.trustees}.json"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(share.dumps())
        written.append(path)
    return written


def read_share(path: Path) -> Share:
    """Read a share's file; raises ShareDamaged, naming the file, when there is none or it is not one."""
    try:
        with path.open("rb") as file:
            text = file.read(_FILE_BYTES_MAX).decode()
    except OSError as wrong:
        raise ShareDamaged(share=path.name, problem=f"it cannot be read ({wrong.strerror})") from None
    except UnicodeDecodeError:
        raise ShareDamaged(share=path.name, problem="it is not a share file") from None
    return Share.loads(text, name=path.name)


def _text(found: dict[str, object], line: str) -> str:
    value = found.get(line)
    if not isinstance(value, str) or not value.isprintable():  # JSON can hold half a character
        raise ValueError(line)
    return value


def _number(found: dict[str, object], line: str) -> int:
    value = found.get(line)
    if type(value) is not int or not 1 <= value <= TRUSTEES_MAX:  # True is an int too
        raise ValueError(line)
    return value


def _half(found: dict[str, object], line: str) -> bytes:
    try:
        half = bytes.fromhex(_text(found, line))
    except ValueError:
        raise ValueError(line) from None
    if len(half) != HALF_BYTES:
        raise ValueError(line)
    return half
