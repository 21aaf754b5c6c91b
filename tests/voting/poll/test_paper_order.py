"""The order of options: a member's own, everywhere the same, and nobody's to work out without the key."""

from dataclasses import replace

from prepared import POLL, asked

from voting.model import Order
from voting.poll.paper_order import in_order, shifts_of

KEY = bytes(range(32))
TURNED = asked("Who?", "A", "B", "C", "D", "E", order=Order.ROTATED)
ROTATED = replace(POLL, questions=(TURNED, *POLL.questions, TURNED))


def test_a_fixed_order_is_the_poll_s() -> None:
    assert [shifts_of(KEY, POLL, member) for member in range(20)] == [(0,)] * 20


def test_a_member_s_order_stays_and_hangs_on_member_question_poll_and_key() -> None:
    drawn = [shifts_of(KEY, ROTATED, member) for member in range(200)]

    assert drawn == [shifts_of(KEY, ROTATED, member) for member in range(200)]
    assert {shift[0] for shift in drawn} == set(range(5))
    assert {shift[1] for shift in drawn} == {0}
    assert any(first != last for first, _, last in drawn)
    assert drawn != [shifts_of(bytes(32), ROTATED, member) for member in range(200)]
    assert drawn != [shifts_of(KEY, replace(ROTATED, uuid="BaLLotLineTest2"), member) for member in range(200)]


def test_every_beginning_is_about_as_frequent() -> None:
    first = [shifts_of(KEY, ROTATED, member)[0] for member in range(5_000)]

    assert all(850 < first.count(shift) < 1_150 for shift in range(5))


def test_a_shift_turns_the_options_round() -> None:
    assert [in_order(3, shift) for shift in range(3)] == [[0, 1, 2], [1, 2, 0], [2, 0, 1]]
