"""How trustees' files are written and read: compact JSON in ASCII, exactly these fields in this order.

What is read must be, byte for byte, what would be written again; so no byte can change unseen by whoever holds a
digest or signature of the values. Every reader raises `FieldWrong`, `PointWrong` or `ScalarWrong` naming the field.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from voting.ballots.group import Point, read_point, read_scalar, write_point, write_scalar
from voting.ballots.proofs import Proof
from voting.ballots.refusals import BallotRefusal, FieldWrong
from voting.ballots.trustee_refusals import FileDamaged

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class File(NamedTuple):
    """A file's name, for sentences, and all its bytes."""

    name: str
    data: bytes


def sha256_hex(data: bytes | str) -> str:
    """SHA-256 of bytes, or of a text's ASCII, as 64 lower-case digits."""
    return hashlib.sha256(data.encode("ascii") if isinstance(data, str) else data).hexdigest()


def write_json(value: object) -> str:
    """Compact JSON in ASCII, fields in the order in which they were put in."""
    return json.dumps(value, separators=(",", ":"))


def read_json(data: bytes | str, field: str) -> object:
    """Read what `write_json` wrote, and nothing else: no spaces, no other escapes, no field twice."""
    try:
        text = data.decode("ascii") if isinstance(data, bytes) else data
        value: object = json.loads(text)
        same = write_json(value) == text
    except (ValueError, RecursionError):
        same = False
    if not same:
        raise FieldWrong(field, problem="it is not compact JSON")
    return value


def read_fields(value: object, names: Sequence[str], field: str) -> list[object]:
    """Give the values of an object that has exactly these names in this order."""
    if not isinstance(value, dict) or list(value) != list(names):
        raise FieldWrong(field, problem=f"it must have the fields {', '.join(names)}")
    return list(value.values())


def read_items(value: object, length: int, field: str) -> list[object]:
    """Give the items of a list that has exactly this many."""
    if not isinstance(value, list) or len(value) != length:
        raise FieldWrong(field, problem=f"it must be a list of {length}")
    return value


def read_number(value: object, highest: int, field: str) -> int:
    """Give a whole number from 1 to `highest`."""
    if type(value) is not int or not 1 <= value <= highest:  # True is an int too
        raise FieldWrong(field, problem=f"it must be a number from 1 to {highest}")
    return value


def read_text(value: object, field: str) -> str:
    """Give a text of ASCII characters: whatever is hashed has one way to be written."""
    if not isinstance(value, str) or not value.isascii():
        raise FieldWrong(field, problem="it must be a text in ASCII")
    return value


def read_digest(value: object, field: str) -> str:
    """Give a SHA-256 in 64 lower-case digits."""
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        raise FieldWrong(field, problem="it must be a SHA-256 in 64 digits")
    return value


def read_same(value: object, wanted: str, field: str) -> None:
    """Refuse a text that is not the wanted one."""
    if value != wanted:
        raise FieldWrong(field, problem=f"it must be {wanted}")


def write_proof(proof: Proof) -> dict[str, str]:
    """Write a proof as Belenios does."""
    return {"challenge": write_scalar(proof.challenge), "response": write_scalar(proof.response)}


def read_proof(value: object, field: str) -> Proof:
    """Read a proof; both numbers below q."""
    challenge, response = read_fields(value, ("challenge", "response"), field)
    return Proof(read_scalar(challenge, f"{field}.challenge"), read_scalar(response, f"{field}.response"))


def write_points(points: Sequence[Point]) -> list[str]:
    """Write points as Belenios does."""
    return [write_point(point) for point in points]


def read_points(value: object, length: int, field: str) -> tuple[Point, ...]:
    """Read exactly so many points of order q."""
    found = read_items(value, length, field)
    return tuple(read_point(point, f"{field}[{place}]") for place, point in enumerate(found))


@contextmanager
def reading(file: str) -> Iterator[None]:
    """Turn what is wrong with a field into `FileDamaged`, which names the file."""
    try:
        yield
    except BallotRefusal as wrong:
        raise FileDamaged(file=file, problem=str(wrong).rstrip(".")) from None
