"""Whether a letter can reach somebody, and what looks wrong in how it would be addressed."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from voting.roll.countries import HOME_POST, read_country

# Royal Mail's shape of a postcode (PAF Programmers' Guide); which ones exist is not looked up.
_POSTCODE: Final = re.compile(r"[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}", re.IGNORECASE)
_POSTCODE_SOMEWHERE: Final = re.compile(rf"(?<!\w){_POSTCODE.pattern}(?!\w)", re.IGNORECASE)
_NONE_NEEDED: Final = re.compile(r"\bBFPO\b|\bno fixed (?:abode|address)\b|\bNFA\b|heb gartref sefydlog", re.IGNORECASE)
_BREAKS: Final = re.compile(r"\s*[\t\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+\s*")


class Address(NamedTuple):
    """The cells that a letter is addressed from; a tuple, since there are as many as members."""

    name: str
    address_1: str
    address_2: str
    town: str
    postcode: str
    country: str


def nowhere(address: Address) -> str | None:
    """Say why a letter would reach nobody, or None: without a name, or without a place, codes would be lost."""
    missing = [] if address.name else ["name"]
    if not (address.address_1 or address.address_2 or (address.town and address.postcode)):
        missing.append("address")
    return f"no {' and no '.join(missing)}" if missing else None


def doubts(address: Address) -> Iterator[str]:
    """Yield what looks wrong; the letter is printed all the same, but for the first."""
    if (problem := nowhere(address)) is not None:
        yield f"{problem}: no pack is made unless told"
    elif read_country(address.country) in HOME_POST and (problem := _postcode_problem(address)) is not None:
        yield problem
    whole = "".join(address)
    if not whole.isascii() and any(map(is_broken, address)):
        yield "broken letters in name or address: the file was saved in another encoding once"
    if not whole.isprintable() and _BREAKS.search(whole):
        yield "line breaks or tabs in name or address: printed as spaces"


def _postcode_problem(address: Address) -> str | None:
    """Say what is wrong with a postcode at home; BFPO, no fixed abode and one within the address are fine."""
    if _POSTCODE.fullmatch(address.postcode):
        return None
    lines = f"{address.address_1} {address.address_2} {address.town}"
    if _NONE_NEEDED.search(lines) or _NONE_NEEDED.search(address.postcode):
        return None
    if address.postcode:
        return f"{address.postcode[:40]!r} is no postcode of {address.country or 'GB'}"
    return None if _POSTCODE_SOMEWHERE.search(lines) else "no postcode"


def is_broken(cell: str) -> bool:
    """Whether a cell holds a replacement character, or UTF-8 that was once read as Windows-1252 and saved so."""
    if cell.isascii():
        return False
    if "\ufffd" in cell:
        return True
    return any(_reads_as_utf_8(cell, encoding) for encoding in ("cp1252", "latin-1"))


def _reads_as_utf_8(cell: str, encoding: str) -> bool:
    try:
        cell.encode(encoding).decode("utf-8")
    except UnicodeError:
        return False
    return True


def on_one_line(cell: str) -> str:
    """Give a cell as a letter prints it: line breaks and tabs are spaces."""
    return _BREAKS.sub(" ", cell)
