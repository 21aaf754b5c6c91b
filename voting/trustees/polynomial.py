"""Secret polynomials modulo q: their values, their commitments, and Lagrange's way back (specification 4.6.4, 4.21)."""

import secrets
from collections.abc import Collection, Sequence

from voting.ballots.group import ORDER, Point, base_times, product, times


def random_polynomial(threshold: int) -> tuple[int, ...]:
    """Draw as many coefficients as the threshold; none is 0, for then its commitment would be the identity."""
    return tuple(1 + secrets.randbelow(ORDER - 1) for _ in range(threshold))


def value_at(coefficients: Sequence[int], place: int) -> int:
    """Give f(place) modulo q."""
    total = 0
    for coefficient in reversed(coefficients):
        total = (total * place + coefficient) % ORDER
    return total


def commit(coefficients: Sequence[int]) -> tuple[Point, ...]:
    """Give g to each coefficient."""
    return tuple(base_times(coefficient) for coefficient in coefficients)


def committed_value(commitments: Sequence[Point], place: int) -> Point:
    """Give g^f(place) from the commitments alone."""
    return product(times(pow(place, power, ORDER), point) for power, point in enumerate(commitments))


def lagrange(index: int, indexes: Collection[int]) -> int:
    """Give the weight of trustee `index` among `indexes` for the value at 0."""
    top, bottom = 1, 1
    for other in indexes:
        if other != index:
            top = top * other % ORDER
            bottom = bottom * (other - index) % ORDER
    return top * pow(bottom, -1, ORDER) % ORDER
