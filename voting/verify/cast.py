"""The ballots of the archive against chain and credentials: each named by its entry, one for each credential."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from voting.ballots.ballot import BALLOT_BYTES_MAX
from voting.ballots.mark import mark_of
from voting.verify import format as form
from voting.verify.archive import Archive, Member
from voting.verify.ballots import BATCH_BALLOTS, BATCH_BYTES, Cast, Checker, Sums, add, no_sums
from voting.verify.chain import entries
from voting.verify.credentials import Credentials
from voting.verify.events import Events
from voting.verify.paper import Held
from voting.verify.reading import Bundle
from voting.verify.said import Said

Progress = Callable[[int, int], None]  # called with the number of ballots checked so far, and of all

BALLOTS_MAX: Final = 1_000_000


@dataclass(slots=True)
class Wanted:
    """The ballot that somebody looks for: by its mark, and by its credential when they gave their codes."""

    mark: str
    credential: bytes | None = None
    marked: bool = False  # there is a ballot with this mark
    mark_of_credential: str = ""  # the mark of the ballot by this credential

    def see(self, mark: str, credential: bytes) -> None:
        """Look at a ballot."""
        self.marked = self.marked or mark == self.mark
        if credential == self.credential:
            self.mark_of_credential = mark


@dataclass(slots=True)
class Box:
    """What the ballots are, together."""

    sums: Sums = field(default_factory=list)
    marks: set[str] = field(default_factory=set)
    wanted: Wanted | None = None


class Ballots:
    """Takes the ballots out of the archive one after another."""

    def __init__(self, bundle: Bundle, archive: Archive, events: Events, said: Said) -> None:
        self._archive, self._events, self._said = archive, events, said
        self._named = self._locked(bundle)
        self._taken = 0

    @staticmethod
    def _locked(bundle: Bundle) -> Iterator[tuple[int, str]]:
        """Yield what the chain says of each ballot, in its order: entry and SHA-256."""
        for line, entry in entries(bundle, form.VOTES_LOCKED):
            for digest in entry.found("body").texts("ballots"):
                yield line, digest

    def batches(self) -> Iterator[list[Cast]]:
        """Yield ballots, so many at a time, to the last; Wrong at the first that the chain does not name there."""
        batch: list[Cast] = []
        length = 0
        while (member := self._events.ballot()) is not None:
            batch.append(self._cast(member))
            length += member.length
            if len(batch) == BATCH_BALLOTS or length >= BATCH_BYTES:
                yield batch
                batch, length = [], 0
        if batch:
            yield batch
        missing = next(self._named, None)
        if missing is not None:
            raise self._archive.missing(f"the ballot {missing[1]} of entry {missing[0]}")

    def _cast(self, member: Member) -> Cast:
        self._taken += 1
        if self._taken > BALLOTS_MAX:
            raise self._archive.wrong(f"is one more than the {BALLOTS_MAX:,} ballots that a poll may have", member)
        if member.content is None or member.length > BALLOT_BYTES_MAX:
            raise self._archive.wrong("is longer than a ballot can be", member)
        seq, digest = next(self._named, (0, ""))
        if member.digest != digest:
            due = f"entry {seq} of the chain names {digest} here" if seq else "the chain names no more"
            raise self._archive.wrong(f"is not the ballot that is due: {due}", member)
        return Cast(member.content, digest, member.place, member.at, seq)

    def take(
        self, held: Held, credentials: Credentials, box: Box, *, checker: Checker, progress: Progress | None
    ) -> str:
        """Check every ballot and add them up; Wrong names the first that cannot be counted."""
        box.sums = no_sums(held.election)
        for batch, found in checker.check(self.batches()):
            for cast, credential in zip(batch, found.credentials, strict=True):
                problem = self._use(cast, credential, credentials, box)
                if problem:
                    raise self._archive.wrong_at(f"is not to be counted: {problem}", cast.place, cast.at)
            box.sums = add(box.sums, found.sums)
            if progress is not None:
                progress(len(box.marks), self._said.votes)
        return f"{len(box.marks):,} ballots"

    @staticmethod
    def _use(cast: Cast, credential: bytes | str, credentials: Credentials, box: Box) -> str:
        """Use a ballot; give what is wrong with it."""
        if isinstance(credential, str):
            return credential
        mark = mark_of(bytes.fromhex(cast.digest))
        if mark in box.marks:
            return f"its mark {mark} is another ballot's too"
        box.marks.add(mark)
        if box.wanted is not None:
            box.wanted.see(mark, credential)
        return credentials.use(credential, cast.seq)
