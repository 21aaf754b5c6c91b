"""The words that files of other houses use, and ours for each: one table for every import."""

from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What a word says."""

    EVENT = "event"  # of a pack
    STATUS = "status"  # of a paper


# The word as written, folded -> ours. Only what can mean nothing else.
WORDS: Final[dict[Kind, dict[str, str]]] = {
    Kind.EVENT: {
        "dispatched": "dispatched",
        "despatched": "dispatched",  # British spelling
        "delivered": "delivered",
        "returned": "returned",
    },
    Kind.STATUS: {
        "received": "received",
        "rejected": "rejected",
    },
}

# Names of the country that its own files use beside the code of ISO 3166; every other name is a warning.
HOME_NAMES: Final = {
    "UK": "GB",
    "UNITED KINGDOM": "GB",
    "GREAT BRITAIN": "GB",
    "ENGLAND": "GB",
    "SCOTLAND": "GB",
    "WALES": "GB",
    "CYMRU": "GB",
    "NORTHERN IRELAND": "GB",
}

TOTALS: Final = frozenset({"total", "totals", "grand total", "subtotal", "sum", "count", "cyfanswm"})


def our_word(kind: Kind, written: str) -> str | None:
    """Give our word for one as written, in any case; None when it is not known."""
    return WORDS[kind].get(written.strip().casefold())


def unknown(kind: Kind, written: str) -> str:
    """Say that a word is not known, and which are."""
    known = ", ".join(dict.fromkeys(WORDS[kind].values()))
    return f"unknown {kind} {written[:40]!r}: known are {known}"


def is_total(cell: str) -> bool:
    """Whether a cell begins as the last line of a spreadsheet's list does: `Total: 3`."""
    word = cell.strip().casefold().rstrip("0123456789 .,:=").strip()
    return word in TOTALS
