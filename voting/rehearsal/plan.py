"""What a rehearsal is asked for, and what each member does in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

from voting.refusals import StaffRefusal

MEMBERS: Final = 172_437
MEMBERS_MAX: Final = 10_000_000
OPTIONS_MIN: Final = 2
OPTIONS_MAX: Final = 64

NOBODY, PAPER, REJECTED, FIRST_OPTION = range(4)  # what a member does; from FIRST_OPTION on: votes online for it


class CannotRehearse(StaffRefusal):
    """That cannot be rehearsed: {reason}."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for; CannotRehearse when no poll can end so.

    Of the votes `online_percent` are cast online, the others by post. One voter in `one_in_replays` has a client
    that sends the press again; after one in `one_in_attempts` somebody else gives the same codes, one in as many
    gives them again though warned, and as many also send their paper.
    """

    members: int
    result: Mapping[str, int]
    rejected: int = 0
    online_percent: int = 85
    one_in_replays: int = 100
    one_in_attempts: int = 1_000

    def __post_init__(self) -> None:
        numbers = [*self.result.values(), self.rejected]
        if not OPTIONS_MIN <= len(self.result) <= OPTIONS_MAX:
            raise CannotRehearse(reason=f"a poll has {OPTIONS_MIN} to {OPTIONS_MAX} options")
        if not 1 <= self.members <= MEMBERS_MAX:
            raise CannotRehearse(reason=f"a roll has 1 to {MEMBERS_MAX:,} members")
        if min(numbers) < 0:
            raise CannotRehearse(reason="no number of votes or papers is below 0")
        if sum(numbers) > self.members:
            raise CannotRehearse(
                reason=f"{sum(numbers):,} votes and rejected papers are more than {self.members:,} members"
            )
        if not 0 <= self.online_percent <= 100:  # noqa: PLR2004 - per cent
            raise CannotRehearse(reason="the part that votes online is 0 to 100 per cent")

    @property
    def online(self) -> list[int]:
        """Votes online, by option."""
        return [votes * self.online_percent // 100 for votes in self.result.values()]

    @property
    def post(self) -> list[int]:
        """Votes by post, by option."""
        return [votes - online for votes, online in zip(self.result.values(), self.online, strict=True)]

    def acts(self, random: Random) -> bytearray:
        """Say what each member does, in random order: one byte per member."""
        acts = bytearray([PAPER]) * sum(self.post) + bytearray([REJECTED]) * self.rejected
        for option, votes in enumerate(self.online):
            acts += bytearray([FIRST_OPTION + option]) * votes
        acts += bytearray([NOBODY]) * (self.members - len(acts))
        random.shuffle(acts)
        return acts


def usual_plan(members: int = MEMBERS) -> Plan:
    """Give a plan in which about four of five members vote, for one of two options."""
    return Plan(members, {"North": members * 45 // 100, "South": members * 36 // 100}, rejected=members // 250)
