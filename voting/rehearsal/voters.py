"""The members of a rehearsal who vote online: hundreds at a time, each from the codes in the print file."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from voting.codes.codes import parse
from voting.model import Poll
from voting.refusals import Fault
from voting.rehearsal.plan import Plan
from voting.rehearsal.stopwatch import Clock, Counter
from voting.votes.cast import Cast
from voting.votes.checks import Checks
from voting.votes.clerk import Clerk
from voting.votes.right_codes import CodesGood, Purpose

WAITING: Final = 512  # members who vote at the same time


class RehearsalFailed(Fault):
    """The rehearsal did not come to what it was asked for."""


def insist(holds: bool, words: str) -> None:  # noqa: FBT001 - insist(this is so, what it means if not)
    """Raise RehearsalFailed with these words unless it holds."""
    if not holds:
        raise RehearsalFailed(words)


@dataclass(frozen=True, slots=True, repr=False)
class Voter:
    """A member who votes online; `number` counts voters from 1, `codes` are as printed."""

    number: int
    codes: str
    option: int

    @property
    def chat(self) -> str:
        """The member's own chat."""
        return f"telegram:{1_000_000_000 + self.number}"

    @property
    def other_chat(self) -> str:
        """The chat of somebody who got hold of the member's letter."""
        return f"telegram:{5_000_000_000 + self.number}"


class Crowd:
    """Votes for everybody, WAITING at a time; counts what else they do."""

    def __init__(self, plan: Plan, poll: Poll, checks: Checks, clerk: Clerk, clock: Clock) -> None:
        self._plan, self._poll, self._checks, self._clerk, self._clock = plan, poll, checks, clerk, clock
        self.replays = 0
        self.attempts = 0

    async def vote(self, voters: Iterable[Voter], counter: Counter) -> None:
        """Have every voter vote; RehearsalFailed when one of them is not answered as promised."""
        queue = iter(voters)
        async with asyncio.TaskGroup() as group:
            for _ in range(WAITING):
                group.create_task(self._some(queue, counter))

    async def _some(self, voters: Iterable[Voter], counter: Counter) -> None:
        for voter in voters:
            await self._one(voter)
            counter.add()

    async def _one(self, voter: Voter) -> None:
        good = await self._give_codes(voter, voter.chat, flow="first")
        if good.intent is None:
            raise RehearsalFailed("right codes did not open the voting paper")
        cast = Cast(good.intent.id, voter.chat, voter.option)
        outcome = await self._clerk.cast(cast, self._clock())
        insist(outcome.fresh, "a first vote was taken for a replay")
        if voter.number % self._plan.one_in_replays == 0:
            again = await self._clerk.cast(cast, self._clock())
            insist((again.fresh, again.receipt) == (False, outcome.receipt), "a replay did not get the same receipt")
            self.replays += 1
        if voter.number % self._plan.one_in_attempts == 0:
            for chat in (voter.other_chat, voter.chat):
                late = await self._give_codes(voter, chat, flow="again", warned=True)
                insist(late.attempt is not None and late.attempt.new, "an attempt after the lock was not seen")
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
