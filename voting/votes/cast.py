"""A cast as it waits for its lock, what comes of it, and the two names it goes by: its intent's id, its receipt."""

import base64
import secrets as randomness
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from voting.codes.format import ALPHABET
from voting.codes.hashing import keyed_hash

RECEIPT_CHARACTERS: Final = 10
RECEIPT_GROUP: Final = 5
# A byte is a letter by its remainder: eight letters come up nine times for eight of the others, 49 bits in all.
_LETTER_OF: Final = bytes(ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256))


@dataclass(frozen=True, slots=True, repr=False)
class Cast:
    """A press on 'Cast my vote'. It has no repr: what was chosen must not reach a log."""

    intent_id: str
    chat: str
    option: int


@dataclass(frozen=True, slots=True)
class CastOutcome:
    """The vote is locked. `fresh` is False when it was locked before and this is the same receipt again."""

    receipt: str
    at: datetime
    member_id: int
    fresh: bool


@dataclass(slots=True, repr=False)
class Waiting:
    """A cast that waits for the clerk, with its ballot once that is sealed."""

    cast: Cast
    now: datetime
    form: "Form | None" = None
    ballot: bytes = b""  # sealed for this form; empty: for an option that there is not

    @property
    def paper(self) -> "Paper":
        """Name the paper it is on: two casts on one paper are one vote."""
        return self.cast.intent_id, self.cast.chat


class Form(NamedTuple):
    """What a ballot is sealed with, and for how many options."""

    election_key: bytes | None
    options: int


Paper = tuple[str, str]  # an intent's id, and the chat it is pressed in


def receipt_for(key: bytes, poll_id: str, intent_id: str) -> str:
    """Make an intent's receipt: 10 characters that depend on the showing of the paper and on nothing chosen."""
    digest = keyed_hash(key, b"ballotline receipt 1", poll_id.encode(), intent_id.encode())
    letters = digest[:RECEIPT_CHARACTERS].translate(_LETTER_OF).decode()
    return f"{letters[:RECEIPT_GROUP]}-{letters[RECEIPT_GROUP:]}"


def new_intent_id() -> str:
    """Make an intent's id: 16 characters that fit a button."""
    return base64.urlsafe_b64encode(randomness.token_bytes(12)).decode()
