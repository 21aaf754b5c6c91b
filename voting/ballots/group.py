"""The group of every key, credential and ciphertext: the points of prime order q of edwards25519, from PyNaCl.

A point is its 32 bytes as in RFC 8032; a scalar is an int, 0 <= scalar < q. The written forms are
Belenios's (specification 3.0, section 5.2.1): the bytes backwards as 64 hexadecimal digits, scalars in decimal.
Every function is total: 0 times P is the identity, which libsodium's own multiplication refuses.
"""

import hashlib
import re
import secrets
from collections.abc import Iterable
from typing import Final, TypeAlias

import nacl.bindings
import nacl.exceptions

from voting.ballots.refusals import PointWrong, ScalarWrong

Point: TypeAlias = bytes

ORDER: Final = 2**252 + 27742317777372353535851937790883648493  # q, RFC 8032, section 5.1
BASE: Final[Point] = b"\x58" + b"\x66" * 31  # g: y = 4/5, x even
IDENTITY: Final[Point] = b"\x01" + bytes(31)
POINT_BYTES: Final = 32
SCALAR_BYTES: Final = 32

_POINT_TEXT: Final = re.compile(r"[0-9a-f]{64}")
_SCALAR_TEXT: Final = re.compile(r"0|[1-9][0-9]{0,75}", re.ASCII)  # q has 76 digits

_times = nacl.bindings.crypto_scalarmult_ed25519_noclamp
_base_times = nacl.bindings.crypto_scalarmult_ed25519_base_noclamp
_add = nacl.bindings.crypto_core_ed25519_add
_sub = nacl.bindings.crypto_core_ed25519_sub
_is_valid = nacl.bindings.crypto_core_ed25519_is_valid_point


def base_times(scalar: int) -> Point:
    """Raise g to the scalar, taken modulo q."""
    scalar %= ORDER
    return _base_times(scalar.to_bytes(SCALAR_BYTES, "little")) if scalar else IDENTITY


def times(scalar: int, point: Point, field: str = "point") -> Point:
    """Raise `point` to the scalar, taken modulo q; `PointWrong(field)` unless the point is of order q or the identity.

    libsodium's multiplication itself refuses what is not canonical or not of order q (its manual, "Finite field
    arithmetic"; a test insists): whoever multiplies has checked.
    """
    scalar %= ORDER
    if point == IDENTITY:
        return IDENTITY
    if not scalar:
        check_point(point, field)
        return IDENTITY
    try:
        return _times(scalar.to_bytes(SCALAR_BYTES, "little"), point)
    except (nacl.exceptions.RuntimeError, nacl.exceptions.TypeError) as refused:
        raise PointWrong(field) from refused


def plus(one: Point, other: Point, field: str = "point") -> Point:
    """Multiply two points; `PointWrong(field)` if one is not on the curve. That it is of order q is for its reader."""
    try:
        return _add(one, other)
    except (nacl.exceptions.RuntimeError, nacl.exceptions.TypeError) as refused:
        raise PointWrong(field) from refused


def minus(one: Point, other: Point, field: str = "point") -> Point:
    """Divide `one` by `other`; refuses as `plus`."""
    try:
        return _sub(one, other)
    except (nacl.exceptions.RuntimeError, nacl.exceptions.TypeError) as refused:
        raise PointWrong(field) from refused


def product(points: Iterable[Point], field: str = "point") -> Point:
    """Multiply points; the product of none is the identity. Refuses as `plus`."""
    total = IDENTITY
    for point in points:
        total = plus(total, point, field)
    return total


def is_element(point: bytes) -> bool:
    """Say whether these are the canonical 32 bytes of a point of order q. The identity is not."""
    return len(point) == POINT_BYTES and _is_valid(point)


def check_point(point: bytes, field: str) -> Point:
    """Return the point, if it is of order q, canonical and not the identity; else `PointWrong(field)`."""
    if not is_element(point):
        raise PointWrong(field)
    return point


def write_point(point: Point) -> str:
    """Write the point as the 64 digits that Belenios writes."""
    return point[::-1].hex()


def read_point_unchecked(text: object, field: str) -> Point:
    """Read the 32 bytes of 64 lower-case digits; whether they are a point is for `check_point` or `times` to say."""
    if not isinstance(text, str) or not _POINT_TEXT.fullmatch(text):
        raise PointWrong(field)
    return bytes.fromhex(text)[::-1]


def read_point(text: object, field: str) -> Point:
    """Read a point of order q, for keys, credentials, ciphertexts and commitments; else `PointWrong(field)`."""
    return check_point(read_point_unchecked(text, field), field)


def read_point_or_identity(text: object, field: str) -> Point:
    """Read a point of order q or the identity, for tallies and decryption factors; else `PointWrong(field)`."""
    point = read_point_unchecked(text, field)
    return point if point == IDENTITY else check_point(point, field)


def write_scalar(scalar: int) -> str:
    """Write the scalar in decimal."""
    return str(scalar)


def read_scalar(text: object, field: str) -> int:
    """Read a scalar below q in ASCII digits without leading zeros; else `ScalarWrong(field)`."""
    if not isinstance(text, str) or not _SCALAR_TEXT.fullmatch(text):
        raise ScalarWrong(field)
    return check_scalar(int(text), field)


def check_scalar(scalar: int, field: str) -> int:
    """Return the scalar, if 0 <= scalar < q; else `ScalarWrong(field)`."""
    if not 0 <= scalar < ORDER:
        raise ScalarWrong(field)
    return scalar


def random_scalar() -> int:
    """Draw a fresh scalar from the system's random numbers, each 0 <= scalar < q equally likely."""
    return secrets.randbelow(ORDER)


def hash_to_scalar(text: str | bytes) -> int:
    """Read the SHA-256 of the text (UTF-8) as a big-endian number, modulo q."""
    data = text.encode() if isinstance(text, str) else text
    return int.from_bytes(hashlib.sha256(data).digest(), "big") % ORDER
