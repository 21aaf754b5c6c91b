"""Secret polynomials modulo q: their values and their commitments (specification 4.6.4)."""

import secrets
from collections.abc import Sequence

from voting.ballots.group import ORDER, Point, base_times


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
