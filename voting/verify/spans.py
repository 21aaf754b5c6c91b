"""Which kinds of entries may stand where on the chain, from the poll's making to the count.

Once the poll is open nothing of the paper changes; after the close only papers come; during the count nothing but the
count. What staff do among themselves, what is told to members and asked by them bears on no vote: it may come any time.
The program that writes the chain has a table of its own; a test holds the two together.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from voting.verify import format as form


class Span(StrEnum):
    """A part of the chain; every poll passes through them in this order."""

    UNMADE = "before the poll is made"
    BEFORE = "before the opening"
    OPEN = "while the poll is open"
    CLOSED = "after the close"
    COUNTING = "during the count"
    COUNTED = "after the count"


# The span that an entry ends and the one that it begins: each stands on the chain once.
TURNS: Final[Mapping[str, tuple[Span, Span]]] = {
    form.POLL_INITIALISED: (Span.UNMADE, Span.BEFORE),
    form.POLL_OPENED: (Span.BEFORE, Span.OPEN),
    form.POLL_CLOSED: (Span.OPEN, Span.CLOSED),
    form.BALLOTS_CLOSED: (Span.CLOSED, Span.COUNTING),
    form.COUNTED: (Span.COUNTING, Span.COUNTED),
}

_PREPARING: Final = "poll_changed trustees_set trustee_agreed"
_UNTIL_CLOSE: Final = (
    "rule_changed window_set roll_imported eligibility_lapsed eligibility_restored member_removed packs_issued "
    "pack_replacement_asked pack_replacement_approved pack_replaced"
)
_UNTIL_COUNT: Final = "attempt_recorded papers_imported"
_OVER: Final = "personal_data_forgotten"
_ANY_TIME: Final = (
    "pack_events_imported pack_locked_out lockout_lifted chat_lockout_lifted "
    "case_disputed case_acknowledged case_assigned case_outcome_proposed case_settled "
    "texts_stopped texts_resumed channels_back alert_acknowledged "
    "staff_invited staff_enrolled staff_removed staff_phone_set staff_group_set "
    "duty_changed duty_list_set console_opened "
    "notice_drafted notice_edited notice_submitted notice_approved notice_scheduled notice_held notice_sent "
    "notice_paused notice_resumed notice_canceled notice_superseded "
    "head_resume_asked head_resumed"
)

ALLOWED: Final[Mapping[str, frozenset[Span]]] = {
    **dict.fromkeys(_PREPARING.split(), frozenset({Span.BEFORE})),
    **dict.fromkeys(_UNTIL_CLOSE.split(), frozenset({Span.BEFORE, Span.OPEN})),
    form.VOTES_LOCKED: frozenset({Span.OPEN}),
    **dict.fromkeys(_UNTIL_COUNT.split(), frozenset({Span.OPEN, Span.CLOSED})),
    form.POSTAL_COUNTED: frozenset({Span.CLOSED}),
    form.ROLL_CLOSED: frozenset({Span.OPEN, Span.CLOSED, Span.COUNTING}),
    **dict.fromkeys(_OVER.split(), frozenset({Span.CLOSED, Span.COUNTING, Span.COUNTED})),
    **dict.fromkeys(_ANY_TIME.split(), frozenset(Span) - {Span.UNMADE}),
}


def next_span(span: Span, kind: str) -> Span | None:
    """Give the span after an entry of this kind, None when it may not stand in `span`."""
    if kind in TURNS:
        ends, begins = TURNS[kind]
        return begins if span is ends else None
    return span if span in ALLOWED.get(kind, frozenset()) else None
