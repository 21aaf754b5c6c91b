"""What a notice can be about."""

from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What a notice is about; each but CUSTOM has its words in the catalogues."""

    PACK_DELAYED = "pack_delayed"
    WINDOW_CHANGED = "window_changed"
    RULE_CHANGED = "rule_changed"
    REMINDER = "reminder"
    CLOSING_SOON = "closing_soon"
    CUSTOM = "custom"


# Not to somebody who has voted by the moment it goes out.
NOT_TO_VOTERS: Final = frozenset({Kind.REMINDER, Kind.CLOSING_SOON})
# About the days packs arrive: a newer window makes them wrong.
OF_WINDOW: Final = frozenset({Kind.PACK_DELAYED, Kind.WINDOW_CHANGED})
