"""Which entries may stand where on the chain: one table from the first entry to the count.

Once the poll is open nothing of the paper changes; after the close only papers come; during the count nothing but the
count. What staff do among themselves, notices, and a lost head bear on no vote and no figure: they may come at any
time, or a login while the trustees decrypt at home would make an honest poll one that cannot be counted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain as concatenated
from typing import Final, Protocol


class Span(StrEnum):
    """A part of the chain; a poll passes through them in this order."""

    UNMADE = "before the poll is made"
    BEFORE = "before the opening"
    OPEN = "while the poll is open"
    CLOSED = "after the close"
    COUNTING = "during the count"
    COUNTED = "after the count"


# kind: (the span it ends, the span it begins). Each stands on the chain at most once therefore.
TURNS: Final[Mapping[str, tuple[Span, Span]]] = {
    "poll_initialised": (Span.UNMADE, Span.BEFORE),
    "poll_opened": (Span.BEFORE, Span.OPEN),
    "poll_closed": (Span.OPEN, Span.CLOSED),
    "box_closed": (Span.CLOSED, Span.COUNTING),
    "ballots_closed": (Span.CLOSED, Span.COUNTING),
    "counted": (Span.COUNTING, Span.COUNTED),
}

_BEFORE: Final = frozenset({Span.BEFORE})
_UNTIL_CLOSE: Final = frozenset({Span.BEFORE, Span.OPEN})
_OPEN: Final = frozenset({Span.OPEN})
_UNTIL_COUNT: Final = frozenset({Span.OPEN, Span.CLOSED})
_CLOSED: Final = frozenset({Span.CLOSED})
_COUNTING: Final = frozenset({Span.COUNTING})
_OVER: Final = frozenset({Span.CLOSED, Span.COUNTING, Span.COUNTED})
_ANY: Final = frozenset(Span) - {Span.UNMADE}

ALLOWED: Final[Mapping[str, frozenset[Span]]] = {
    # the paper
    "poll_changed": _BEFORE,
    "election_key_set": _BEFORE,
    "trustees_set": _BEFORE,
    "trustee_agreed": _BEFORE,
    "rule_changed": _UNTIL_CLOSE,
    "window_set": _UNTIL_CLOSE,
    # who may vote, and with what
    "roll_imported": _UNTIL_CLOSE,
    "eligibility_lapsed": _UNTIL_CLOSE,
    "eligibility_restored": _UNTIL_CLOSE,
    "member_removed": _UNTIL_CLOSE,
    "packs_issued": _UNTIL_CLOSE,
    "pack_replacement_asked": _UNTIL_CLOSE,
    "pack_replacement_approved": _UNTIL_CLOSE,
    "pack_replaced": _UNTIL_CLOSE,
    "roll_closed": _OPEN | _CLOSED | _COUNTING,
    # votes
    "votes_locked": _OPEN,
    "ballots_boxed": _UNTIL_COUNT,
    "attempt_recorded": _UNTIL_COUNT,
    "papers_imported": _UNTIL_COUNT,
    "postal_counted": _CLOSED,
    # the count
    "receipts_closed": _COUNTING,
    # members asking, and what came of it
    "pack_events_imported": _ANY,
    "pack_locked_out": _ANY,
    "lockout_lifted": _ANY,
    "chat_lockout_lifted": _ANY,
    "case_disputed": _ANY,
    "case_acknowledged": _ANY,
    "case_assigned": _ANY,
    "case_outcome_proposed": _ANY,
    "case_settled": _ANY,
    "texts_stopped": _ANY,
    "texts_resumed": _ANY,
    "channels_back": _ANY,
    "alert_acknowledged": _ANY,
    "personal_data_forgotten": _OVER,
    # staff among themselves
    "staff_invited": _ANY,
    "staff_enrolled": _ANY,
    "staff_removed": _ANY,
    "staff_phone_set": _ANY,
    "staff_group_set": _ANY,
    "duty_changed": _ANY,
    "duty_list_set": _ANY,
    "console_opened": _ANY,
    # notices
    "notice_drafted": _ANY,
    "notice_edited": _ANY,
    "notice_submitted": _ANY,
    "notice_approved": _ANY,
    "notice_scheduled": _ANY,
    "notice_held": _ANY,
    "notice_sent": _ANY,
    "notice_paused": _ANY,
    "notice_resumed": _ANY,
    "notice_canceled": _ANY,
    "notice_superseded": _ANY,
    # an older copy of the database put back
    "head_resume_asked": _ANY,
    "head_resumed": _ANY,
}
KINDS: Final = frozenset(concatenated(TURNS, ALLOWED))


class Placed(Protocol):
    """What is looked at of an entry."""

    @property
    def seq(self) -> int:
        """Give its number."""

    @property
    def kind(self) -> str:
        """Give its kind."""


@dataclass(frozen=True, slots=True)
class OutOfPlace:
    """An entry that stands where none of its kind may."""

    seq: int
    kind: str
    span: Span

    def __str__(self) -> str:
        why = f"comes {self.span}" if self.kind in KINDS else "is of a kind that nobody writes"
        return f'entry {self.seq} of the chain, "{self.kind}", {why}'


def next_span(span: Span, kind: str) -> Span | None:
    """Give the span after an entry of this kind, None when it may not stand in `span`."""
    if kind in TURNS:
        ends, begins = TURNS[kind]
        return begins if span is ends else None
    return span if span in ALLOWED.get(kind, frozenset()) else None


def first_out_of_place(entries: Iterable[Placed]) -> OutOfPlace | None:
    """Walk a chain from its first entry and give the first entry that is out of place, None when there is none."""
    span = Span.UNMADE
    for entry in entries:
        after = next_span(span, entry.kind)
        if after is None:
            return OutOfPlace(entry.seq, entry.kind, span)
        span = after
    return None
