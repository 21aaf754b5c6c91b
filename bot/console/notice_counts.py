"""What is slow to count about a notice that goes or has gone, kept for a moment: many people may watch one notice."""

import asyncio
from dataclasses import replace
from time import monotonic
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.console.overview import bar
from messages.notices import notices
from messages.notices.model import ENDED, Notice
from messages.notices.reports import Report, progress, report

REPORT_LIFE_SECONDS: Final = 20.0
BAR_LIFE_SECONDS: Final = 1.0


class NoticeCounts:
    """Keeps the last bars and reports."""

    def __init__(self) -> None:
        self._reports: dict[int, tuple[float, Report]] = {}
        self._report_turn = asyncio.Lock()
        self._bars: dict[int, tuple[float, str, dict[str, Any]]] = {}

    async def bar(self, connection: AsyncConnection, found: Notice) -> dict[str, Any]:
        """Count a notice's progress, or give one that is a second old; it counts every row, and many may look."""
        life = REPORT_LIFE_SECONDS if found.state in ENDED else BAR_LIFE_SECONDS
        known = self._bars.get(found.id)
        if known is not None and known[1] == found.state and monotonic() - known[0] < life:
            return known[2]
        drawn = bar(await progress(connection, found.id))
        self._bars[found.id] = (monotonic(), found.state, drawn)
        return drawn

    async def report(self, connection: AsyncConnection, notice_id: int) -> Report:
        """Count the report, or give one a few seconds old: it reads every row of the notice."""
        async with self._report_turn:
            known = self._reports.get(notice_id)
            if known is not None and monotonic() - known[0] < REPORT_LIFE_SECONDS:
                return replace(known[1], notice=await notices.show(connection, notice_id))
            found = await report(connection, notice_id)
            self._reports[notice_id] = (monotonic(), found)
            return found

    def forget(self, notice_id: int) -> None:
        """Count the report anew the next time: somebody changed the notice."""
        self._reports.pop(notice_id, None)
