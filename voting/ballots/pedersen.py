"""What trustees sign of a Pedersen key (specification 4.6): certificates and commitments; Lagrange's weights (4.21)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from voting.ballots.election import GROUP
from voting.ballots.group import ORDER, Point, product, read_point, times, write_point
from voting.ballots.refusals import FieldWrong
from voting.ballots.signing import Signed, check_signed
from voting.ballots.written import read_fields, read_json, read_number, read_points, read_same, write_json, write_points

TRUSTEES_MAX: Final = 16


@dataclass(frozen=True, slots=True)
class Keys:
    """What a certificate signs: place in the ceremony, verification key, encryption key."""

    index: int
    of: int
    threshold: int
    verification: Point
    encryption: Point

    def message(self) -> str:
        """Write it as Belenios's `cert_keys`."""
        context = {"group": GROUP, "size": self.of, "threshold": self.threshold, "index": self.index}
        verification, encryption = write_point(self.verification), write_point(self.encryption)
        return write_json({"context": context, "verification": verification, "encryption": encryption})


def read_keys(published: Signed, field: str) -> Keys:
    """Read what a published certificate signs, and check its signature."""
    names = ("context", "verification", "encryption")
    context, verification, encryption = read_fields(read_json(published.message, field), names, field)
    group, of, threshold, index = read_fields(context, ("group", "size", "threshold", "index"), f"{field}.context")
    read_same(group, GROUP, f"{field}.group")
    size = read_number(of, TRUSTEES_MAX, f"{field}.size")
    keys = Keys(
        read_number(index, size, f"{field}.index"),
        size,
        read_number(threshold, size, f"{field}.threshold"),
        read_point(verification, f"{field}.verification"),
        read_point(encryption, f"{field}.encryption"),
    )
    check_signed(published, keys.verification, field)
    return keys


def check_places(keys: Sequence[Keys], threshold: int) -> None:
    """Raise FieldWrong unless published certificates are numbered from 1 and say the same size and threshold."""
    for place, one in enumerate(keys, 1):
        if (one.index, one.of, one.threshold) != (place, len(keys), threshold):
            raise FieldWrong(f"certs[{place - 1}]", problem="its place, size or threshold is another's")


def certs_message(certificates: Sequence[Signed], commitments: Sequence[Point]) -> str:
    """Write what each trustee signs of all published certificates and of their own commitments."""
    certs = [one.fields() for one in certificates]
    return "certs_sig|" + write_json({"certs": certs, "coefexps": write_points(commitments)})


def read_commitments(value: Signed, threshold: int, public: Point, field: str) -> tuple[Point, ...]:
    """Read signed commitments: as many points of order q as the threshold, signed by the owner of `public`."""
    (points,) = read_fields(read_json(value.message, field), ("coefexps",), field)
    commitments = read_points(points, threshold, field)
    check_signed(value, public, field)
    return commitments


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
