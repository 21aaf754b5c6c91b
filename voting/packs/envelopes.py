"""Which of a member's packs an event is about: an envelope that comes back may be one that was replaced meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Event(StrEnum):
    """What the mailing house says of a pack."""

    DISPATCHED = "dispatched"
    DELIVERED = "delivered"
    RETURNED = "returned"


@dataclass(slots=True)
class Envelope:
    """A pack as its letter: from the day it was issued to when it was replaced, and what is known of its delivery."""

    id: int
    pack_hash: bytes
    issued_on: date
    ended_on: date | None
    days: dict[Event, date | None]

    def worked_on(self, day: date) -> bool:
        """Whether it was the member's pack on some part of that day."""
        return self.issued_on <= day and (self.ended_on is None or day <= self.ended_on)


class NotOne(ValueError):  # noqa: N818 - the fact, as with refusals
    """The event belongs to no pack, or to more than one; the message goes into the report."""


def choose(envelopes: Sequence[Envelope], event: Event, day: date) -> Envelope:
    """Give the envelope, of a member's from new to old, that an event without a pack code is about; NotOne.

    One that was noted before is the same event again. Otherwise it is that of the pack that worked on its day, but
    an envelope may come back long after: then only one that had been dispatched and has not come back yet.
    """
    there = [envelope for envelope in envelopes if envelope.issued_on <= day]
    if not there:
        raise NotOne("no pack on that day")
    for envelope in there:
        if envelope.days[event] == day:
            return envelope
    left = _in_the_post(there, day) if event is Event.RETURNED else [each for each in there if each.worked_on(day)]
    if len(left) > 1:
        left = [envelope for envelope in left if envelope.days[event] is None] or left
    if len(left) == 1:
        return left[0]
    replaced_on = max(envelope.ended_on for envelope in there if envelope.ended_on is not None)
    raise NotOne(f"which envelope? The pack was replaced on {replaced_on}: add a column pack_code and name it")


def _in_the_post(there: Sequence[Envelope], day: date) -> list[Envelope]:
    """Give those that could come back: dispatched by that day; all of them where nothing was ever told of that."""

    def was_dispatched(envelope: Envelope) -> bool:
        on = envelope.days[Event.DISPATCHED]
        return on is not None and on <= day

    return [envelope for envelope in there if was_dispatched(envelope)] or list(there)
