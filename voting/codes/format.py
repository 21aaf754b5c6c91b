"""What a pack code and a vote code look like, and how one is made.

Both are drawn from 31 characters that nobody confuses: no 0 or O, no 1, I or L. 31 is prime, so one
check character catches every single wrong character and every two characters swapped.
"""

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from operator import mul
from typing import Final

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
PRIME: Final = len(ALPHABET)  # 31
VALUES: Final = {char: value for value, char in enumerate(ALPHABET)}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words people type around their codes, in English and Welsh. No code holds one of them as a group, so
# they can be dropped from a message without losing part of a code.
LABELS: Final = _words(
    "AND ARE COD CODAU CODE CODES DDA DIOLCH DYMA FROM FY GWELWCH HELO HELLO HERE HI IS IT ITS LETTER MY OS PACK "
    "PECYN PLEASE PLEIDLAIS PLEIDLEISIO PLIS SECURITY THANK THANKS THE VOTE VOTING YN YOU YW"
)
# A spreadsheet turns these into dates or truth values.
_EATEN: Final = _words("JAN FEB MAR APR MAY JUN AUG SEP DEC TRUE")
# Stems nobody should find in a letter; compared after _LEET, and only what the alphabet can spell.
_OFFENSIVE: Final = _words(
    "ARSE ASS BAST BUGGER CACHU CRAP CUM CUNT DAMN FAG FAT FUC FUK FFWC GAY HATE JEW KKK NAZ NEGR PAKY PRAT "
    "PERV QUEER RAPE SEX SHAG SUCK TART TWAT TWP WANK WHR XXX"
)
_UNWANTED: Final = _EATEN | _OFFENSIVE | {label for label in LABELS if len(label) >= 3}  # noqa: PLR2004 - a group
_LEET: Final = str.maketrans("345789", "EASTBG")
_UNWANTED_ANYWHERE: Final = re.compile("|".join(sorted(_UNWANTED)))  # one search is 10 times faster than 50 of `in`
# Whole codes that a spreadsheet reads as a number (23E45) or a time of day (23PM).
_NUMBER_LIKE: Final = re.compile(r"[0-9]+(?:[DE][0-9]+|[AP]M?)?")
_DIGITS_MIN: Final = 2  # so that a word is never a code, not even with one character mistyped
_LETTERS_MIN: Final = 2  # so that a telephone number is never a code


class Kind(StrEnum):
    """Which of a pack's two codes."""

    PACK = "pack"
    VOTE = "vote"

    @property
    def length(self) -> int:
        """Characters of the canonical code, its check character included."""
        return 9 if self is Kind.PACK else 12

    @property
    def group(self) -> int:
        """Characters between two dashes on paper."""
        return self.length // 3


@dataclass(frozen=True, slots=True)
class CheckRule:
    """The linear rule that every right code of one kind in one poll obeys.

    The sum of weight x value over all characters, the last one included, is `constant` modulo 31. All weights
    differ and none is zero: one wrong character, or any two characters swapped, always breaks the sum. Weights
    and constant come from the poll's id, so a code of another poll breaks it 30 times in 31: no single
    character can do better.
    """

    weights: tuple[int, ...]
    constant: int

    @staticmethod
    def for_poll(poll_id: str, kind: Kind) -> "CheckRule":
        """Derive this poll's rule for one kind of code."""
        return _rule(poll_id, kind)

    def holds(self, canonical: str) -> bool:
        """Say whether a code of the right length over `ALPHABET` obeys the rule."""
        return self._sum(canonical) == self.constant

    def complete(self, body: str) -> str:
        """Append the one check character that makes `body` right."""
        missing = (self.constant - self._sum(body)) % PRIME
        return body + ALPHABET[missing * pow(self.weights[-1], -1, PRIME) % PRIME]

    def _sum(self, text: str) -> int:
        total: int = sum(map(mul, self.weights, map(VALUES.__getitem__, text)))
        return total % PRIME


@lru_cache(maxsize=64)
def _rule(poll_id: str, kind: Kind) -> CheckRule:
    def digest(label: str) -> bytes:
        return hashlib.sha256(f"ballotline check 1\0{kind}\0{poll_id}\0{label}".encode()).digest()

    shuffled = sorted(range(1, PRIME), key=lambda weight: digest(f"weight {weight}"))
    return CheckRule(tuple(shuffled[: kind.length]), int.from_bytes(digest("constant")) % PRIME)


def generate(kind: Kind, poll_id: str, *, random: Callable[[int], int] = secrets.randbelow) -> str:
    """Draw a fresh canonical code: no dashes, check character last.

    `random(n)` gives an even number in [0, n). Codes that cannot be issued (see `issuable`) are drawn again, which
    costs less than a bit of the 39 (pack) and 54 (vote) bits.
    """
    rule = CheckRule.for_poll(poll_id, kind)
    while True:
        code = rule.complete("".join(ALPHABET[random(PRIME)] for _ in range(kind.length - 1)))
        if issuable(code):
            return code


def issuable(canonical: str) -> bool:
    """Say whether a code may go on paper: not a word, not a number, and nothing a spreadsheet would change.

    It has two digits and two letters or more, reads neither as a number nor as a time, and spells no month, no
    offensive stem (digits read as letters too) and no word that people type around a code.
    """
    digits = sum(map(str.isdigit, canonical))
    if digits < _DIGITS_MIN or len(canonical) - digits < _LETTERS_MIN or _NUMBER_LIKE.fullmatch(canonical):
        return False
    spelled = canonical.translate(_LEET)
    return not (_UNWANTED_ANYWHERE.search(canonical) or _UNWANTED_ANYWHERE.search(spelled))


def right(kind: Kind, text: str, poll_id: str) -> bool:
    """Say whether `text` is a code that this poll can have issued: length, characters, check and shape."""
    return (
        len(text) == kind.length
        and VALUES.keys() >= set(text)
        and CheckRule.for_poll(poll_id, kind).holds(text)
        and issuable(text)
    )


def printed(kind: Kind, canonical: str) -> str:
    """Write a canonical code as on paper: ABC-DEF-GHJ or ABCD-EFGH-JKMN."""
    return "-".join(canonical[at : at + kind.group] for at in range(0, kind.length, kind.group))
