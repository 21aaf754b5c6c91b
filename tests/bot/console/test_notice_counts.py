"""Counts of a notice are kept the longer, the longer they took: a large roll is not counted all the time."""

from typing import Any

import pytest
from console_house import ConsoleHouse
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.console import notice_counts
from bot.console.notice_counts import BAR_LIFE_SECONDS, LIFE_OF_TAKEN, REPORT_LIFE_SECONDS, NoticeCounts
from messages.notices.notices import list_notices
from messages.notices.reports import progress, report


class Counting:
    """Time that goes on while a notice is counted, and how often that was."""

    def __init__(self, takes: float) -> None:
        self.now, self.takes, self.times = 1_000.0, takes, 0

    async def progress(self, connection: AsyncConnection, notice_id: int) -> dict[str, int]:
        self.now, self.times = self.now + self.takes, self.times + 1
        return await progress(connection, notice_id)

    async def report(self, connection: AsyncConnection, notice_id: int) -> Any:
        self.now, self.times = self.now + self.takes, self.times + 1
        return await report(connection, notice_id)

    def watches(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(notice_counts, "monotonic", lambda: self.now)
        monkeypatch.setattr(notice_counts, "progress", self.progress)
        monkeypatch.setattr(notice_counts, "report", self.report)


@pytest.mark.parametrize(("takes", "kept"), [(0.001, BAR_LIFE_SECONDS), (3.0, 3.0 * LIFE_OF_TAKEN)])
async def test_a_bar_is_counted_again_when_its_life_is_over(
    town: ConsoleHouse, monkeypatch: pytest.MonkeyPatch, takes: float, kept: float
) -> None:
    counting, counts = Counting(takes), NoticeCounts()
    counting.watches(monkeypatch)
    async with town.database.reading() as connection:
        moving = next(found for found in await list_notices(connection) if found.state == "sending")
        await counts.bar(connection, moving)
        counting.now += kept - 0.01
        await counts.bar(connection, moving)
        assert counting.times == 1
        counting.now += 0.02
        await counts.bar(connection, moving)

    assert counting.times == 2


@pytest.mark.parametrize(("takes", "kept"), [(0.001, REPORT_LIFE_SECONDS), (30.0, 30.0 * LIFE_OF_TAKEN)])
async def test_a_report_is_counted_again_when_its_life_is_over(
    town: ConsoleHouse, monkeypatch: pytest.MonkeyPatch, takes: float, kept: float
) -> None:
    counting, counts = Counting(takes), NoticeCounts()
    counting.watches(monkeypatch)
    async with town.database.reading() as connection:
        await counts.report(connection, 1)
        counting.now += kept - 0.01
        await counts.report(connection, 1)
        assert counting.times == 1
        counting.now += 0.02
        await counts.report(connection, 1)

    assert counting.times == 2


async def test_the_overview_and_the_notices_share_their_counts(
    town: ConsoleHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = Counting(1.0)
    counting.watches(monkeypatch)
    async with town.database.reading() as connection:
        moving = [found for found in await list_notices(connection) if found.state == "sending"]
    async with town.visitor("Gwen") as visitor:
        for _ in range(3):
            await visitor.looks("/")
            await visitor.looks("/notices")

    assert counting.times == len(moving) == 1
