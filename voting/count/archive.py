"""The archive that Belenios's own tool reads: `<uuid>.bel`, a V7 tar that grows by whole events.

Each piece of data and each event is a member named by the SHA-256 of its bytes; an event names its payload and the
event before it. There is no closing block, so what is appended later makes the same bytes as what is written at once.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

BLOCK_BYTES: Final = 512
_REST: Final = b"0".ljust(BLOCK_BYTES - 156, b"\0")  # of the header, after the checksum
_SUM_OF_REST: Final = sum(b" " * 8 + _REST)  # the checksum itself counts as eight spaces


class Event(NamedTuple):
    """What happens next, and its data; the last piece is the payload, those before it are named in it."""

    kind: str
    data: tuple[bytes, ...] = ()


@dataclass(slots=True)
class Archive:
    """An archive on its way: the file, its one time in seconds, and the last event's hash and height."""

    path: Path
    seconds: int
    parent: str = ""
    height: int = 0

    def begin(self) -> None:
        """Write the first member."""
        content = compact({"version": 1, "timestamp": str(self.seconds)})
        self.path.write_bytes(member("BELENIOS", content, self.seconds))

    def append(self, events: Iterable[Event]) -> None:
        """Write events after the last one."""
        with self.path.open("ab") as file:
            for event in events:
                names = [self._write(file, content, "data") for content in event.data]
                self.parent = self._write(file, self._next(event.kind, names[-1:]), "event")
                self.height += 1

    def _next(self, kind: str, payload: list[str]) -> bytes:
        fields: dict[str, Any] = {"parent": self.parent} if self.parent else {}
        fields |= {"height": self.height, "type": kind}
        return compact(fields | ({"payload": payload[0]} if payload else {}))

    def _write(self, file: BinaryIO, content: bytes, kind: str) -> str:
        name = sha256(content)
        file.write(member(f"{name}.{kind}.json", content, self.seconds))
        return name


def member(name: str, content: bytes, seconds: int) -> bytes:
    """Write one member: a V7 header and the content in whole blocks."""
    fields = f"{name:\0<100}0000644\x000000000\x000000000\0{len(content):011o}\0{seconds:011o}\0".encode()
    checksum = f"{sum(fields) + _SUM_OF_REST:06o}\0 ".encode()
    return b"".join((fields, checksum, _REST, content, bytes(whole_blocks(len(content)) - len(content))))


def whole_blocks(length: int) -> int:
    """Give how many bytes a content of this length takes up."""
    return length + -length % BLOCK_BYTES


def compact(value: Any) -> bytes:  # noqa: ANN401 - any JSON
    """Write JSON as Belenios does, its fields in the order they have."""
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def sha256(content: bytes) -> str:
    """Hash what a member is named by."""
    return hashlib.sha256(content).hexdigest()
