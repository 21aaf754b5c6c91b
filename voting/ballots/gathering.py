"""Trustees' files as they arrive: in any order, twice, from somewhere else, or not at all."""

from collections.abc import Callable, Iterable
from typing import Generic, NamedTuple, Protocol, TypeVar

from voting.ballots.trustee_refusals import TrusteesMissing, TwoFromOne
from voting.ballots.written import File


class OfTrustee(Protocol):
    """Whatever one trustee made."""

    @property
    def index(self) -> int:
        """The trustee's number, from 1."""

    @property
    def file(self) -> File:
        """The file it came in."""


T = TypeVar("T", bound=OfTrustee)


class Gathered(NamedTuple, Generic[T]):
    """What the files hold, by trustee, and a sentence for each harmless oddity."""

    found: dict[int, T]
    notes: tuple[str, ...]

    def everybody(self, trustees: int, what: str) -> tuple[T, ...]:
        """Give one of each trustee, in their order; raises TrusteesMissing naming those who are not there."""
        missing = [str(index) for index in range(1, trustees + 1) if index not in self.found]
        if missing:
            raise TrusteesMissing(what=what, trustees=", ".join(missing))
        return tuple(self.found[index] for index in range(1, trustees + 1))


def gather(files: Iterable[File], read: Callable[[File], T], same: Callable[[T, T], bool] | None = None) -> Gathered[T]:
    """Read files in any order. The same file twice counts once and is said so; two different ones are TwoFromOne.

    `same` says when two of one trustee may stand for each other; without it, when their bytes are equal.
    """
    found: dict[int, T] = {}
    notes = []
    for file in files:
        item = read(file)
        first = found.setdefault(item.index, item)
        if first is item:
            continue
        if not (same(first, item) if same else first.file.data == file.data):
            raise TwoFromOne(file=file.name, other=first.file.name, trustee=item.index)
        notes.append(f"{file.name} says the same as {first.file.name}; it counts once.")
    return Gathered(found, tuple(notes))
