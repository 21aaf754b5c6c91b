"""Which envelope an event is about, where a member has had more than one pack."""

from datetime import date

import pytest

from voting.packs.envelopes import Envelope, Event, NotOne, choose

DISPATCHED, DELIVERED, RETURNED = Event


def day(number: int) -> date:
    return date(2022, 8, number)


def envelope(serial: int, issued: int, ended: int | None = None, **days: int) -> Envelope:
    on = {event: day(days[event.value]) if event.value in days else None for event in Event}
    return Envelope(serial, bytes([serial]), day(issued), ended and day(ended), on)


@pytest.mark.parametrize(
    ("packs", "event", "on", "serial"),
    [
        pytest.param([envelope(1, 3)], DISPATCHED, 4, 1, id="the only one"),
        pytest.param([envelope(1, 3)], RETURNED, 9, 1, id="the only one comes back"),
        pytest.param([envelope(1, 3, dispatched=4, returned=5)], RETURNED, 9, 1, id="the only one comes back again"),
        pytest.param([envelope(2, 6), envelope(1, 3, 6)], DISPATCHED, 5, 1, id="before the new one"),
        pytest.param([envelope(2, 6), envelope(1, 3, 6)], DELIVERED, 7, 2, id="after the old one"),
        pytest.param(
            [envelope(2, 6), envelope(1, 3, 6, dispatched=4)], RETURNED, 8, 1, id="the new one has not left the house"
        ),
        pytest.param([envelope(2, 6), envelope(1, 3, 6, dispatched=6)], RETURNED, 6, 1, id="replaced on the very day"),
        pytest.param(
            [envelope(2, 6, dispatched=7), envelope(1, 3, 6, dispatched=4, returned=6)],
            RETURNED,
            9,
            2,
            id="the old one is back already",
        ),
        pytest.param(
            [envelope(2, 6, dispatched=7), envelope(1, 3, 6, dispatched=4, returned=6)],
            RETURNED,
            6,
            1,
            id="the same file again",
        ),
        pytest.param(
            [envelope(2, 6), envelope(1, 3, 6, dispatched=4)],
            DISPATCHED,
            6,
            2,
            id="the old had left",
        ),
        pytest.param([envelope(1, 3, 6, dispatched=4)], RETURNED, 8, 1, id="a pack that ended and has no successor"),
    ],
)
def test_an_event_finds_its_envelope(packs: list[Envelope], event: Event, on: int, serial: int) -> None:
    assert choose(packs, event, day(on)).id == serial


@pytest.mark.parametrize(
    ("packs", "event", "on", "problem"),
    [
        pytest.param([], DISPATCHED, 4, "no pack on that day", id="none"),
        pytest.param([envelope(1, 5)], DISPATCHED, 4, "no pack on that day", id="before the first"),
        pytest.param(
            [envelope(2, 6, dispatched=7), envelope(1, 3, 6, dispatched=4)],
            RETURNED,
            9,
            "The pack was replaced on 2022-08-06",
            id="both are in the post",
        ),
        pytest.param([envelope(2, 6), envelope(1, 3, 6)], RETURNED, 9, "name it", id="nothing was told of dispatch"),
        pytest.param([envelope(2, 6), envelope(1, 3, 6)], DISPATCHED, 6, "which envelope?", id="the day of both"),
    ],
)
def test_an_event_of_either_envelope_is_asked_about(packs: list[Envelope], event: Event, on: int, problem: str) -> None:
    with pytest.raises(NotOne) as asked:
        choose(packs, event, day(on))

    assert problem in str(asked.value)
