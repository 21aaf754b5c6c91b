"""What the member's desk answers: facts without words. `member_chat` says each in the reader's language."""

from dataclasses import dataclass
from datetime import date, datetime

from bot.member.marks import Marks
from voting.codes.codes import Kind, Problem
from voting.model import How, Lock
from voting.votes.right_codes import Purpose


@dataclass(frozen=True, slots=True)
class NotOpenYet:
    """Votes are not taken yet; `opens_at` is None when that moment has passed and staff have not opened."""

    opens_at: datetime | None
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class Over:
    """The poll has closed."""

    closes_at: datetime


@dataclass(frozen=True, slots=True)
class VotedHere:
    """A vote of this chat, or of its member, is locked. `warns`: codes typed again are reported from now on."""

    lock: Lock
    own: bool  # made from this very chat
    warns: bool

    @property
    def member_id(self) -> int:
        """Say whose vote it is."""
        return self.lock.member_id


@dataclass(frozen=True, slots=True)
class ReadRule:
    """The rule has to be read and accepted first."""

    version: int
    another: bool = False  # somebody else of the household, after a vote from this chat
    intent_id: str | None = None  # of the paper that was open when the rule changed


@dataclass(frozen=True, slots=True)
class GiveCodes:
    """Codes are asked for."""

    purpose: Purpose


@dataclass(frozen=True, slots=True)
class GiveVoteCode:
    """The pack is known by its `word`; the vote code is missing, or there is a `problem` with what was typed."""

    word: str
    purpose: Purpose
    problem: Problem | None


@dataclass(frozen=True, slots=True)
class GivePackCode:
    """The vote code is kept for a moment; the pack code is missing, or there is a `problem` with what was typed."""

    purpose: Purpose
    problem: Problem | None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Nothing in the message is a code; `wanted` is asked for, None for both."""

    problem: Problem
    wanted: Kind | None


@dataclass(frozen=True, slots=True)
class VotingPaper:
    """One question of the voting paper as it is shown, with the marks on the whole paper.

    `shifts` say for each question where this member's order of the options begins. `reviewing`: the question is looked
    at again, and the review comes after it. What is marked has no place in a log or a row.
    """

    intent_id: str
    marks: Marks
    shifts: tuple[int, ...]
    word: str | None = None
    question: int = 0
    reviewing: bool = False

    def __repr__(self) -> str:
        """Say nothing of what is marked."""
        return "VotingPaper()"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The whole paper is marked as its rules allow, nothing is cast. It has no place in a log or a row."""

    intent_id: str
    marks: Marks

    def __repr__(self) -> str:
        """Say nothing of what was chosen."""
        return "Chosen()"


@dataclass(frozen=True, slots=True)
class PutAside:
    """The paper was put aside, nothing is cast."""


@dataclass(frozen=True, slots=True)
class Locked:
    """The vote is locked; `fresh` is False when it was so before."""

    intent_id: str
    receipt: str
    at: datetime
    fresh: bool


@dataclass(frozen=True, slots=True)
class CodesChecked:
    """Both codes are good; `lock` says whether a vote with them stands."""

    word: str | None
    lock: Lock | None


@dataclass(frozen=True, slots=True)
class CodesUsed:
    """Good codes came after the lock. `reported`: an attempt is recorded; otherwise this is the warning before it."""

    member_id: int
    how: How
    at: datetime
    own: bool  # the vote was made from this very chat
    receipt: str | None  # for its own chat only
    reported: bool

    @property
    def warns(self) -> bool:
        """Whether codes typed again are reported from now on."""
        return not self.reported


@dataclass(frozen=True, slots=True)
class CodesUnasked:
    """Codes came when none were asked for: not looked at, not counted."""


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """A message that asks for nothing we know."""


@dataclass(frozen=True, slots=True)
class NotLinked:
    """That needs to know whose chat this is. `lock`: a vote made from this chat stands."""

    lock: Lock | None = None


@dataclass(frozen=True, slots=True)
class Linked:
    """The chat is this member's now."""

    member_no: str
    language: str


@dataclass(frozen=True, slots=True)
class AskLink:
    """How a chat can be linked. `sms`: by a code sent to the phone as well."""

    sms: bool


@dataclass(frozen=True, slots=True)
class NotYourNumber:
    """The number shared is somebody else's."""


@dataclass(frozen=True, slots=True)
class NumberUnknown:
    """Nobody on the roll has this number."""

    sms: bool


@dataclass(frozen=True, slots=True)
class WhichMember:
    """Several members have this number; `wrong`: the member number typed belongs to none of them."""

    wrong: bool = False


@dataclass(frozen=True, slots=True)
class CodeOnItsWay:
    """If the member number is on the roll with a mobile number, a code is on its way."""

    minutes: int


@dataclass(frozen=True, slots=True)
class CodeWrong:
    """That is not the code; `left` tries remain."""

    left: int


@dataclass(frozen=True, slots=True)
class MissingEarly:
    """The pack may still come: the window has not ended."""

    first_day: date
    last_day: date
    dispatched_on: date | None


@dataclass(frozen=True, slots=True)
class MissingNoted:
    """Staff are told, now or earlier (`reported_at`), that this pack is missing or damaged."""

    reported_at: datetime
    again: bool


@dataclass(frozen=True, slots=True)
class MissingNeedless:
    """No pack is needed: the vote is locked, the member cannot vote, or the poll is over."""

    lock: Lock | None
    eligible: bool


@dataclass(frozen=True, slots=True)
class TheftNoted:
    """Staff are told that a vote was not the member's own."""


@dataclass(frozen=True, slots=True)
class HelpNoted:
    """Staff are told that somebody needs help. `linked`: they know who."""

    linked: bool


@dataclass(frozen=True, slots=True)
class Texts:
    """Where the member's text messages stand; `ending` of the number, None without one."""

    ending: str | None
    on: bool
    reason: str | None
    shared: bool
