"""Many vote at once, by chat and page, and others are told something, while workers are killed: how long people wait.

Everybody acts once and waits for the answer; the page asks again as it does in a browser. A wait is the time from
what somebody does to what they hear of it.
"""

import asyncio
import contextlib
import itertools
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from statistics import quantiles
from time import monotonic
from typing import Any, TypeVar

import httpx
from ballot_town import WAYS
from mortal_town import MortalTown
from page_client import PageClient, front_of
from sqlalchemy import func, insert, select
from town import Letter, Resident, Town, receipt_in

from messages.notices import notices, sending
from messages.notices.model import Content
from messages.schema import channel, delivery
from voting.ballots.ballot import Ballot, ballot_mark
from voting.model import By
from voting.roll import roll

PAUSES_SECONDS = (1, 2, 4, 8, 15, 30)  # as in bot/page/static/client.js
PAGE_TIMEOUT_SECONDS = 20  # there too
PATIENCE_SECONDS = 600.0  # of somebody at the page

T = TypeVar("T")
TOLD = "running late"  # of the notice's words


@dataclass(frozen=True)
class Size:
    """How many vote in the chat, at the page, and are told; `think_seconds`: at most, before each step."""

    by_chat: int
    by_page: int
    readers: int
    think_seconds: float

    @property
    def voters(self) -> int:
        """How many vote."""
        return self.by_chat + self.by_page

    @property
    def residents(self) -> list[Resident]:
        """Give the roll."""
        names = [f"chat{number}" for number in range(self.by_chat)]
        names += [f"page{number}" for number in range(self.by_page)]
        names += [f"reader{number}" for number in range(self.readers)]
        return [Resident(name, None) for name in names]


class PatientPage(PageClient):
    """A session that asks again with the same bytes, with the page's own pauses, until it is answered."""

    async def sends(self, act: str, body: bytes) -> dict[str, Any]:
        pauses = itertools.chain(PAUSES_SECONDS, itertools.repeat(PAUSES_SECONDS[-1]))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                with contextlib.suppress(httpx.TransportError, json.JSONDecodeError):  # no answer of the page's
                    return await super().sends(act, body)
                await asyncio.sleep(next(pauses))


@dataclass
class Rush:
    """A town's people; `waits` are how long each took, `receipts` what they were told."""

    town: MortalTown
    size: Size
    chance: random.Random
    waits: list[tuple[str, float]] = field(default_factory=list)  # of whom
    receipts: dict[str, str] = field(default_factory=dict)

    async def votes(self, wave: int = 0, waves: int = 1) -> None:
        """Have all vote, or one wave of them; ballots are sealed beforehand: on the day members' phones do that."""
        pages = range(wave, self.size.by_page, waves)
        async with opened_front(self.town.url) as front, asyncio.TaskGroup() as group:
            ballots = {number: front.seals(letter_of(self.town, f"page{number}"), 0) for number in pages}
            for number, ballot in ballots.items():
                where = {"X-Forwarded-For": f"198.18.{number // 250}.{number % 250}"}
                session = PatientPage(self.town.url, headers=where)
                session.http, session.poll, session.election = front.http, front.poll, front.election
                group.create_task(self._votes_at_the_page(f"page{number}", session, ballot))
            for number in range(wave, self.size.by_chat, waves):
                group.create_task(self._votes_in_the_chat(f"chat{number}"))

    async def _votes_in_the_chat(self, name: str) -> None:
        member = self.town.member(name)
        await self._waits("chat", lambda: member.asks(member.types("/vote"), "Before you vote"))
        await self._waits("chat", lambda: member.asks(member.presses("I understand"), "type the pack code"))
        await self._waits("chat", lambda: member.asks(member.types(member.pack.codes), "your voting paper"))
        await self._waits("chat", lambda: member.asks(member.presses("North Quay"), "You chose"))
        locked = await self._waits("chat", lambda: member.asks(member.presses("Cast my vote"), "Your vote is locked"))
        self.receipts[name] = receipt_in(locked.words)

    async def _votes_at_the_page(self, name: str, session: PageClient, ballot: Ballot) -> None:
        letter = letter_of(self.town, name)
        intent: str = (await self._waits("page", lambda: session.gives_pack(letter)))["intent"]
        assert (await self._waits("page", lambda: session.proves(letter, intent)))["state"] == "ready"
        answer = await self._waits("page", lambda: session.casts(intent, ballot))
        assert answer["receipt"] == ballot_mark(ballot)
        self.receipts[name] = answer["receipt"]

    async def _waits(self, way: str, act: Callable[[], Awaitable[T]]) -> T:
        """Think, act, and note how long the answer took."""
        await asyncio.sleep(self.chance.random() * self.size.think_seconds)
        began = monotonic()
        answer = await act()
        self.waits.append((way, monotonic() - began))
        return answer

    async def until_waits(self, count: int) -> None:
        """Wait until so many answers were heard."""
        while len(self.waits) < count:  # noqa: ASYNC110 - other processes' doing
            await asyncio.sleep(0.01)

    def waited(self, *ways: str) -> tuple[float, float, float]:
        """Give the median of the waits, the one that 99 of 100 are within, and the longest."""
        waits = [seconds for way, seconds in self.waits if way in ways]
        cuts = quantiles(waits, n=100)
        return cuts[49], cuts[98], max(waits)


