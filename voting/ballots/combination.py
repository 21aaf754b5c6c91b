"""The result from any k of the trustees' decryptions (specification 4.21)."""

from collections.abc import Sequence
from typing import NamedTuple

from voting.ballots.decryption import Decryption, read_decryption
from voting.ballots.election import Election
from voting.ballots.gathering import gather
from voting.ballots.group import BASE, IDENTITY, Point, minus, product, times
from voting.ballots.pedersen import lagrange
from voting.ballots.tally import Sum, Tally
from voting.ballots.trustee_refusals import ResultImpossible, TooFewDecryptions
from voting.ballots.trustees import Trustees, check_election_key
from voting.ballots.written import File, write_json


class Combined(NamedTuple):
    """The result by question and answer, and the decryptions that made it, as many as the threshold."""

    result: tuple[tuple[int, ...], ...]
    used: tuple[Decryption, ...]
    notes: tuple[str, ...]

    def dumps(self) -> bytes:
        """Write Belenios's result."""
        return write_json({"result": [list(question) for question in self.result]}).encode("ascii")


def combine(files: Sequence[File], *, election: Election, trustees: Trustees, tally: Tally, ballots: int) -> Combined:
    """Check every decryption given, and combine those of the first k trustees; `ballots` is how many were tallied.

    Raises FileDamaged, FileForeign, TwoFromOne, DecryptionWrong, TooFewDecryptions naming who has not decrypted,
    ResultImpossible.
    """
    check_election_key(trustees, election)
    gathered = gather(files, lambda file: read_decryption(file, election, tally, trustees), _same_factors)
    given = [gathered.found[index] for index in sorted(gathered.found)]
    if len(given) < trustees.threshold:
        missing = [str(index + 1) for index in range(len(trustees.keys)) if index + 1 not in gathered.found]
        raise TooFewDecryptions(given=len(given), needed=trustees.threshold, trustees=", ".join(missing))
    used = tuple(given[: trustees.threshold])
    spare = tuple(f"{one.file.name} is good and was not needed." for one in given[trustees.threshold :])
    return Combined(_solve(tally, used, ballots), used, gathered.notes + spare)


def _same_factors(one: Decryption, other: Decryption) -> bool:
    """Two good decryptions of one trustee have the same factors; only the proofs' nonces differ."""
    pairs = zip(one.factors, other.factors, strict=True)
    return all([a.factor for a in first] == [b.factor for b in second] for first, second in pairs)


def _solve(tally: Tally, used: Sequence[Decryption], ballots: int) -> tuple[tuple[int, ...], ...]:
    indexes = [one.index for one in used]
    weights = [lagrange(index, indexes) for index in indexes]
    logarithm = Logarithm(ballots)
    result = []
    for place, sums in enumerate(tally.sums):
        columns = [[one.factors[place][answer].factor for one in used] for answer in range(len(sums))]
        found = [logarithm.of(_opened(one, column, weights)) for one, column in zip(sums, columns, strict=True)]
        if None in found:
            raise ResultImpossible(place=f"[{place}][{found.index(None)}] of the result", ballots=ballots)
        result.append(tuple(number for number in found if number is not None))
    return tuple(result)


def _opened(one: Sum, factors: Sequence[Point], weights: Sequence[int]) -> Point:
    """Give g^result: beta divided by alpha^secret, which the weighted factors make."""
    return minus(one.beta, product(times(weight, factor) for weight, factor in zip(weights, factors, strict=True)))


class Logarithm:
    """Finds n, 0 <= n <= `highest`, from g^n in about 2 sqrt(highest) steps: baby step, giant step (Shanks)."""

    def __init__(self, highest: int) -> None:
        self.highest = highest
        self.step = max(1, int(highest**0.5))
        self.small: dict[Point, int] = {}
        point = IDENTITY
        for number in range(self.step):
            self.small[point] = number
            point = product((point, BASE))
        self.giant = point

    def of(self, point: Point) -> int | None:
        """Give n, or None when there is none."""
        for passed in range(0, self.highest + 1, self.step):
            small = self.small.get(point)
            if small is not None:
                return passed + small if passed + small <= self.highest else None
            point = minus(point, self.giant)
        return None
