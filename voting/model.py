"""The nouns: plain frozen values that rules take and return; no database, no clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

SYSTEM: Final = "system"  # the actor of what the program does by itself


@dataclass(frozen=True, slots=True)
class By:
    """Who does something, by which interface ("command line", "chat", "console"), and when; `at` has a time zone."""

    actor: str
    via: str
    at: datetime

    @classmethod
    def system(cls, at: datetime) -> "By":
        """Name the program itself: no person asked for this."""
        return cls(SYSTEM, SYSTEM, at)


class Phase(StrEnum):
    """Where the poll is in its life; it only ever moves down this list."""

    PREPARING = "preparing"
    OPEN = "open"
    CLOSED = "closed"
    COUNTED = "counted"


class How(StrEnum):
    """How a member's vote was locked."""

    ONLINE = "online"
    POST = "post"


@dataclass(frozen=True, slots=True)
class SmsRules:
    """`[sms]` of the poll file; quiet hours are local times "HH:MM" in the poll's zone."""

    quiet_from: str = "20:00"
    quiet_until: str = "09:00"
    cost_per_segment: Decimal = Decimal("0.04")
    currency: str = "GBP"


@dataclass(frozen=True, slots=True)
class StaffRules:
    """`[staff]` of the poll file."""

    approve_over: int = 1  # a notice to more members than this needs a second person
    escalate_after_minutes: int = 10
    contact: str = ""  # how else people reach the staff: a phone number or an address


class Order(StrEnum):
    """In which order a member sees a question's options: the poll's, or that shifted by a number of the member's."""

    FIXED = "fixed"
    ROTATED = "rotated"


@dataclass(frozen=True, slots=True)
class Question:
    """One question of the paper. `text` and each of the `options` are given per language, the poll's first one first.

    A vote has `least` to `most` of the options or, where `blank` is allowed, none and that said. With `seats`, so many
    of the options are elected.
    """

    text: dict[str, str]
    options: tuple[dict[str, str], ...]
    least: int = 1
    most: int = 1
    blank: bool = False
    order: Order = Order.FIXED
    seats: int | None = None

    @property
    def places(self) -> int:
        """How many boxes a paper has for it: one an option, and one before them for a blank vote."""
        return len(self.options) + self.blank

    @property
    def one_each(self) -> bool:
        """Whether every vote has exactly one mark, so that marks and voters are as many."""
        return self.least == self.most == 1


@dataclass(frozen=True, slots=True)
class Ways:
    """`[ways]` of the poll file; `page` is None where the file leaves it to whether there is a public address."""

    page: bool | None = None
    chat: bool = True


@dataclass(frozen=True, slots=True)
class Poll:
    """The whole vote. `rule` is a sentence per language, shown before voting."""

    id: str
    title: str
    questions: tuple[Question, ...]
    opens_at: datetime
    closes_at: datetime
    timezone: str
    joined_by: date
    languages: tuple[str, ...]
    rule: dict[str, str]
    rule_version: int = 1
    sms: SmsRules = SmsRules()
    staff: StaffRules = StaffRules()
    ways: Ways = Ways()
    phase: Phase = Phase.PREPARING
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    trustees_file: bytes | None = None
    key_kind: str | None = None
    paper: bytes | None = None
    signing_key: bytes = b""
    uuid: str = ""

    def takes_votes(self, now: datetime) -> bool:
        """Whether a vote arriving `now` is in time: open, not before opens_at, before closes_at."""
        return self.phase is Phase.OPEN and self.opens_at <= now < self.closes_at

    def rule_in(self, language: str) -> str:
        """Give the rule sentence in `language`, or in the poll's first language."""
        return self.text_in(self.rule, language)

    def text_in(self, texts: Mapping[str, str], language: str) -> str:
        """Give one of the poll's texts in `language`, or in the poll's first language."""
        return texts.get(language) or texts[self.languages[0]]

    def named(self, texts: Mapping[str, str]) -> str:
        """Give the text by which an option or a question is known everywhere: that of the poll's first language."""
        return texts[self.languages[0]]

    def names_of(self, question: Question) -> tuple[str, ...]:
        """Give the names of a question's options, in the poll's order."""
        return tuple(map(self.named, question.options))


@dataclass(frozen=True, slots=True)
class Window:
    """Days between which packs arrive, both included; a later version replaces an earlier one."""

    version: int
    first_day: date
    last_day: date
    reason: str
    set_at: datetime
    set_by: str


@dataclass(frozen=True, slots=True)
class Lock:
    """This member has voted, for good. `receipt` and `chat` are there when `how` is online."""

    member_id: int
    how: How
    at: datetime
    pack_id: int
    intent_id: str | None
    receipt: str | None
    chat: str | None


@dataclass(frozen=True, slots=True)
class Intent:
    """One showing of the voting paper to `chat` for `member_id`; every press of its buttons carries `id`."""

    id: str
    member_id: int
    pack_id: int
    chat: str
    opened_at: datetime
