"""A cast as it waits for its lock, what comes of it, and the ballot that is locked with it."""

import base64
import secrets as randomness
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from voting.ballots.group import Point
from voting.ballots.refusals import BallotRefusal
from voting.ballots.seal import Choices


@dataclass(frozen=True, slots=True, repr=False)
class Cast:
    """A press on 'Cast my vote'. It has no repr: what was chosen must not reach a log.

    In the chat `choices` are sealed here, with the credential that waits with the paper; from the voting page `ballot`
    comes sealed and signed, as JSON. `rule_version` is the rule that was accepted.
    """

    intent_id: str
    chat: str
    rule_version: int
    choices: Choices = ()
    ballot: bytes | None = None


@dataclass(frozen=True, slots=True)
class CastOutcome:
    """The vote is locked. `receipt` is the ballot's mark; `digest` its SHA-256, `entry` the chain entry that names it.

    `fresh` is False when it was locked before and this is the same receipt again.
    """

    receipt: str
    at: datetime
    member_id: int
    fresh: bool
    digest: bytes
    entry: int


class Ready(NamedTuple):
    """A ballot that was checked: what is stored of it."""

    credential: Point
    packed: bytes
    digest: bytes
    mark: str


@dataclass(slots=True, repr=False)
class Waiting:
    """A cast that waits for the clerk, with its ballot once that is sealed and checked.

    Without a ballot there is `fault`, or the paper's credential is gone: it was locked, put aside, or lay too long.
    """

    cast: Cast
    now: datetime
    ballot: Ready | None = None
    fault: BallotRefusal | None = None

    @property
    def paper(self) -> "Paper":
        """Name the paper it is on: two casts on one paper are one vote."""
        return self.cast.intent_id, self.cast.chat


Paper = tuple[str, str]  # an intent's id, and the chat it is pressed in


def new_intent_id() -> str:
    """Make an intent's id: 16 characters that fit a button."""
    return base64.urlsafe_b64encode(randomness.token_bytes(12)).decode()
