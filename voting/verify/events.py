"""The events of Belenios's archive in their order: each names its payload and the event before it.

Setup, a Ballot each, EndBallots, EncryptedTally; once there is a result, a PartialDecryption for each trustee needed,
and Result. The data of an event stand before it, its payload last; nothing else is there.
"""

import hashlib
import json
from typing import Final

from voting.verify.archive import Archive, Member

SETUP: Final = ("election", "trustees", "credentials")


def compact(value: object) -> bytes:
    """Write JSON as Belenios does: no spaces, fields in the order they have."""
    return json.dumps(value, separators=(",", ":")).encode()


class Events:
    """Takes one member after the other; Wrong at the first that is not the one due."""

    def __init__(self, archive: Archive) -> None:
        self._archive, self._members = archive, archive.members()
        self._next: Member | None = None
        self._parent, self._height = "", 0

    def begin(self, seconds: int) -> None:
        """Take the first member, which tells the archive's time."""
        self._take("the archive's first member", compact({"version": 1, "timestamp": str(seconds)}), kind="")

    def data(self, what: str) -> Member:
        """Take a piece of data whose content is not known yet."""
        return self._take(what)

    def exact(self, content: bytes, what: str) -> str:
        """Take a piece of data that must have this content; give its SHA-256."""
        return self._take(what, content).digest

    def event(self, kind: str, payload: str = "") -> None:
        """Take an event of this kind after the last one."""
        parent = {"parent": self._parent} if self._parent else {}
        content = {**parent, "height": self._height, "type": kind, **({"payload": payload} if payload else {})}
        self._parent = self._take(f"the event {kind}", compact(content), kind="event").digest
        self._height += 1

    def setup(self) -> tuple[Member, Member, Member]:
        """Take the Setup event: election, trustees and list of credentials, as the archive has them."""
        election, trustees, credentials = (self.data(f"the {name}") for name in SETUP)
        named = {name: one.digest for name, one in zip(SETUP, (election, trustees, credentials), strict=True)}
        self.event("Setup", self.exact(compact(named), "the payload of Setup"))
        return election, trustees, credentials

    def ballot(self) -> Member | None:
        """Take the next ballot and its event; None when there is no other."""
        self._next = next(self._members, None)
        if self._next is None or self._next.kind != "data":
            return None
        ballot = self.data("a ballot")
        self.event("Ballot", ballot.digest)
        return ballot

    def end(self) -> None:
        """Insist that nothing else is there."""
        member = next(self._members, None)
        if member is not None:
            raise self._archive.wrong("should not be there", member)

    def _take(self, what: str, content: bytes | None = None, kind: str = "data") -> Member:
        member, self._next = self._next or next(self._members, None), None
        if member is None:
            raise self._archive.missing(what)
        if content is not None and member.digest != hashlib.sha256(content).hexdigest():
            there = member.content or b""
            differing = (place for place, pair in enumerate(zip(there, content, strict=False)) if pair[0] != pair[1])
            byte = member.at + next(differing, min(len(there), len(content)))
            raise self._archive.wrong(f"is not {what} that must stand here", member, byte=byte)
        if member.kind != kind:
            raise self._archive.wrong(f"should be {what}", member)
        return member
