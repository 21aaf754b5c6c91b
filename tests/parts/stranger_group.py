"""Written after docs/ballots.md and RFC 8032, in whole numbers: the group, its proofs, Ed25519's check."""

import functools
import hashlib
from collections.abc import Sequence
from typing import Any

P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)

Point = tuple[int, int, int, int]
NEUTRAL: Point = (0, 1, 1, 0)


class Refused(Exception):
    """Something is not as the specification has it."""


def insist(fits: bool, what: str) -> None:
    """Refuse what does not fit."""
    if not fits:
        raise Refused(what)


def add(one: Point, two: Point) -> Point:
    """Multiply, as the specification calls it: add points in extended coordinates."""
    a, b = (one[1] - one[0]) * (two[1] - two[0]) % P, (one[1] + one[0]) * (two[1] + two[0]) % P
    c, d = 2 * one[3] * two[3] * D % P, 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def sixteenfold(one: Point) -> Point:
    """Add a point to itself, and again, four times in all: in fewer steps than `add`."""
    x, y, z, t = one
    for _ in range(4):
        a, b = x * x % P, y * y % P
        e, g, h = 2 * x * y % P, b - a, -a - b
        f = (g - 2 * z * z) % P
        x, y, z, t = e * f % P, g * h % P, f * g % P, e * h
    return (x, y, z, t % P)


def negated(one: Point) -> Point:
    """Give the inverse."""
    return (-one[0] % P, one[1], one[2], -one[3] % P)


def times(scalar: int, point: Point) -> Point:
    """Raise to a power."""
    return times_each((scalar, point))


def times_each(*powers: tuple[int, Point]) -> Point:
    """Raise each to its power and multiply: sixteen at a time, with the doublings in common."""
    digits = [(f"{scalar % Q:064x}", _small(point)) for scalar, point in powers]
    total = NEUTRAL
    for place in range(64):
        if total is not NEUTRAL:
            total = sixteenfold(total)
        for written, small in digits:
            if written[place] != "0":
                total = add(total, small[int(written[place], 16)])
    return total


@functools.lru_cache(maxsize=512)  # the base and the key are asked for again and again
def _small(point: Point) -> list[Point]:
    """Give the first sixteen powers."""
    powers = [NEUTRAL, point]
    for _ in range(14):
        powers.append(add(powers[-1], point))
    return powers


def product(points: Sequence[Point]) -> Point:
    """Multiply all."""
    total = NEUTRAL
    for point in points:
        total = add(total, point)
    return total


def same(one: Point, two: Point) -> bool:
    """Compare."""
    return (one[0] * two[2] - two[0] * one[2]) % P == 0 and (one[1] * two[2] - two[1] * one[2]) % P == 0


def decode(raw: bytes) -> Point:
    """Read the 32 bytes of RFC 8032, canonical."""
    number = int.from_bytes(raw, "little")
    y, sign = number & (2**255 - 1), number >> 255
    insist(len(raw) == 32 and y < P, "a point is 32 canonical bytes")
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    x = x * ROOT % P if (v * x * x + u) % P == 0 else x
    insist((v * x * x - u) % P == 0 and not (x == 0 and sign), "a point lies on the curve")
    x = P - x if x & 1 != sign else x
    return (x, y, 1, x * y % P)


def encode(point: Point) -> bytes:
    """Write the 32 bytes of RFC 8032."""
    inverse = pow(point[2], -1, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = decode(b"\x58" + b"\x66" * 31)


@functools.lru_cache(maxsize=4_096)
def of_order_q(point: Point) -> bool:
    """Whether a point's q-th power is the identity; a credential is asked about again and again."""
    return same(add(times(Q - 1, point), point), NEUTRAL)


def read(text: Any, *, identity: bool = False) -> Point:
    """Read a point's 64 digits."""
    insist(isinstance(text, str) and len(text) == 64 and text == text.lower(), "a point has 64 small digits")
    point = decode(bytes.fromhex(text)[::-1])
    if same(point, NEUTRAL):
        insist(identity, "the identity is no key, credential, ciphertext or commitment")
    insist(of_order_q(point), "a point is of order q")
    return point


def write(point: Point) -> str:
    """Write a point's 64 digits."""
    return encode(point)[::-1].hex()


def scalar(text: Any) -> int:
    """Read a scalar."""
    insist(isinstance(text, str) and text.isascii() and text.isdigit() and str(int(text)) == text, "a scalar's digits")
    insist(int(text) < Q, "a scalar is below q")
    return int(text)


def h(text: str) -> int:
    """Hash to a scalar."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big") % Q


def proof(value: Any) -> tuple[int, int]:
    """Read a proof."""
    insist(list(value) == ["challenge", "response"], "a proof has challenge and response")
    return scalar(value["challenge"]), scalar(value["response"])


def check_knowledge(value: Any, public: Point, prefix: str, what: str) -> None:
    """Check a proof of knowledge."""
    challenge, response = proof(value)
    commitment = times_each((response, BASE), (challenge, public))
    insist(h(prefix + write(commitment)) == challenge, f"the proof of {what}")


def check_equality(value: Any, public: Point, alpha: Point, factor: Point, prefix: str) -> None:
    """Check a proof of equality."""
    challenge, response = proof(value)
    one = times_each((response, BASE), (challenge, public))
    two = times_each((response, alpha), (challenge, factor))
    insist(h(f"{prefix}{write(one)},{write(two)}") == challenge, "the proof of a factor")


def check_one_of(values: Any, key: Point, pairs: Sequence[tuple[Point, Point]], prefix: str, what: str) -> None:
    """Check a proof of one of several."""
    insist(len(values) == len(pairs), f"as many proofs as statements in {what}")
    total, written = 0, []
    for value, (a, b) in zip(values, pairs, strict=True):
        challenge, response = proof(value)
        total += challenge
        written.append(write(times_each((response, BASE), (challenge, a))))
        written.append(write(times_each((response, key), (challenge, b))))
    insist(h(prefix + ",".join(written)) == total % Q, f"the proof of {what}")


def check_ed25519(key: bytes, message: bytes, signature: bytes) -> None:
    """Check a signature as RFC 8032 has it."""
    insist(len(signature) == 64, "a signature has 64 bytes")
    r, s = decode(signature[:32]), int.from_bytes(signature[32:], "little")
    insist(s < Q, "a signature's number is below q")
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % Q
    insist(same(times(s, BASE), add(r, times(challenge, decode(key)))), "a signature")
