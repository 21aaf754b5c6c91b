"""Votes by the page beside votes in the chat, and the page alone at a steady rate; the service is a process of its own.

Ballots are sealed beforehand, by the page's client in Python: on the day members' phones do that. What is measured
is the service: it finds packs, checks proofs and ballots, and locks.
"""

import asyncio
import contextlib
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from page_client import PageClient, front_of
from town import Letter, Resident, free_port

from tests.benchmarks.chat_bench import ServiceApart, town_of
from voting.ballots.ballot import Ballot, ballot_mark

EACH: Final = 300  # by page, and as many in the chat
PER_SECOND: Final = 100
STEADY_SECONDS: Final = 10
TRIES_MAX: Final = 3
P95_SECONDS_MAX: Final = 1.0  # the aim


class PageApart(ServiceApart):
    """A service that listens where the page's clients know it, and believes a proxy here about their addresses."""

    port: int

    def told(self, *, free: Path) -> dict[str, str]:
        self.port = free_port()
        here = {"BALLOTLINE_LISTEN": f"127.0.0.1:{self.port}", "BALLOTLINE_TRUSTED_PROXIES": "127.0.0.1"}
        return super().told(free=free) | here


class Patient(PageClient):
    """A client that, as the page does, asks again with the same bytes where a kept connection was just closed."""

    async def sends(self, act: str, body: bytes) -> dict[str, Any]:
        for _ in range(TRIES_MAX):
            with contextlib.suppress(httpx.TransportError):
                return await super().sends(act, body)
        return await super().sends(act, body)


@dataclass
class Voter:
    """One member at the page, with the ballot sealed."""

    page: PageClient
    letter: Letter
    ballot: Ballot
    intent: str = ""
    seconds: float = 0.0

    async def comes(self) -> None:
        """Give both codes."""
        self.intent = await self.page.comes_to_paper(self.letter)

    async def casts(self) -> None:
        """Press, and note how long the locked answer takes."""
        pressed = time.perf_counter()
        answer = await self.page.casts(self.intent, self.ballot)
        self.seconds = time.perf_counter() - pressed
        assert answer["receipt"] == ballot_mark(self.ballot)

    async def votes(self) -> None:
        """Go the whole way without a pause."""
        await self.comes()
        await self.casts()


async def page(folder: Path, shrink: int) -> None:
    """Print votes a second and processor time per vote by page, in the chat and at once; then the steady rate."""
    each, steady = max(20, EACH // shrink), max(100, PER_SECOND * STEADY_SECONDS // shrink)
    async with town_of(folder, 4 * each + steady, PageApart) as town, front_of(town.url, timeout=120) as front:
        residents = iter(town.residents)
        taken = [[next(residents) for _ in range(each)] for _ in range(4)]
        print("ballots are sealed beforehand by the page's client in Python: sealing is not measured")
        await compare(town, f"{each} by page alone", [voter.votes for voter in voters(town, front, taken[0])])
        await compare(town, f"{each} in the chat alone", chatters(town, taken[1]))
        both = [voter.votes for voter in voters(town, front, taken[2])] + chatters(town, taken[3])
        await compare(town, f"{each} by page and {each} in the chat at once", both)
        await at_a_steady_rate(town, voters(town, front, list(residents)))
        assert await town.locks() == 4 * each + steady


def voters(town: PageApart, front: PageClient, residents: Sequence[Resident]) -> list[Voter]:
    """Seal a ballot for each; each comes from an address of its own."""
    made = []
    for number, resident in enumerate(residents):
        session = Patient(town.url, headers={"X-Forwarded-For": f"198.18.{number // 250}.{number % 250}"})
        session.http, session.poll, session.election = front.http, front.poll, front.election
        letter = town.letters[town.member_nos[resident.name]]
        made.append(Voter(session, letter, session.seals(letter, number % 2)))
    return made


def chatters(town: PageApart, residents: Sequence[Resident]) -> list[Callable[[], Awaitable[Any]]]:
    """Have each vote in the chat without a pause."""

    def vote(name: str) -> Callable[[], Awaitable[Any]]:
        async def votes() -> None:
            member = town.member(name)
            await member.asks(member.types("/vote"), "Before you vote")
            await member.asks(member.presses("I understand"), "type the pack code")
            await member.asks(member.types(member.pack.codes), "your voting paper")
            await member.asks(member.presses("North Quay"), "You chose")
            await member.asks(member.presses("Cast my vote"), "Your vote is locked")

        return votes

    return [vote(resident.name) for resident in residents]


async def compare(town: PageApart, what: str, acts: Sequence[Callable[[], Awaitable[Any]]]) -> None:
    """Have all act at once, and print how fast they were and what a vote took of the service's processor time."""
    used, began = town.cpu_seconds(), time.perf_counter()
    await asyncio.gather(*(act() for act in acts))
    seconds, cpu = time.perf_counter() - began, town.cpu_seconds() - used
    cpu_ms = cpu / len(acts) * 1000
    print(f"  {what}: {len(acts) / seconds:.0f} votes/s; processor time of the service per vote {cpu_ms:.1f} ms")


async def at_a_steady_rate(town: PageApart, people: Sequence[Voter]) -> None:
    """Press at a steady rate whether the one before was answered or not."""
    for start in range(0, len(people), PER_SECOND):
        await asyncio.gather(*(voter.comes() for voter in people[start : start + PER_SECOND]))
    used, began = town.cpu_seconds(), time.perf_counter()

    async def in_turn(place: int, voter: Voter) -> None:
        await asyncio.sleep(place / PER_SECOND)
        await voter.casts()

    await asyncio.gather(*(in_turn(place, voter) for place, voter in enumerate(people)))
    seconds, cpu = time.perf_counter() - began, town.cpu_seconds() - used
    cuts = statistics.quantiles((voter.seconds for voter in people), n=100)
    print(f"  {len(people)} by page alone at {PER_SECOND} votes/s, from press to locked answer: {seconds:.1f} s in all")
    print(f"    median {cuts[49] * 1000:.0f} ms, p95 {cuts[94] * 1000:.0f} ms (aim: under {P95_SECONDS_MAX:.0f} s)")
    print(f"    processor time of the service per cast {cpu / len(people) * 1000:.1f} ms")
