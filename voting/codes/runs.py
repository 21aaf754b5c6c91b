"""Cut a message into runs of letters and digits, and show it in the views a reader of codes needs.

A run is what stands together without a gap. A view is a list of neighbouring runs that may be one code:
"ABC-DEF-GHJ" is one view of three runs, and so are three groups on three lines.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import lru_cache
from itertools import zip_longest
from typing import Final

from voting.codes.format import LABELS, VALUES, Kind

_LENGTHS: Final = {Kind.PACK.length, Kind.VOTE.length, Kind.PACK.length + Kind.VOTE.length}
_WINDOW_MAX: Final = 12  # runs; a vote code spelled out one character at a time
# Letters of other keyboards that look just like one of ours.
_TWINS: Final = str.maketrans("АВЕКМНРСТУХΑΒΕΖΗΚΜΝΡΤΥΧ", "ABEKMHPCTYXABEZHKMNPTYX")
_JOINERS: Final = frozenset("−_./·•~*")  # besides every dash Unicode knows


class Glue(IntEnum):
    """How a run is joined to the one before it."""

    JOINED = 0  # a dash, nothing else
    SPACED = 1
    PARTED = 2  # a comma, a colon, a bracket
    NEW_LINE = 3


@dataclass(frozen=True, slots=True)
class Run:
    """Letters and digits without a gap: normalised text, place in the message, how it is joined to the run before."""

    text: str
    start: int
    end: int
    glue: Glue


View = tuple[Run, ...]


def text_of(view: Sequence[Run]) -> str:
    """Join the runs of a view, dashes and spaces forgotten."""
    return "".join(run.text for run in view)


def cut(text: str) -> list[Run]:
    """Cut a message into its runs: upper case, full width and foreign look-alikes folded, the invisible dropped."""
    runs: list[Run] = []
    gap = word = ""
    start = end = 0
    for at, char in enumerate(text):
        plain = _plain(char)
        if plain.isalnum():
            start = start if word else at
            word, end = word + plain, at + 1
        elif plain and word:
            runs.append(Run(word, start, end, _glue(gap) if runs else Glue.NEW_LINE))
            gap, word = char, ""
        elif plain:
            gap += char
    if word:
        runs.append(Run(word, start, end, _glue(gap) if runs else Glue.NEW_LINE))
    return runs


def without(runs: Iterable[Run], dropped: Iterable[Run]) -> list[Run]:
    """Leave some runs out; what stood on either side of one is no longer joined."""
    gone, kept = {run.start for run in dropped}, list[Run]()
    glue = Glue.JOINED
    for run in runs:
        glue = max(glue, run.glue)
        if run.start in gone:
            glue = max(glue, Glue.SPACED)
        else:
            kept.append(run if run.glue is glue else replace(run, glue=glue))
            glue = Glue.JOINED
    return kept


def unlabelled(runs: Sequence[Run]) -> list[Run]:
    """Leave out the words people put around codes, but not a dashed group that a typing mistake made one."""
    labels = []
    for run, after in zip_longest(runs, runs[1:]):
        alone = run.glue is not Glue.JOINED and (after is None or after.glue is not Glue.JOINED)
        if run.text in LABELS and (alone or not VALUES.keys() >= set(run.text)):
            labels.append(run)
    return without(runs, labels)


def tokens(runs: Sequence[Run]) -> Iterator[View]:
    """Give views of runs joined by dashes: one typed word each."""
    return _split(runs, Glue.JOINED)


def lines(runs: Sequence[Run]) -> Iterator[View]:
    """Give views of one line each."""
    return _split(runs, Glue.PARTED)


def triples(runs: Sequence[Run]) -> Iterator[View]:
    """Give views of three equal groups, as a code is printed: 3-3-3 or 4-4-4."""
    for window in _windows(runs, 3):
        lengths = {len(run.text) for run in window}
        if len(window) == 3 and len(lengths) == 1 and lengths <= {kind.group for kind in Kind}:  # noqa: PLR2004 - three
            yield window


def windows(runs: Sequence[Run]) -> Iterator[View]:
    """Give views of any few neighbouring words that together are as long as one code or both."""
    return _windows(runs, _WINDOW_MAX)


def _windows(runs: Sequence[Run], longest: int) -> Iterator[View]:
    """Give neighbours on one line with only spaces or dashes between; a typed word is never broken up.

    Only windows of a length that can be read are built: a message of 4,096 characters has 20,000 others.
    """
    for first, run in enumerate(runs):
        if first and run.glue is Glue.JOINED:
            continue
        length = 0
        for after, last in enumerate(runs[first : first + longest], first + 1):
            if last is not run and last.glue > Glue.SPACED:
                break
            length += len(last.text)
            if length in _LENGTHS and (after == len(runs) or runs[after].glue is not Glue.JOINED):
                yield tuple(runs[first:after])


def _split(runs: Sequence[Run], within: Glue) -> Iterator[View]:
    """Give views as long as the glue holds."""
    first = 0
    for after in range(1, len(runs) + 1):
        if after == len(runs) or runs[after].glue > within:
            yield tuple(runs[first:after])
            first = after


@lru_cache(maxsize=4096)
def _plain(char: str) -> str:
    """Fold width, case and foreign look-alikes; "" for what cannot be seen."""
    if unicodedata.category(char) in {"Cf", "Mn"}:
        return ""
    return unicodedata.normalize("NFKC", char).upper().translate(_TWINS)


def _glue(gap: str) -> Glue:
    if "\n" in gap or "\r" in gap:
        return Glue.NEW_LINE
    dashes = [char in _JOINERS or unicodedata.category(char) == "Pd" for char in gap]
    if all(dashes):
        return Glue.JOINED
    if "." not in gap and all(dash or char.isspace() for dash, char in zip(dashes, gap, strict=True)):
        return Glue.SPACED
    return Glue.PARTED
