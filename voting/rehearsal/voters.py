"""The members of a rehearsal who vote online: hundreds at a time, each from the codes in the print file."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from voting.codes.codes import parse
from voting.model import Poll
from voting.rehearsal.failed import RehearsalFailed, insist
from voting.rehearsal.plan import Plan
from voting.rehearsal.stopwatch import Clock, Counter
from voting.votes.cast import Cast
from voting.votes.checks import Checks
from voting.votes.clerk import Clerk
from voting.votes.right_codes import CodesGood, Purpose

WAITING: Final = 512  # members who vote at the same time

Person = TypeVar("Person")


@dataclass(frozen=True, slots=True, repr=False)
class Voter:
    """A member who votes online; `number` counts voters from 1, `codes` are as printed."""

    number: int
    codes: str
    kind: int

    @property
    def chat(self) -> str:
        """The member's own chat."""
        return f"telegram:{1_000_000_000 + self.number}"

    @property
    def other_chat(self) -> str:
        """The chat of somebody who got hold of the member's letter."""
        return f"telegram:{5_000_000_000 + self.number}"


class Crowd:
    """Acts for everybody, WAITING at a time; counts what else than votes there was."""

    def __init__(self, plan: Plan, poll: Poll, checks: Checks, clerk: Clerk, clock: Clock) -> None:
        self._plan, self._poll, self._checks, self._clerk, self._clock = plan, poll, checks, clerk, clock
        self._papers = plan.papers
        self.replays = 0
        self.attempts = 0
        self._late: list[tuple[Voter, str]] = []  # whose codes will be given again, and in which chat

    @property
    def attempts_due(self) -> int:
        """How often codes will be given again."""
        return len(self._late)

    async def vote(self, voters: Iterable[Voter], counter: Counter) -> None:
        """Have every voter vote; RehearsalFailed when one of them is not answered as promised."""
        await _all(voters, self._votes, counter)

    async def try_again(self, counter: Counter) -> None:
        """Have the codes of some given again: by somebody else, and by the member though warned; RehearsalFailed."""
        await _all(self._late, self._tries_again, counter)

    async def _votes(self, voter: Voter) -> None:
        good = await self._give_codes(voter, voter.chat, flow="first")
        if good.intent is None:
            raise RehearsalFailed("right codes did not open the voting paper")
        cast = Cast(good.intent.id, voter.chat, self._poll.rule_version, self._papers[voter.kind])
        outcome = await self._clerk.cast(cast, self._clock())
        insist(outcome.fresh, "a first vote was taken for a replay")
        if voter.number % self._plan.one_in_replays == 0:
            again = await self._clerk.cast(cast, self._clock())
            insist((again.fresh, again.receipt) == (False, outcome.receipt), "a replay did not get the same mark")
            self.replays += 1
        if voter.number % self._plan.one_in_attempts == 0:
            self._late += [(voter, voter.other_chat), (voter, voter.chat)]

    async def _tries_again(self, late: tuple[Voter, str]) -> None:
        voter, chat = late
        seen = await self._give_codes(voter, chat, flow="again", warned=True)
        insist(seen.attempt is not None and seen.attempt.new, "an attempt after the lock was not seen")
        self.attempts += 1

    async def _give_codes(self, voter: Voter, chat: str, *, flow: str, warned: bool = False) -> CodesGood:
        pack_code, vote_code = parse(voter.codes, self._poll.id).codes
        return await self._checks.both_codes(
            pack_code.canonical,
            vote_code.canonical,
            chat=chat,
            purpose=Purpose.VOTE,
            flow=f"{flow} {chat}",
            warned=warned,
            now=self._clock(),
        )


async def _all(people: Iterable[Person], act: Callable[[Person], Awaitable[None]], counter: Counter) -> None:
    """Have everybody act, WAITING at a time."""
    queue = iter(people)

    async def some() -> None:
        for person in queue:
            await act(person)
            counter.add()

    async with asyncio.TaskGroup() as group:
        for _ in range(WAITING):
            group.create_task(some())
