"""What every stage of a rehearsal works on: the poll, where it is, and what time it is there."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final

from voting.model import By, Poll, Question
from voting.rehearsal.plan import Plan
from voting.rehearsal.stopwatch import Clock, Stopwatch
from voting.secrets_file import Secrets
from voting.store.database import Database

POLL_ID: Final = "rehearsal"
ACTOR: Final = "rehearsal"
NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)  # stands for times until they are known
_A_DAY: Final = timedelta(days=1)


@dataclass(slots=True)
class Scene:
    """One rehearsal on its way; `poll` is as it was made once `set_up` has made it."""

    folder: Path
    plan: Plan
    database: Database
    secrets: Secrets
    clock: Clock
    random: Random
    watch: Stopwatch
    poll: Poll

    @property
    def by(self) -> By:
        """Who acts, now."""
        return By(ACTOR, "command line", self.clock())

    @property
    def ballots(self) -> int:
        """How many votes are cast online."""
        return sum(self.plan.online)

    @property
    def bundle(self) -> Path:
        """Where the bundle is written."""
        return self.folder / "bundle"

    @property
    def shares(self) -> Path:
        """Where the trustees' shares lie."""
        return self.folder / "shares"

    @property
    def papers(self) -> Path:
        """The file of scanned papers."""
        return self.folder / "postal.csv"


def poll_of(plan: Plan, clock: Clock) -> Poll:
    """Give the plan's poll, open now."""
    now = clock()
    poll = _usual(plan) if plan.poll is None else plan.poll
    return replace(poll, opens_at=now - _A_DAY, closes_at=now + _A_DAY, joined_by=now.date() - 90 * _A_DAY)


def _usual(plan: Plan) -> Poll:
    languages = ("en-GB", "cy")
    options = tuple(dict.fromkeys(languages, option) for option in plan.result)
    return Poll(
        id=POLL_ID,
        title="Rehearsal",
        questions=(Question(dict.fromkeys(languages, "A poll of people who do not exist"), options),),
        opens_at=NEVER,
        closes_at=NEVER,
        timezone="Europe/London",
        joined_by=NEVER.date(),
        languages=languages,
        rule={"en-GB": "You can vote once only.", "cy": "Dim ond unwaith y gallwch bleidleisio."},
    )
