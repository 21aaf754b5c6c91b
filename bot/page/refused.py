"""A refusal as the page gets it: a key, a sentence in its language, and the status of the answer."""

from typing import Final, NamedTuple

from bot.page.refusals import AddressHeld, Busy, InitDataWrong, RequestWrong, RuleUnread, TooLarge
from messages.words.dates import moment_text
from messages.words.texts import text
from voting.ballots.refusals import BallotRefusal
from voting.model import How, Poll
from voting.refusals import (
    AlreadyVoted,
    ChatLockedOut,
    NotEligible,
    PackLockedOut,
    PackVoid,
    PaperGone,
    PollNotOpen,
    RuleChanged,
    UnknownIntent,
    UnknownPackCode,
    WrongVoteCode,
)
from voting.store.together import TooMany

BAD_REQUEST: Final = 400
FORBIDDEN: Final = 403
CONFLICT: Final = 409
TOO_LARGE: Final = 413
TOO_MANY: Final = 429
COME_AGAIN_SECONDS: Final = 5


class Refused(NamedTuple):
    """The answer to a refusal."""

    status: int
    key: str
    words: str


KEYS: Final[dict[type[Exception], tuple[int, str]]] = {
    UnknownPackCode: (CONFLICT, "unknown_pack_code"),
    WrongVoteCode: (CONFLICT, "wrong_vote_code"),
    PackVoid: (CONFLICT, "pack_void"),
    PackLockedOut: (CONFLICT, "pack_locked_out"),
    ChatLockedOut: (CONFLICT, "session_locked_out"),
    AddressHeld: (CONFLICT, "session_locked_out"),
    RuleUnread: (CONFLICT, "rule_unread"),
    RuleChanged: (CONFLICT, "rule_unread"),
    PollNotOpen: (CONFLICT, "poll_not_open"),
    NotEligible: (CONFLICT, "not_eligible"),
    AlreadyVoted: (CONFLICT, "already_voted"),
    UnknownIntent: (CONFLICT, "unknown_intent"),
    PaperGone: (CONFLICT, "unknown_intent"),
    BallotRefusal: (CONFLICT, "ballot_wrong"),
    InitDataWrong: (FORBIDDEN, "init_data_wrong"),
    RequestWrong: (BAD_REQUEST, "request_wrong"),
    TooLarge: (TOO_LARGE, "request_wrong"),
    Busy: (TOO_MANY, "too_many"),
    TooMany: (TOO_MANY, "too_many"),
}
EXPECTED: Final = tuple(KEYS)


def refused(problem: Exception, poll: Poll, language: str) -> Refused:
    """Say a refusal of `EXPECTED`."""
    status, key = next(answer for kind, answer in KEYS.items() if isinstance(problem, kind))
    opens, closes = (moment_text(at, poll.timezone, language) for at in (poll.opens_at, poll.closes_at))
    if isinstance(problem, AlreadyVoted):
        how = "post" if problem.facts["how"] is How.POST else "online"
        at = moment_text(problem.facts["at"], poll.timezone, language)  # type: ignore[arg-type] # an instant
        return Refused(status, key, text("page", f"refusal.already_voted.{how}", language, at=at))
    return Refused(status, key, text("page", f"refusal.{key}", language, opens=opens, closes=closes))


def come_again_seconds(problem: Exception) -> int:
    """Say in how many seconds somebody who was too many may ask again."""
    return problem.seconds if isinstance(problem, Busy) else COME_AGAIN_SECONDS
