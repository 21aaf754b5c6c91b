"""What is slow to count about a notice that goes or has gone, kept for a while: many people may watch one notice.

A count reads every row of its notice. It is kept longer, the longer it took: however large the roll, and however many
look, counting takes a small share of the time.
"""

import asyncio
from dataclasses import replace
from time import monotonic
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from messages.notices import notices
from messages.notices.model import ENDED, Notice
from messages.notices.reports import Report, progress, report

REPORT_LIFE_SECONDS: Final = 20.0
BAR_LIFE_SECONDS: Final = 1.0
LIFE_OF_TAKEN: Final = 20.0  # a count that took a second is kept for so many


class NoticeCounts:
    """Keeps the last bars and reports."""

    def __init__(self) -> None:
        self._reports: dict[int, tuple[float, Report]] = {}  # until when it is shown
        self._report_turn, self._bar_turn = asyncio.Lock(), asyncio.Lock()
        self._bars: dict[int, tuple[float, str, dict[str, Any]]] = {}

    async def bar(self, connection: AsyncConnection, found: Notice) -> dict[str, Any]:
        """Count a notice's progress, or give what was counted lately."""
        async with self._bar_turn:
            known = self._bars.get(found.id)
            if known is not None and known[1] == found.state and monotonic() < known[0]:
                return known[2]
            began = monotonic()
            drawn = bar(await progress(connection, found.id))
            life = REPORT_LIFE_SECONDS if found.state in ENDED else BAR_LIFE_SECONDS
            self._bars[found.id] = (until(began, life), found.state, drawn)
            return drawn

    async def report(self, connection: AsyncConnection, notice_id: int) -> Report:
        """Count the report, or give what was counted lately."""
        async with self._report_turn:
            known = self._reports.get(notice_id)
            if known is not None and monotonic() < known[0]:
                return replace(known[1], notice=await notices.show(connection, notice_id))
            began = monotonic()
            found = await report(connection, notice_id)
            self._reports[notice_id] = (until(began, REPORT_LIFE_SECONDS), found)
            return found

    def forget(self, notice_id: int) -> None:
        """Count the report anew the next time: somebody changed the notice."""
        self._reports.pop(notice_id, None)


def until(began: float, least: float) -> float:
    """Give until when a count is shown that was begun then and is done now."""
    now = monotonic()
    return now + max(least, LIFE_OF_TAKEN * (now - began))


def bar(states: dict[str, int]) -> dict[str, Any]:
    """Give a notice's progress: how many were told, failed, are still to go; shares of a hundred for the bar."""
    whole = sum(states.values())
    told = states.get("sent", 0) + states.get("delivered", 0)
    left = states.get("ready", 0) + states.get("sending", 0)
    doubt = states.get("unknown", 0)
    other = whole - told - left - doubt
    parts = {"told": told, "doubt": doubt, "other": other, "left": left}
    at, shares = 0.0, []
    for name, count in parts.items():
        share = 100 * count / whole if whole else 0.0
        shares.append({"name": name, "at": round(at, 3), "share": round(share, 3)})
        at += share
    return {"whole": whole, **parts, "parts": shares, "handled": whole - left}
