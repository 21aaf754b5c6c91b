"""Find codes in what a person typed, and name what is wrong when there is none.

A message is cut into runs of letters and digits; views of it (words, the whole, lines, groups) are tried from the
strictest to the loosest until a check character is right. Nothing is repaired: 0, O, 1, I and L never occur, and
one check character cannot prove which character was meant, so a repair could turn a typing mistake, which never
counts, into a wrong code, which counts. The person gets a hint (`LOOK_ALIKES`) instead and types it again.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import Final

from voting.codes.format import VALUES, Kind, right
from voting.codes.runs import Glue, Run, View, cut, lines, text_of, tokens, triples, unlabelled, windows, without

# What was probably on the paper when a character was typed that no code has.
LOOK_ALIKES: Final = {"0": "DQ", "O": "DQ", "1": "7JT", "I": "7JT", "L": "7JT"}

_BOTH: Final = Kind.PACK.length + Kind.VOTE.length  # 21
_EXACT: Final[dict[int, Kind | None]] = {kind.length: kind for kind in Kind} | {_BOTH: None}
_ATTEMPT_MIN: Final = 5  # characters; shorter is a word, a time, a house number
_ATTEMPT_MAX: Final = 26  # both codes and a few too many; longer is an id, a link, a story
# Lengths that read as "something is missing": up to two off one code or both; the rest is "too much".
_SHORT: Final = frozenset({*range(Kind.PACK.length), Kind.VOTE.length - 1, *range(_BOTH - 3, _BOTH)})
_TEXT_MAX: Final = 4_096  # characters of a Telegram message, the longest thing anybody can send us

_SPELLED_MAX: Final = 2  # characters between spaces when a whole code is spelled out

# 2pm, 3rd, 10am, 5k: digits and letters together, yet no part of a code that was mistyped.
_EVERYDAY: Final = re.compile(r"[0-9]{1,2}(?:ST|ND|RD|TH|AM|PM|K|P|X)")
_POSTCODE: Final = re.compile(r"[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2}")
_TIMESTAMP: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?")


class Reason(StrEnum):
    """Why no (further) code could be read. None of these ever counts as a wrong code."""

    EMPTY = "empty"
    NOT_A_CODE = "not_a_code"
    BAD_CHARACTER = "bad_character"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    CHECK_FAILED = "check_failed"  # a typing mistake, or a code of another poll


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with the attempt: of which kind it seems to be, and the characters that no code has."""

    reason: Reason
    kind: Kind | None = None
    characters: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """A code whose check character is right; whether it was ever issued, only the database knows."""

    kind: Kind
    canonical: str

    def __repr__(self) -> str:
        """Keep the code itself out of tracebacks and logs."""
        return f"Code({self.kind})"


@dataclass(frozen=True, slots=True)
class Parsed:
    """The right codes in a message, as typed from first to last, and what is wrong with what else looks like one."""

    codes: tuple[Code, ...]
    problem: Problem | None

    @property
    def pack(self) -> str | None:
        """The first pack code, canonical."""
        return self._first(Kind.PACK)

    @property
    def vote(self) -> str | None:
        """The first vote code, canonical."""
        return self._first(Kind.VOTE)

    def _first(self, kind: Kind) -> str | None:
        return next((code.canonical for code in self.codes if code.kind is kind), None)


def parse(text: str, poll_id: str) -> Parsed:
    """Read the codes in a message: one, or both in either order, in any grouping, among other words.

    Only codes with the right check character are returned. When something else in the message looks like an
    attempt at a code, or when there is no code, `problem` says what is wrong with it.
    """
    runs = cut(text[:_TEXT_MAX])
    if not runs:
        return Parsed((), Problem(Reason.NOT_A_CODE if text.strip() else Reason.EMPTY))
    found, left = _find_among_words(runs, poll_id)
    codes = tuple(dict.fromkeys(found[place] for place in sorted(found)))
    kinds = {code.kind for code in codes}
    problem = _diagnose(left, {Kind.PACK: Kind.VOTE, Kind.VOTE: Kind.PACK}[kinds.pop()] if len(kinds) == 1 else None)
    if codes and problem.reason is Reason.NOT_A_CODE:
        return Parsed(codes, None)
    return Parsed(codes, problem)


def contains_code(text: str) -> bool:
    """Say whether a message seems to hold a code, right or mistyped, of this poll or any other."""
    return any(_attempts(unlabelled(cut(text))))


def redact(text: str) -> str:
    """Replace all that seems to be a code with "[code]"; dates and times stay, other short ids may go too."""
    times = [range(*match.span()) for match in _TIMESTAMP.finditer(text)]
    runs = cut(text)
    runs = without(unlabelled(runs), [run for run in runs if any(run.start in time for time in times)])
    closest = [
        view for view in chain(tokens(runs), triples(runs)) if len(text_of(view)) in _EXACT and _is_attempt(view)
    ]
    rest = without(runs, chain.from_iterable(closest))
    kept, at = [], 0
    for start, end in _merged((view[0].start, view[-1].end) for view in chain(closest, _attempts(rest))):
        kept += [text[at:start], "[code]"]
        at = end
    return "".join(kept) + text[at:]


def _find_among_words(runs: list[Run], poll_id: str) -> tuple[dict[int, Code], list[Run]]:
    """Find codes with labels left out, then once more with them: a cut code may have "MY" for a group."""
    plain = unlabelled(runs)
    found, left = _find(plain, poll_id)
    if left and len(plain) < len(runs):
        taken = {run.start for run in plain} - {run.start for run in left}
        more, rest = _find(without(runs, [run for run in runs if run.start in taken]), poll_id)
        if more:
            return found | more, unlabelled(rest)
    return found, left


