"""Whose fault a refusal is: one recipient's when alone, our set-up's when several fail alike. Pure; kept in memory.

    doubtful     several of the same within a few messages, or a share of the last hundred
    on the way   several in a row, of whatever reason: nothing gets through

Each process judges by what it has seen itself; after a restart it begins anew.
"""

from collections import OrderedDict, defaultdict
from typing import Final

SEVERAL: Final = 3
NEAR: Final = 10  # messages within which several are too many
KEPT_MAX: Final = 100  # newest outcomes of a broadcast
SHARE: Final = 0.1  # of them
SHARE_LEAST: Final = 10  # fewer are no share
BROADCASTS_MAX: Final = 64

Broadcast = tuple[str, int | None]  # channel, notice


class Suspects:
    """The newest outcomes of each broadcast by delivery id: a reason, or None where it went."""

    def __init__(self) -> None:
        self._outcomes: defaultdict[Broadcast, OrderedDict[int, str | None]] = defaultdict(OrderedDict)

    def note(self, broadcast: Broadcast, delivery_id: int, reason: str | None) -> None:
        """Take in how one message went; noting it again changes nothing.

        News of one that had gone (a callback) stays where it was among the others; a new try counts as the newest.
        """
        if broadcast not in self._outcomes and len(self._outcomes) >= BROADCASTS_MAX:
            self._outcomes.clear()
        outcomes = self._outcomes[broadcast]
        had_gone = outcomes.get(delivery_id, reason) is None
        outcomes[delivery_id] = reason
        if not had_gone:
            outcomes.move_to_end(delivery_id)
        while len(outcomes) > KEPT_MAX:
            outcomes.popitem(last=False)

    def alike(self, broadcast: Broadcast, reason: str) -> list[int]:
        """Give the deliveries that failed for this reason if they are too many to be their recipients' fault."""
        outcomes = self._outcomes[broadcast]
        places = [place for place, found in enumerate(outcomes.values()) if found == reason]
        near = any(last - first < NEAR for first, last in zip(places, places[SEVERAL - 1 :], strict=False))
        many = len(places) >= max(SHARE_LEAST, SHARE * len(outcomes))
        return [one for one, found in outcomes.items() if found == reason] if near or many else []

    def in_a_row(self, broadcast: Broadcast) -> bool:
        """Tell whether the newest several all failed."""
        newest = list(self._outcomes[broadcast].values())[-SEVERAL:]
        return len(newest) == SEVERAL and None not in newest

    def forget(self, broadcast: Broadcast) -> None:
        """Begin anew: somebody has resumed it."""
        self._outcomes.pop(broadcast, None)
