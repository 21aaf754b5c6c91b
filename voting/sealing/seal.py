"""Seal ballots so that nobody can read them before the count, and open them at the count.

The election key is a Curve25519 key pair. The service holds the public half only; a sealed ballot is a libsodium
sealed box of `SEALED_BYTES`, whatever was chosen. The private half exists only as trustees' shares (see `shares`).

A ballot's 32 bytes before sealing: version (1), option (2, counted from 0), number of options (2), the start of
the key's fingerprint (11), nonce (16, random). Integers are big-endian.

After the count the private key itself is published in the bundle. That is what lets a stranger open the very box that
was committed to and reach the result alone, instead of believing a list of openings. It tells nothing about
people: by then the box is shuffled under fresh ids and nothing joins a ballot to a lock. Nor can it be used to sell
a vote: a member never sees the nonce or the sealed bytes of their ballot, so cannot point at it, or prove which
one it is. What it does end is the secrecy of any copy of a sealed ballot that somebody kept together with its
voter's name while it was cast; SECURITY.md says so.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from nacl.bindings import crypto_box_seal, crypto_box_seal_open, crypto_scalarmult_base
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey
from nacl.utils import random as random_bytes

from voting.audit.canonical import sha256_hex
from voting.refusals import StaffRefusal, UnknownOption
from voting.sealing.shares import PollKeyMismatch, Share, join, split

KEY_BYTES: Final = 32
SEALED_BYTES: Final = 80  # 32 of ballot, 32 of ephemeral public key, 16 of authentication
OPTIONS_MAX: Final = 0xFFFF

_VERSION: Final = b"\x01"
_BINDING_BYTES: Final = 11
_NONCE_BYTES: Final = 16
_NONCE_AT: Final = len(_VERSION) + 4 + _BINDING_BYTES


class BallotSpoiled(StaffRefusal):
    """A ballot in the box cannot be read: {problem}."""


@dataclass(frozen=True, slots=True)
class ElectionKey:
    """A fresh election key: the public half for the service, the private half as one share per trustee."""

    public_key: bytes
    shares: tuple[Share, ...]

    @property
    def share_digests(self) -> tuple[str, ...]:
        """What may stand in the poll's public record: digests tell a changed share and give nothing away."""
        return tuple(share.digest for share in self.shares)


@dataclass(frozen=True, slots=True)
class Opened:
    """What was in one sealed ballot."""

    option: int
    nonce: bytes


def fingerprint(public_key: bytes) -> str:
    """Name a public key by 64 hexadecimal digits, for people to compare and shares to refer to."""
    return sha256_hex(b"ballotline election key 1\0" + public_key)


def create_election_key(trustees: int, threshold: int, *, poll_id: str) -> ElectionKey:
    """Make a key whose private half any `threshold` of the `trustees` hold together, and nobody else.

    1 <= threshold <= trustees <= 16, or BadThreshold.
    """
    private_key = PrivateKey.generate()
    public_key = bytes(private_key.public_key)
    shares = split(bytes(private_key), trustees, threshold, poll_id=poll_id, key=fingerprint(public_key))
    return ElectionKey(public_key, shares)


def seal(public_key: bytes, option: int, *, options: int) -> bytes:
    """Seal a choice among `options` (counted from 0) to the election key: always `SEALED_BYTES`, never twice the same.

    Raises UnknownOption.
    """
    if not 0 <= option < options <= OPTIONS_MAX:
        raise UnknownOption
    ballot = _VERSION + option.to_bytes(2) + options.to_bytes(2) + _binding(public_key) + random_bytes(_NONCE_BYTES)
    return crypto_box_seal(ballot, public_key)


class OpeningKey:
    """The private election key, joined from shares for the count, or read from a published bundle."""

    __slots__ = ("_binding", "_private_key", "public_key")

    def __init__(self, private_key: bytes, public_key: bytes) -> None:
        self.public_key = public_key
        self._private_key = private_key
        self._binding = _binding(public_key)

    @classmethod
    def from_private(cls, private_key: bytes, public_key: bytes) -> "OpeningKey":
        """Take a private key that must belong to the public one; raises PollKeyMismatch."""
        if len(private_key) != KEY_BYTES or crypto_scalarmult_base(private_key) != public_key:
            raise PollKeyMismatch
        return cls(private_key, public_key)

    def private_bytes(self) -> bytes:
        """Give the private key, 32 bytes, to publish after the count (why: see the module's docstring)."""
        return self._private_key

    def open(self, sealed: bytes) -> Opened:
        """Open one sealed ballot; raises BallotSpoiled when it is not one that this poll can have sealed."""
        if len(sealed) != SEALED_BYTES:
            raise BallotSpoiled(problem=f"it has {len(sealed)} bytes instead of {SEALED_BYTES}")
        try:
            ballot = crypto_box_seal_open(sealed, self.public_key, self._private_key)
        except CryptoError:
            raise BallotSpoiled(problem="it was not sealed to this poll's key, or was changed since") from None
        option, options = int.from_bytes(ballot[1:3]), int.from_bytes(ballot[3:5])
        if ballot[:1] != _VERSION or ballot[5:_NONCE_AT] != self._binding or option >= options:
            raise BallotSpoiled(problem="it does not hold a choice in this poll")
        return Opened(option, ballot[_NONCE_AT:])

    def open_all(self, box: Iterable[bytes]) -> Iterator[Opened | BallotSpoiled]:
        """Open a whole box in its order; a spoiled ballot is given as such and does not stop the rest."""
        for sealed in box:
            try:
                opened: Opened | BallotSpoiled = self.open(sealed)
            except BallotSpoiled as spoiled:
                opened = spoiled
            yield opened


def open_key(shares: Iterable[Share], *, public_key: bytes, share_digests: Iterable[str] = ()) -> OpeningKey:
    """Join trustees' shares to the key that opens the box, and prove that it is this poll's key.

    With the poll's `share_digests` a share that was changed is named; without them it can only be noticed. Raises
    ShareForeign, ShareRepeated, ShareDamaged, TooFewShares, PollKeyMismatch.
    """
    private_key = join(tuple(shares), key=fingerprint(public_key), digests=tuple(share_digests))
    return OpeningKey.from_private(private_key, public_key)


@lru_cache(maxsize=16)
def _binding(public_key: bytes) -> bytes:
    """Tie a ballot to its key, so that an opening is good for this poll only."""
    return bytes.fromhex(fingerprint(public_key))[:_BINDING_BYTES]