@contextlib.asynccontextmanager
async def opened_front(url: str) -> AsyncIterator[PageClient]:
    """Open the page; who meets a worker that was just killed loads it again."""
    async with contextlib.AsyncExitStack() as stack:
        async with asyncio.timeout(PATIENCE_SECONDS):
            for pause in itertools.chain(PAUSES_SECONDS, itertools.repeat(PAUSES_SECONDS[-1])):
                try:
                    front = await stack.enter_async_context(front_of(url, timeout=PAGE_TIMEOUT_SECONDS))
                    break
                except httpx.TransportError:
                    await asyncio.sleep(pause)
        yield front


def letter_of(town: Town, name: str) -> Letter:
    """Give what came in somebody's envelope."""
    return town.letters[town.member_nos[name]]


# -- those who are told ------------------------------------------------------------------


@dataclass
class Broadcast:
    """A notice to a town's readers."""

    town: MortalTown
    readers: int

    async def begins(self, on_unknown: str) -> None:
        """Give every reader a chat that was begun, as if they had linked it, and send them a notice."""
        rows = []
        async with self.town.database.reading() as connection:
            for member in self._members:
                member.person.chat.started = True
                found = await roll.find(connection, member.member_no)
                rows.append({"member_id": found.id, "kind": "telegram", "address": str(member.person.id)})
        since, by = self.town.clock(), By("Gwen", "command line", self.town.clock())
        async with self.town.database.writing() as connection:
            await connection.execute(insert(channel), [row | {"state": "on", "since": since} for row in rows])
            content = Content("pack_delayed", "all", on_unknown=on_unknown, urgent=True)
            made = await notices.draft(connection, content, ways=WAYS, by=by)
            await notices.approve(connection, made.id, by=By("Mair", "command line", by.at))
            await sending.send(connection, made.id, by=by)

    async def states(self) -> Counter[str]:
        """Count what the ledger says of those who can be told it."""
        of_it = (delivery.c.notice_id.is_not(None), delivery.c.state != "skipped")
        by_state = select(delivery.c.state, func.count()).where(*of_it).group_by(delivery.c.state)
        async with self.town.database.reading() as connection:
            found = await connection.execute(by_state)
            return Counter({row[0]: row[1] for row in found})

    async def until_nobody_waits(self, *for_what: str) -> None:
        """Wait until nobody's message is in such a state."""
        while (await self.states()).keys() & set(for_what):  # noqa: ASYNC110 - other processes' doing
            await asyncio.sleep(0.2)

    def heard(self) -> list[int]:
        """Tell how often each reader heard it."""
        return [sum(TOLD in message.words for message in member.person.messages) for member in self._members]

    @property
    def _members(self) -> list[Any]:
        return [self.town.member(f"reader{number}") for number in range(self.readers)]
