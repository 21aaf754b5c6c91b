"""The big numbers of the overview, gathered at most every few seconds for everybody who looks.

At 172,437 members they are scans of whole tables: see `kept` for who waits for them.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.console.kept import Kept, expire
from bot.console.office import Office, count_office
from bot.house import House
from bot.staff.turnout import Turnout, turnout
from messages import reach
from messages.schema import channel
from voting import schema
from voting.model import Window
from voting.packs.mailing_house import journeys
from voting.poll import window
from voting.poll.status import poll_facts

FRESH_SECONDS: Final = 4.0
OFFICE_FRESH_SECONDS: Final = 60.0
SOON_SECONDS: Final = 0.3  # how long a page waits for a count that is not made yet
LOCKED_OUT_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Numbers of one moment."""

    at: datetime
    facts: dict[str, Any]
    journeys: dict[str, int]
    channels: dict[str, dict[str, int]]
    window: Window
    locked_out: tuple[str, ...]
    turnout: Turnout

    @property
    def voted(self) -> int:
        """Members whose vote is locked."""
        return int(self.facts["locks"]["online"] + self.facts["locks"]["post"])

    @property
    def eligible(self) -> int:
        """Members who may vote."""
        return int(self.facts["roll"]["eligible"])


class Snapshots(Kept[Snapshot]):
    """Keeps the last snapshot; and beside it, counted less often, what an office looks for first."""

    def __init__(self, house: House, *, fresh_seconds: float = FRESH_SECONDS) -> None:
        super().__init__(house, gather, fresh_seconds=fresh_seconds)
        self.office: Kept[Office] = Kept(house, count_office, fresh_seconds=OFFICE_FRESH_SECONDS)

    async def begin(self) -> None:
        """Count both before anybody asks."""
        await super().begin()
        await self.office.begin()

    async def both_soon(self) -> tuple[Snapshot, Office] | None:
        """Give both, or None where one is still being counted after SOON_SECONDS; the counting goes on. NoPoll."""
        try:
            async with asyncio.timeout(SOON_SECONDS) as patience:
                return await self.latest(), await self.office.latest()
        except TimeoutError:
            if not patience.expired():
                raise
            return None

    async def expire(self) -> None:
        """Show the last counts no more: something was done that the next request must show."""
        await expire(self._house)


async def gather(connection: AsyncConnection, now: datetime) -> Snapshot:
    """Count everything once; NoPoll."""
    return Snapshot(
        at=now,
        facts=await poll_facts(connection),
        journeys=await journeys(connection),
        channels=await _channels(connection),
        window=await window.current(connection),
        locked_out=await _locked_out(connection),
        turnout=await turnout(connection, now),
    )


async def _channels(connection: AsyncConnection) -> dict[str, dict[str, int]]:
    counted = select(channel.c.kind, channel.c.state, func.count()).group_by(channel.c.kind, channel.c.state)
    rows = {(kind, state): count for kind, state, count in await connection.execute(counted)}
    return {
        kind: {state.value: rows[kind, state] for state in reach.State if (kind, state) in rows}
        for kind in (reach.TELEGRAM, reach.SMS)
    }


async def _locked_out(connection: AsyncConnection) -> tuple[str, ...]:
    member, pack = schema.member, schema.pack
    shut = (
        select(member.c.member_no)
        .join(pack, pack.c.member_id == member.c.id)
        .where(pack.c.locked_out_at.is_not(None), pack.c.state == "live")
        .limit(LOCKED_OUT_MAX)
    )
    return tuple((await connection.execute(shut)).scalars())
