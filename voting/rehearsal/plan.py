"""What a rehearsal is asked for, and what each member does in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from voting.ballots.seal import Choices
from voting.model import Poll, Question
from voting.poll.polls import read_poll_file
from voting.refusals import StaffRefusal

MEMBERS: Final = 172_437
MEMBERS_MAX: Final = 10_000_000
OPTIONS_MIN: Final = 2
OPTIONS_MAX: Final = 64

BLANK_PART: Final = 0.2
KINDS: Final = 24  # of papers, in a rehearsal of a poll file

NOBODY, PAPER, REJECTED, FIRST_KIND = range(4)  # what a member does; from FIRST_KIND on: votes online, and so


class CannotRehearse(StaffRefusal):
    """That cannot be rehearsed: {reason}."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for; CannotRehearse when no poll can end so.

    `result` has how many vote for each option of one question. With a `poll` it has how many give each kind of paper,
    and `kinds` what is marked on it. Of the votes `online_percent` are cast online, the others by post. One voter in
    `one_in_replays` has a client that sends the press again; after one in `one_in_attempts` somebody else gives the
    same codes, one in as many gives them again though warned, and as many also send their paper.
    """

    members: int
    result: Mapping[str, int]
    rejected: int = 0
    online_percent: int = 85
    one_in_replays: int = 100
    one_in_attempts: int = 1_000
    poll: Poll | None = None
    kinds: Sequence[Choices] = ()

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
    def papers(self) -> Sequence[Choices]:
        """What is marked on each kind of paper."""
        options = range(len(self.result))
        return self.kinds or [(tuple(int(place == option) for place in options),) for option in options]

    @property
    def marks(self) -> list[list[int]]:
        """Give what the poll has to come to: by question and place of the ballot."""
        return self._sum(list(self.result.values()))

    @property
    def marks_by_post(self) -> list[list[int]]:
        """Give what the count of papers has to come to."""
        return self._sum(self.post)

    def _sum(self, numbers: Sequence[int]) -> list[list[int]]:
        """Add up what is marked on so many papers of each kind, by question and place."""
        sums = [[0] * len(answer) for answer in self.papers[0]]
        for number, paper in zip(numbers, self.papers, strict=True):
            for places, answer in zip(sums, paper, strict=True):
                places[:] = [there + number * bit for there, bit in zip(places, answer, strict=True)]
        return sums

    @property
    def online(self) -> list[int]:
        """Votes online, by kind of paper."""
        return [votes * self.online_percent // 100 for votes in self.result.values()]

    @property
    def post(self) -> list[int]:
        """Votes by post, by kind of paper."""
        return [votes - online for votes, online in zip(self.result.values(), self.online, strict=True)]

    def acts(self, random: Random) -> bytearray:
        """Say what each member does, in random order: one byte per member."""
        acts = bytearray([PAPER]) * sum(self.post) + bytearray([REJECTED]) * self.rejected
        for kind, votes in enumerate(self.online):
            acts += bytearray([FIRST_KIND + kind]) * votes
        acts += bytearray([NOBODY]) * (self.members - len(acts))
        random.shuffle(acts)
        return acts


def usual_plan(members: int = MEMBERS) -> Plan:
    """Give a plan in which about four of five members vote, for one of two options."""
    return Plan(members, {"North": members * 45 // 100, "South": members * 36 // 100}, rejected=members // 250)


def plan_of_file(path: Path, members: int = MEMBERS, random: Random | None = None) -> Plan:
    """Give a plan in which four of five vote in the poll of a file, with papers drawn at random; PollFileWrong."""
    random = random or Random()  # noqa: S311 - choices that are made up
    poll = read_poll_file(path)
    kinds = [tuple(_answer(question, random) for question in poll.questions) for _ in range(KINDS)]
    votes = {f"paper {number}": members * 4 // (5 * KINDS) for number in range(1, KINDS + 1)}
    return Plan(members, votes, rejected=members // 250, poll=poll, kinds=kinds)


def _answer(question: Question, random: Random) -> tuple[int, ...]:
    """Mark a question in one of the ways that its rules allow."""
    options = len(question.options)
    if question.blank and random.random() < BLANK_PART:
        return (1, *[0] * options)
    chosen = set(random.sample(range(options), random.randint(question.least, question.most)))
    return (*[0] * question.blank, *(int(option in chosen) for option in range(options)))
