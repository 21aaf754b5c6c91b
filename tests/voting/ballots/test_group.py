"""The group: strictly read, totally multiplied, and nothing outside the prime-order subgroup gets in."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voting.ballots.group import (
    BASE,
    IDENTITY,
    ORDER,
    base_times,
    check_point,
    check_scalar,
    hash_to_scalar,
    is_element,
    minus,
    plus,
    product,
    random_scalar,
    read_point,
    read_point_or_identity,
    read_point_unchecked,
    read_scalar,
    times,
    write_point,
    write_scalar,
)
from voting.ballots.refusals import PointWrong, ScalarWrong

PRIME = 2**255 - 19
ORDER_TWO = (PRIME - 1).to_bytes(32, "little")
ORDER_FOUR = bytes(32)
ORDER_EIGHT = bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")
MIXED = plus(BASE, ORDER_TWO)
NOT_POINTS = {
    "the identity": IDENTITY,
    "a point of order 2": ORDER_TWO,
    "a point of order 4": ORDER_FOUR,
    "a point of order 8": ORDER_EIGHT,
    "g and a point of order 2": MIXED,
    "g and a point of order 8": plus(BASE, ORDER_EIGHT),
    "not on the curve": b"\x02" + bytes(31),
    "the identity, y + p": (PRIME + 1).to_bytes(32, "little"),
    "the identity, negative": b"\x01" + bytes(30) + b"\x80",
    "y above p": (PRIME + 9).to_bytes(32, "little"),
    "31 bytes": BASE[:31],
    "33 bytes": BASE + b"\0",
    "nothing": b"",
}

scalars = st.integers(0, ORDER - 1)
not_points = pytest.mark.parametrize("point", NOT_POINTS.values(), ids=NOT_POINTS)


@settings(deadline=None)
@given(scalars, scalars)
def test_powers_of_g_add_up(one: int, two: int) -> None:
    assert plus(base_times(one), base_times(two)) == base_times(one + two)
    assert minus(base_times(one), base_times(two)) == base_times(one - two)
    assert times(one, base_times(two)) == base_times(one * two)


def test_multiplication_is_total() -> None:
    assert base_times(1) == BASE
    assert base_times(0) == base_times(ORDER) == IDENTITY
    assert times(0, BASE) == times(ORDER, BASE) == IDENTITY
    assert times(5, IDENTITY) == times(0, IDENTITY) == IDENTITY
    assert plus(IDENTITY, BASE) == BASE == minus(BASE, IDENTITY)
    assert minus(BASE, BASE) == IDENTITY
    assert product([]) == IDENTITY
    assert product([BASE, BASE, BASE]) == base_times(3)


@not_points
def test_what_is_no_point_of_order_q_is_refused(point: bytes) -> None:
    assert not is_element(point)
    with pytest.raises(PointWrong, match="here is not a point"):
        check_point(point, "here")


@pytest.mark.parametrize("scalar", [0, 1, 8, ORDER - 1, ORDER + 2])
@pytest.mark.parametrize("point", list(NOT_POINTS.values())[1:], ids=list(NOT_POINTS)[1:])
def test_multiplication_checks_its_point(point: bytes, scalar: int) -> None:
    """The proofs rely on it: a point that was multiplied is a point of order q."""
    with pytest.raises(PointWrong, match="here is not a point"):
        times(scalar, point, "here")


@pytest.mark.parametrize("point", [b"\x02" + bytes(31), b"", BASE[:31]], ids=["not on the curve", "nothing", "short"])
def test_adding_what_is_no_point_is_refused(point: bytes) -> None:
    for act in (plus, minus):
        with pytest.raises(PointWrong, match="here"):
            act(BASE, point, "here")
    with pytest.raises(PointWrong, match="here"):
        product([BASE, point], "here")


def test_a_point_is_written_backwards() -> None:
    assert write_point(BASE) == "66" * 31 + "58"
    assert read_point("66" * 31 + "58", "key") == BASE
    assert read_point_or_identity("00" * 31 + "01", "factor") == IDENTITY
    assert read_point_or_identity(write_point(BASE), "factor") == BASE


@pytest.mark.parametrize(
    "text",
    [
        ("66" * 31 + "58")[1:],
        "66" * 31 + "580",
        "6A" + "66" * 30 + "58",
        "66" * 31 + "5g",
        " " + "6" * 63,
        None,
        6,
        int("1" * 64),
        "٦" * 64,
    ],
    ids=[
        "63 digits",
        "65 digits",
        "a capital",
        "a letter",
        "a space",
        "nothing",
        "a number",
        "64 digits of a number",
        "Arabic digits",
    ],
)
def test_a_point_is_64_small_hexadecimal_digits(text: object) -> None:
    for read in (read_point, read_point_or_identity, read_point_unchecked):
        with pytest.raises(PointWrong, match="alpha"):
            read(text, "alpha")


@pytest.mark.parametrize("point", [p for p in NOT_POINTS.values() if len(p) == 32 and p != IDENTITY])
def test_a_written_point_is_checked(point: bytes) -> None:
    for read in (read_point, read_point_or_identity):
        with pytest.raises(PointWrong, match="alpha"):
            read(write_point(point), "alpha")


def test_the_identity_is_read_only_where_it_is_allowed() -> None:
    with pytest.raises(PointWrong, match="alpha"):
        read_point(write_point(IDENTITY), "alpha")


@settings(deadline=None)
@given(scalars)
def test_a_scalar_survives_its_writing(scalar: int) -> None:
    assert read_scalar(write_scalar(scalar), "response") == scalar


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-1",
        "+1",
        "01",
        "00",
        " 1",
        "1 ",
        "1\n",
        "1_0",
        "0x1",
        "1.0",
        "١",
        str(ORDER),
        "9" * 76,
        "1" * 5_000,
        None,
        1,
        True,
    ],
)
def test_a_scalar_is_below_q_in_ascii_digits_without_leading_zeros(text: object) -> None:
    with pytest.raises(ScalarWrong, match="response is not a number below q"):
        read_scalar(text, "response")


@pytest.mark.parametrize("scalar", [-1, ORDER, 2**256])
def test_a_scalar_out_of_range_is_refused(scalar: int) -> None:
    with pytest.raises(ScalarWrong, match="challenge"):
        check_scalar(scalar, "challenge")
    assert check_scalar(ORDER - 1, "challenge") == ORDER - 1


def test_hashes_and_draws_are_below_q() -> None:
    assert hash_to_scalar("sig|") == hash_to_scalar(b"sig|")
    assert 0 <= hash_to_scalar("ŵ") < ORDER
    assert random_scalar() != random_scalar()
    assert 0 <= random_scalar() < ORDER
