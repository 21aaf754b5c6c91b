"""Text that people type (names, reasons, titles, options): one filter on its way in, and what looks like what.

What is left after the filter is composed (NFC), shows on a screen, and may be quoted by every Python this program runs
on: Pythons know different versions of Unicode, so letters newer than what all of them know go too.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Final

# Every Python carries the table of Unicode 3.2. These ranges were wholly assigned by Unicode 14, which Python 3.11 has:
# Latin, Greek, Cyrillic, Armenian, currencies, signs, flags and emoji. https://www.unicode.org/Public/14.0.0/ucd/
_OLD: Final = unicodedata.ucd_3_2_0
_SINCE: Final = (
    (0x0180, 0x0377),
    (0x037B, 0x037F),
    (0x03A3, 0x052F),
    (0x0560, 0x0560),
    (0x0588, 0x0588),
    (0x1D00, 0x1EFF),
    (0x20A0, 0x20C0),
    (0x2600, 0x27BF),
    (0x2C60, 0x2C7F),
    (0x1F1E6, 0x1F1FF),
    (0x1F300, 0x1F6D7),
    (0x1F900, 0x1FA53),
)
# Letters and marks that show nothing: Hangul fillers, joiners, variation selectors, the empty Braille cell.
# https://www.unicode.org/Public/14.0.0/ucd/DerivedCoreProperties.txt, Default_Ignorable_Code_Point
_BLANK: Final = ((0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2800, 0x2800))
_BLANK_TOO: Final = ((0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xE0100, 0xE01EF))
_UNSEEN: Final = frozenset({"Cc", "Cf", "Zl", "Zp"})
_LOST: Final = frozenset({"Cn", "Co", "Cs"})

# Letters of other alphabets that look like a Latin letter or a digit, from Unicode's confusables (UTS 39, 2022), as far
# as they pass the filter. https://www.unicode.org/Public/security/15.0.0/confusables.txt
_LOOK_ALIKES: Final = {
    "A": "\u0391\u0410\u13aa",
    "B": "\u0392\u0412\u13f4",
    "C": "\u0421\u13df",
    "D": "\u13a0",
    "E": "\u0395\u0415\u13ac",
    "F": "\u03dc",
    "G": "\u050c\u13c0\u13f3",
    "H": "\u0397\u041d\u13bb",
    "J": "\u037f\u0408\u13ab",
    "K": "\u039a\u041a\u13e6",
    "L": "\u13de",
    "M": "\u039c\u03fa\u041c\u13b7",
    "N": "\u039d",
    "O": "\u039f\u041e\u0555",
    "P": "\u03a1\u0420\u13e2",
    "R": "\u01a6\u13a1",
    "S": "\u0405\u054f\u13da",
    "T": "\u03a4\u0422\u13a2",
    "U": "\u054d",
    "V": "\u0474\u13d9",
    "W": "\u051c\u13b3",
    "X": "\u03a7\u0425",
    "Y": "\u03a5\u0423\u04ae\u13a9",
    "Z": "\u0396\u13c3",
    "a": "\u0251\u03b1\u0430",
    "b": "\u0184\u042c",
    "c": "\u1d04\u0441",
    "d": "\u0501",
    "e": "\u0435\u04bd",
    "g": "\u0261\u0581",
    "h": "\u04bb\u0570",
    "i": "\u0131\u0269\u03b9\u0456",
    "j": "\u03f3\u0458",
    "n": "\u0578\u057c",
    "o": "\u1d0f\u03bf\u043e\u0585",
    "p": "\u03c1\u0440",
    "q": "\u051b\u0563\u0566",
    "r": "\u1d26\u0433",
    "s": "\u01bd\u0455",
    "u": "\u1d1c\u028b\u03c5\u057d",
    "v": "\u1d20\u03bd\u0475",
    "w": "\u1d21\u0461\u051d\u0561",
    "x": "\u0445",
    "y": "\u0263\u028f\u03b3\u0443\u04af",
    "z": "\u1d22",
    "I": "\u0196\u01c0\u0399\u0406\u04c0\u04cf",
    "2": "\u01a7",
    "3": "\u01b7\u0417\u04e0\u021c",
    "5": "\u01bc",
    "6": "\u0431",
    "8": "\u0223\u0222",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u02d7\u06d4",
    "'": "\u2018\u2019\u201b\u2032\u02b9\u02bb\u02bc\u02bd\u02c8\u0060\u00b4",
    '"': "\u201c\u201d\u201f\u2033\u02ba",
}
_TWINS: Final = str.maketrans({twin: letter for letter, twins in _LOOK_ALIKES.items() for twin in twins})
# These are told apart by their case: Ian and lan look alike, Ian and Lan do not.
_STROKES: Final = str.maketrans({"I": "l", "1": "l", "|": "l", "0": "O"})


def one_line(words: str) -> str:
    """Give a name, title or reason as it may be kept: NFC, nothing unseen, single spaces, none at its ends."""
    spaced = "".join(" " if char.isspace() else char for char in words if char.isspace() or is_shown(char))
    return " ".join(unicodedata.normalize("NFC", spaced).split())


def lines(words: str) -> str:
    """Give a text of several lines as it may be kept: each as `one_line`, with at most one empty line between two."""
    kept: list[str] = []
    for line in map(one_line, words.splitlines()):
        if line or (kept and kept[-1]):
            kept.append(line)
    return "\n".join(kept).strip()


def is_shown(char: str) -> bool:
    """Whether a character shows something, on every Python; spaces do not."""
    return not (unicodedata.category(char) in _UNSEEN or char.isspace() or _within(char, _BLANK + _BLANK_TOO)) and (
        is_known(char)
    )


def is_known(char: str) -> bool:
    """Whether every Python knows the character; not one that is private, half of one, or newer than Unicode 14."""
    if unicodedata.category(char) in _LOST:
        return False
    return _OLD.category(char) not in _LOST or _within(char, _SINCE)


def looks_like(one: str, other: str) -> bool:
    """Whether two texts could be taken for each other: other capitals, alphabets, widths, spaces or accents' coding."""
    return not _faces(one).isdisjoint(_faces(other))


def first_alike(texts: Sequence[str]) -> tuple[str, str] | None:
    """Give the first two of these texts that look alike, if there are any."""
    return next((pair for pair in combinations(texts, 2) if looks_like(*pair)), None)


def _faces(words: str) -> frozenset[str]:
    """Give what a text may be read as: as it stands, and without its case; each kind begins with its own mark."""
    wide = one_line(unicodedata.normalize("NFKC", one_line(words)))
    return frozenset({"=" + wide.translate(_TWINS).translate(_STROKES), *_caseless(wide)})


def _caseless(wide: str) -> Iterator[str]:
    """Yield a text without its case; of other alphabets only the capitals, or only the small letters, look alike."""
    for cased in (wide, wide.upper(), wide.lower(), wide.casefold()):
        yield "~" + cased.translate(_TWINS).casefold()


def _within(char: str, ranges: Sequence[tuple[int, int]]) -> bool:
    return any(first <= ord(char) <= last for first, last in ranges)
