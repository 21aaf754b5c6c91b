"""Read Belenios's archive strictly: every byte of it follows from the members' contents and one time.

A member is a V7 tar header of 512 bytes, its content, and zeros up to a whole block; its name is the SHA-256 of its
content, so that whatever was changed is found there. No closing blocks.
"""

import hashlib
import re
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from voting.verify.reading import Wrong

BLOCK_BYTES: Final = 512
PIECE_BYTES: Final = 1024 * 1024
KEPT_BYTES_MAX: Final = 2 * 1024 * 1024  # of a content that is given whole; only the list of credentials is longer
SECONDS_MAX: Final = 8**11 - 1
FIRST: Final = b"BELENIOS"
_NAME: Final = re.compile(rb"([0-9a-f]{64})\.(data|event)\.json")
_NAME_BYTES, _SIZE, _TIME, _CHECKSUM = 100, slice(124, 135), slice(136, 147), slice(148, 156)
_OCTAL: Final = frozenset(b"01234567")


class Member(NamedTuple):
    """One member: its number from 1, what kind it is of, its SHA-256, where its content begins; None if it is long."""

    number: int
    kind: str
    digest: str
    at: int
    length: int
    content: bytes | None

    @property
    def place(self) -> str:
        """Name it for a person."""
        return f"member {self.number} ({self.digest})"


def header_of(name: bytes, length: int, seconds: int) -> bytes:
    """Write the header of a member."""
    numbers = b"0000644\x000000000\x000000000\0%011o\0%011o\0" % (length, seconds)
    header = bytearray((name.ljust(_NAME_BYTES, b"\0") + numbers + b" " * 8 + b"0").ljust(BLOCK_BYTES, b"\0"))
    header[_CHECKSUM] = b"%06o\0 " % sum(header)
    return bytes(header)


class Archive:
    """The members of an archive, one after another; Wrong names the first byte that is not as it must be."""

    def __init__(self, name: str, file: BinaryIO, seconds: int) -> None:
        self.name = name
        self._file, self._seconds = file, seconds
        self._at = 0
        self._number = 0

    def wrong(self, what: str, member: Member | None = None, *, byte: int | None = None) -> Wrong:
        """Say what is wrong with a member, or at the place where the next one should begin."""
        if member is not None:
            return Wrong(self.name, None, what, member=member.place, byte=member.at if byte is None else byte)
        return Wrong(self.name, None, what, member=f"member {self._number}", byte=self._at if byte is None else byte)

    def wrong_at(self, what: str, place: str, byte: int) -> Wrong:
        """Say what is wrong with a member that was read before."""
        return Wrong(self.name, None, what, member=place, byte=byte)

    def missing(self, what: str) -> Wrong:
        """Say what should stand at the end."""
        return Wrong(self.name, None, f"ends here without {what}", member=f"member {self._number + 1}", byte=self._at)

    def members(self) -> Iterator[Member]:
        """Yield the members to the end of the file."""
        while header := self._file.read(BLOCK_BYTES):
            self._number += 1
            yield self._member(header)

    def _member(self, header: bytes) -> Member:
        length = self._length(header)
        start = self._at + BLOCK_BYTES
        name = header[:_NAME_BYTES].rstrip(b"\0")
        self._insist_on_header(header, header_of(name, length, self._seconds))
        match = _NAME.fullmatch(name)
        if (match is None) if self._number > 1 else (name != FIRST):
            raise self.wrong("has a name that no member has")
        digest, content = self._content(length)
        kind = "" if match is None else match[2].decode()
        if match is not None and match[1].decode() != digest:
            raise self.wrong(f"is not what its name is the SHA-256 of (to byte {start + length - 1})", byte=start)
        self._at = start + length + -length % BLOCK_BYTES
        return Member(self._number, kind, digest, start, length, content)

    def _length(self, header: bytes) -> int:
        size = header[_SIZE]
        if len(header) < BLOCK_BYTES or not _OCTAL.issuperset(size):
            raise self.wrong("does not begin with a header of the archive")
        return int(size, 8)

    def _insist_on_header(self, header: bytes, due: bytes) -> None:
        """Insist on every byte. Where the checksum alone does not fit, any byte of name and size may be wrong."""
        if header == due:
            return
        places = [place for place in range(BLOCK_BYTES) if header[place] != due[place]]
        outside = [place for place in places if not _CHECKSUM.start <= place < _CHECKSUM.stop]
        raise self.wrong("has another header than it must have", byte=self._at + min(outside, default=0))

    def _content(self, length: int) -> tuple[str, bytes | None]:
        """Read content and padding; give the SHA-256, and the content unless it is long."""
        digest, left, kept = hashlib.sha256(), length, bytearray()
        while left:
            piece = self._file.read(min(left, PIECE_BYTES))
            if not piece:
                raise self.wrong("ends before its content does", byte=self._at + BLOCK_BYTES + length - left)
            digest.update(piece)
            left -= len(piece)
            if length <= KEPT_BYTES_MAX:
                kept += piece
        padding = self._file.read(-length % BLOCK_BYTES)
        if padding != bytes(-length % BLOCK_BYTES):
            end = self._at + BLOCK_BYTES + length
            first = len(padding) - len(padding.lstrip(b"\0"))
            raise self.wrong("is not filled up with zeros", byte=end + first)
        return digest.hexdigest(), bytes(kept) if length <= KEPT_BYTES_MAX else None
