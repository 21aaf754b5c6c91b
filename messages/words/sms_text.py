"""What a text message is on the wire: which alphabet it needs, how many segments, what it costs.

Rules of 3GPP TS 23.038 (alphabets) and 23.040 (joined messages):

    alphabet   alone   in each joined part   counts
    GSM-7      160     153                   a septet; an extension character is two (escape + septet)
    UCS-2       70      67                   a UTF-16 unit; a character beyond U+FFFF is two (surrogates)

A pair is never split over two parts, so a part may stay one unit short.
"""

import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

# 3GPP TS 23.038, 6.2.1, in order of septets, without the escape at 0x1B.
GSM_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# 3GPP TS 23.038, 6.2.1.1: each is sent as an escape and a septet.
GSM_EXTENSION: Final = "\f^{}\\[~]|€"

# Twilio refuses a longer body (error 21617).
BODY_CHARACTERS_MAX: Final = 1600

_SEPTETS: Final = dict.fromkeys(GSM_BASIC, 1) | dict.fromkeys(GSM_EXTENSION, 2)
_FIRST_TWO_UNIT_CHARACTER: Final = "\U00010000"


class Encoding(StrEnum):
    """The alphabet a text needs; the values are the ones shown to staff."""

    GSM_7 = "GSM-7"
    UCS_2 = "UCS-2"


# units that fit in one message alone, and in each part of a joined one
_CAPACITY: Final = {Encoding.GSM_7: (160, 153), Encoding.UCS_2: (70, 67)}


@dataclass(frozen=True, slots=True)
class SmsText:
    """A text as it will be sent: `units` of its alphabet, in `parts` that joined give the text back."""

    text: str
    encoding: Encoding
    units: int
    parts: tuple[str, ...]

    @property
    def characters(self) -> int:
        """How many characters a reader sees counted (code points)."""
        return len(self.text)

    @property
    def segments(self) -> int:
        """How many segments are billed."""
        return len(self.parts)

    @property
    def fits(self) -> bool:
        """Whether Twilio takes it in one request."""
        return 0 < self.characters <= BODY_CHARACTERS_MAX


def encode_plan(text: str) -> SmsText:
    """Say how this exact text is sent; an empty text has no segments. Replaces nothing (see `plain`)."""
    encoding = Encoding.UCS_2 if unfit(text) else Encoding.GSM_7
    sizes = [_SEPTETS[char] if encoding is Encoding.GSM_7 else _utf16_units(char) for char in text]
    alone, joined = _CAPACITY[encoding]
    units = sum(sizes)
    if units <= alone:
        return SmsText(text, encoding, units, (text,) if text else ())
    return SmsText(text, encoding, units, _split(text, sizes, joined))


def unfit(text: str) -> str:
    """Give the characters outside GSM-7, each once, in the order they appear: why a text costs more."""
    return "".join(dict.fromkeys(char for char in text if char not in _SEPTETS))


def cost(segments: int, cost_per_segment: Decimal, recipients: int = 1) -> Decimal:
    """Give what a text of so many segments costs to send to so many numbers, exactly."""
    return segments * recipients * cost_per_segment


def plain(text: str) -> str:
    """Put typography into the plain characters of GSM-7, where the meaning stays the same.

    Dashes, quotes, spaces, bullets and the ellipsis become their typewriter form; marks without width
    go. Letters are never touched: a Welsh circumflex is spelling, not typography. Idempotent.
    """
    composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    # Taking a mark away can bring a letter and its accent together: compose once more.
    return unicodedata.normalize("NFC", composed.translate(_PLAIN))


def _same(characters: str, replacement: str) -> dict[int, str]:
    return dict.fromkeys(map(ord, characters), replacement)


_PLAIN: Final = {
    # hyphens, figure, en and em dash, bar, minus
    **_same("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
    # single quotes, apostrophes, prime, acute and grave accents standing alone
    **_same("\u2018\u2019\u201a\u201b\u2032\u02b9\u02bc\u00b4`", "'"),
    # double quotes, guillemets, double prime
    **_same("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
    # no-break, en to hair, narrow, medium mathematical and ideographic spaces; tab
    **_same("\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t", " "),
    # line and paragraph separators, next line, vertical tab
    **_same("\u2028\u2029\u0085\x0b", "\n"),
    # bullets, middle dot
    **_same("\u2022\u2023\u25e6\u25aa\u25cf\u00b7", "-"),
    **_same("\u2026", "..."),
    # no width: spaces and joiners, soft hyphen, direction marks, byte order mark
    **_same(
        "\u200b\u200c\u200d\u2060\u00ad\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff",
        "",
    ),
}


def _utf16_units(char: str) -> int:
    return 2 if char >= _FIRST_TWO_UNIT_CHARACTER else 1


def _split(text: str, sizes: list[int], capacity: int) -> tuple[str, ...]:
    """Cut a text into parts of at most `capacity` units, never within a character."""
    starts, used = [0], 0
    for index, size in enumerate(sizes):
        if used + size > capacity:
            starts.append(index)
            used = 0
        used += size
    return tuple(text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True))
