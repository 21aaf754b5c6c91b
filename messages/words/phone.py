"""Telephone numbers as people wrote them: the E.164 form that can take SMS, or the reason there is none."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumberFormat, PhoneNumberType

HOME: Final = "GB"

_HOME_CODE: Final = phonenumbers.country_code_for_region(HOME)

# Islands that share +44 and write their numbers as Great Britain does.
_HOME_PLAN: Final = frozenset({"GB", "GG", "JE", "IM"})

# Ofcom, "Telephone numbers for use in TV and radio drama": mobiles nobody has. They are not valid
# numbers to phonenumbers; every example and test of ours is written with them.
_DRAMA_MOBILES: Final = range(7_700_900_000, 7_700_901_000)

_TAKES_SMS: Final = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})

# A cell longer than this is not a number with a remark but something else.
_CELL_CHARACTERS_MAX: Final = 200


class PhoneReason(StrEnum):
    """Why a number cannot take SMS, nearest miss last; the text is `words`, `phone.reason.<value>`."""

    MISSING = "missing"
    MALFORMED = "malformed"
    UNASSIGNED = "unassigned"
    NOT_MOBILE = "not_mobile"
    LANDLINE = "landline"


@dataclass(frozen=True, slots=True)
class Phone:
    """A number that can take SMS, or the reason why not: exactly one of the two is set."""

    e164: str | None
    reason: PhoneReason | None


def read_phone(raw: str, country: str | None) -> Phone:
    """Read a number written by a person who lives in `country` (ISO 3166; None or empty: GB).

    A number is read as one of that country, otherwise not at all: read as a British one it could be somebody else's.
    A country that there is not leaves numbers in full, with their plus. Where a cell holds several numbers, the first
    that can take SMS is taken: the member gave them all. Remarks around the number, an extension, letter O for zero
    and invisible characters are overlooked; a fraction is what a spreadsheet made of a number, and is none.
    """
    region = _region(country)
    if (plain := _plain_british_mobile(raw, region)) is not None:
        return Phone(plain, None)
    written = _written(raw)
    if not written:
        return Phone(None, PhoneReason.MISSING)
    if _FRACTION.fullmatch(written):
        return Phone(None, PhoneReason.MALFORMED)
    nearest = PhoneReason.MALFORMED
    for candidate in _candidates(written):
        read = _read_in(candidate, region)
        if read.reason is None:
            return read
        nearest = max(nearest, read.reason, key=_CLOSENESS.index)
    return Phone(None, nearest)


def _region(country: str | None) -> str | None:
    code = (country or "").strip().upper() or HOME
    return code if code in phonenumbers.SUPPORTED_REGIONS else None


def phone_or_reason(raw: str, country: str | None) -> tuple[str | None, str | None]:
    """Read a number for voting's roll, which knows no words of ours: E.164, or None and the reason's key."""
    read = read_phone(raw, country)
    return read.e164, read.reason


_CLOSENESS: Final = list(PhoneReason)

_FILLING: Final = re.compile(r"[ ()\-.\u00a0]")
_BRITISH_MOBILE: Final = re.compile(r"(?:(?P<abroad>\+44|0044)0?|0)(?P<national>7[0-9]{9})")


def _british_mobile_ranges() -> re.Pattern[str]:
    metadata = PhoneMetadata.metadata_for_region(HOME)
    assert metadata is not None
    pattern = metadata.mobile.national_number_pattern if metadata.mobile else None
    assert pattern is not None
    return re.compile(pattern)


_BRITISH_MOBILE_RANGES: Final = _british_mobile_ranges()


def _plain_british_mobile(raw: str, region: str | None) -> str | None:
    """Give the common case at a tenth of the time; whatever is not surely British is left to the long way.

    It must agree with the long way: the ranges are phonenumbers' own.
    """
    match = _BRITISH_MOBILE.fullmatch(_FILLING.sub("", raw))
    if match is None or (not match["abroad"] and region not in _HOME_PLAN):
        return None
    national = match["national"]
    if int(national) in _DRAMA_MOBILES or _BRITISH_MOBILE_RANGES.fullmatch(national):
        return f"+44{national}"
    return None


def _written(raw: str) -> str:
    """Give what a reader of the cell sees: full-width forms made plain, invisible characters gone."""
    shown = unicodedata.normalize("NFKC", raw[:_CELL_CHARACTERS_MAX])
    seen = "".join(char for char in shown if unicodedata.category(char) not in {"Cf", "Cc"} or char.isspace())
    return seen.strip(" \t\r\n'\"-.,")


_LETTER_O: Final = re.compile(r"(?<=\d)[oO]+(?=[\d\s])|(?<![^\W_])[oO]+(?=\d)")
_NATIONAL_ZERO: Final = re.compile(r"^(\s*(?:\+|00)[\d\s]*)\(0\)")
_EXTENSION: Final = re.compile(
    r"(?:\bext(?:ension|n)?\b|\best\b|(?<=[\d\s])x)[\s.:]*\d{1,6}\s*$|#\s*\d{1,6}\s*$", re.IGNORECASE
)
# 7700900301.0, 4.47700900301E+11: what a spreadsheet makes of a number.
_FRACTION: Final = re.compile(r"\+?[0-9]{6,}[.,][0-9]{1,2}|[0-9][.,]?[0-9]*[eE]\+?[0-9]{1,2}")
_BRITISH_IN_FULL: Final = re.compile(r"^\s*00\s*(?=44)")  # also where another prefix is dialled
_BETWEEN_NUMBERS: Final = re.compile(r"[^\W\d_]+|[/,;&|\n]")


def _candidates(written: str) -> list[str]:
    """Give every stretch of a cell that could be a number: the whole first, then what lies between words."""
    digits = _EXTENSION.sub("", _LETTER_O.sub(lambda run: "0" * len(run[0]), written))
    stretches = [stretch for stretch in _BETWEEN_NUMBERS.split(digits) if any(map(str.isdigit, stretch))]
    whole = [digits] if not any(map(str.isalpha, digits)) else []
    return list(
        dict.fromkeys(_BRITISH_IN_FULL.sub("+", _NATIONAL_ZERO.sub(r"\1", each)) for each in [*whole, *stretches])
    )


def _read_in(candidate: str, region: str | None) -> Phone:
    try:
        number = phonenumbers.parse(candidate, region)
    except NumberParseException:
        return Phone(None, PhoneReason.MALFORMED)
    drama = number.country_code == _HOME_CODE and number.national_number in _DRAMA_MOBILES
    kind = phonenumbers.number_type(number)
    if drama or kind in _TAKES_SMS:
        return Phone(phonenumbers.format_number(number, PhoneNumberFormat.E164), None)
    if kind == PhoneNumberType.FIXED_LINE:
        return Phone(None, PhoneReason.LANDLINE)
    if kind != PhoneNumberType.UNKNOWN:
        return Phone(None, PhoneReason.NOT_MOBILE)
    # "Possible" alone would also take a local number without its area code.
    whole = phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE
    return Phone(None, PhoneReason.UNASSIGNED if whole else PhoneReason.MALFORMED)