def _find(runs: list[Run], poll_id: str) -> tuple[dict[int, Code], list[Run]]:
    """Take the right codes out of the runs, strictest views first: codes by place in the message, and what is left."""
    found: dict[int, Code] = {}
    for views in (tokens, _whole, lines, triples, windows):
        taken: set[Run] = set()
        for view in views(runs):
            codes = _codes(text_of(view), poll_id)
            if codes and taken.isdisjoint(view):  # no run serves two codes
                found |= {view[0].start + place: code for place, code in enumerate(codes)}
                taken.update(view)
        runs = without(runs, taken)
    for view in [*tokens(runs), *_whole(runs)]:
        half = _half(view, poll_id)
        if half:
            code, rest = half
            return found | {view[0].start: code}, [*without(runs, view), rest]
    return found, runs


def _codes(text: str, poll_id: str) -> tuple[Code, ...]:
    """Read `text` as exactly one code, or as both."""
    for kind in Kind:
        if right(kind, text, poll_id):
            return (Code(kind, text),)
    for first, second in _orders(text):
        if right(first.kind, first.canonical, poll_id) and right(second.kind, second.canonical, poll_id):
            return (first, second)
    return ()


def _half(view: View, poll_id: str) -> tuple[Code, Run] | None:
    """Both codes run together and one of them mistyped: the right one, and the other as a run of its own."""
    halves = [
        (good, other)
        for order in _orders(text_of(view))
        for good, other in (order, order[::-1])
        if right(good.kind, good.canonical, poll_id)
    ]
    if len(halves) != 1:  # none is right, or which one is cannot be told
        return None
    good, other = halves[0]
    return good, Run(other.canonical, view[0].start, view[-1].end, Glue.NEW_LINE)


def _orders(text: str) -> list[tuple[Code, Code]]:
    """Give the two ways to cut 21 characters into both codes; neither is checked yet."""
    if len(text) != _BOTH:
        return []
    pack, vote = Kind.PACK, Kind.VOTE
    return [
        (Code(first, text[: first.length]), Code(second, text[first.length :]))
        for first, second in ((pack, vote), (vote, pack))
    ]


def _whole(runs: Sequence[Run]) -> Iterator[View]:
    if runs:
        yield tuple(runs)


def _diagnose(runs: Sequence[Run], missing: Kind | None) -> Problem:
    """Name what is wrong with what is left of a message, where `missing` may be what its writer meant."""
    attempt = next(_attempts(runs), None)
    return _problem(text_of(attempt), missing) if attempt else Problem(Reason.NOT_A_CODE)


def _problem(text: str, missing: Kind | None) -> Problem:
    strange = "".join(dict.fromkeys(char for char in text if char not in VALUES))
    if len(text) in _EXACT:
        reason = Reason.BAD_CHARACTER if strange else Reason.CHECK_FAILED
        return Problem(reason, _EXACT[len(text)], strange)
    if missing:
        reason = Reason.TOO_SHORT if len(text) < missing.length else Reason.TOO_LONG
        return Problem(reason, missing, strange)
    # One character off is most likely that kind; two and more off could be either.
    reason = Reason.TOO_SHORT if len(text) in _SHORT else Reason.TOO_LONG
    return Problem(reason, _EXACT.get(len(text) + 1) or _EXACT.get(len(text) - 1), strange)


def _attempts(runs: Sequence[Run]) -> Iterator[View]:
    """Give views that look like somebody tried to type a code: those as long as one first, then the widest."""
    views = [view for view in chain(_whole(runs), lines(runs), tokens(runs), triples(runs)) if _is_attempt(view)]
    return iter(sorted(views, key=lambda view: len(text_of(view)) not in _EXACT))


def _is_attempt(view: View) -> bool:
    """Tell an attempt at a code from ordinary words, numbers, times and postcodes.

    Either it is in dashed groups as printed, or it has letters and digits and is mostly made of runs that mix
    them, or its groups are all (but one) three or all four long with such a run among them, or it is spelled out.
    """
    text = text_of(view)
    if not _ATTEMPT_MIN <= len(text) <= _ATTEMPT_MAX or text.isdigit() or _POSTCODE.fullmatch(text):
        return False
    lengths = [len(run.text) for run in view]
    spelled = max(lengths) <= _SPELLED_MAX and len(text) >= Kind.PACK.length
    if spelled and any(char.isdigit() for char in text):
        return True
    dashed = len(view) > 1 and all(run.glue is Glue.JOINED for run in view[1:])
    if dashed and any(lengths == [kind.group] * 3 for kind in Kind):
        return True
    mixed = sum(len(run.text) for run in view if _mixes(run.text))
    if 2 * mixed >= len(text):
        return True
    numbers = any(run.text.isdigit() for run in view)
    groups = max(lengths.count(kind.group) for kind in Kind)
    return (mixed > 0 or (numbers and groups == len(view))) and groups >= max(2, len(view) - 1)


def _mixes(text: str) -> bool:
    """Say whether a run has letters and digits as codes do, not as "2pm" and "3rd" do."""
    return not text.isdigit() and any(char.isdigit() for char in text) and not _EVERYDAY.fullmatch(text)


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join spans that overlap."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
