"""Certificates: who the trustees of a ceremony are, and what each has bound themselves to.

A certificate is Belenios's (specification 4.6.2: signed keys, with group, size, threshold and index), and with it the
SHA-256 of its trustee's commitments, so that nobody chooses theirs after seeing the others'. Only Belenios's part is
published; the fingerprint over all whole certificates is read aloud.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from voting.ballots.gathering import Gathered, gather
from voting.ballots.group import Point, write_point
from voting.ballots.mark import mark_of
from voting.ballots.pedersen import TRUSTEES_MAX, Keys, read_keys
from voting.ballots.signing import Signed, read_signed, signed
from voting.ballots.trustee_refusals import FileForeign
from voting.ballots.written import (
    File,
    read_digest,
    reading,
)
from voting.trustees.refusals import BadThreshold
from voting.trustees.signed_file import read_signed_file, write_signed_file

_KIND: Final = "ballotline certificate 1"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A trustee's certificate: keys, Belenios's signed part, the promised commitments, and its file."""

    keys: Keys
    published: Signed
    commitments: str
    file: File

    @property
    def index(self) -> int:
        """The trustee's number, from 1."""
        return self.keys.index


def check_threshold(index: int, of: int, threshold: int) -> None:
    """Raise BadThreshold unless 1 <= threshold <= of <= 16 and 1 <= index <= of."""
    if not (1 <= threshold <= of <= TRUSTEES_MAX and 1 <= index <= of):
        raise BadThreshold(threshold=threshold, trustees=of)


def commitments_digest(verification: Point, message: str) -> str:
    """Hash the text of signed commitments, with the key of whose they are: nobody can promise another's."""
    text = f"ballotline commitments 1|{write_point(verification)}|{message}"
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def write_certificate(signing_key: int, keys: Keys, commitments: str) -> bytes:
    """Write the certificate's file."""
    published = signed(signing_key, keys.message())
    return write_signed_file(signing_key, _KIND, {"certificate": published.fields(), "commitments": commitments})


def read_certificate(file: File) -> Certificate:
    """Read a certificate's file; raises FileDamaged."""
    with reading(file.name):
        whole = read_signed_file(file.data, _KIND, ("certificate", "commitments"))
        published = read_signed(whole.values[0], "certificate")
        keys = read_keys(published, "certificate")
        whole.check(keys.verification)
        return Certificate(keys, published, read_digest(whole.values[1], "commitments"), file)


class Ceremony(NamedTuple):
    """All certificates of one ceremony, in the trustees' order, and its SHA-256."""

    certificates: tuple[Certificate, ...]
    threshold: int
    digest: str
    notes: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """What the trustees read to each other: the digest's first 10 bytes and its next 10 as two marks.

        One mark has 79 bits. Whoever plays other trustees chooses certificates for both sides, so that 2^40 tries
        would find two sets with the same mark; with two it takes 2^79.
        """
        digest = bytes.fromhex(self.digest)
        return f"{mark_of(digest)} {mark_of(digest[10:])}"


def convene(files: Sequence[File], own: Keys | None = None) -> Ceremony:
    """Read all certificates of a ceremony, in any order.

    `own` are the keys of the trustee who asks: theirs must be among them. Raises FileDamaged, FileForeign,
    TwoFromOne, TrusteesMissing.
    """
    gathered = gather(files, read_certificate)
    first = own or next((one.keys for one in gathered.found.values()), None)
    for one in gathered.found.values():
        if first and (one.keys.of, one.keys.threshold) != (first.of, first.threshold):
            raise FileForeign(file=one.file.name, what="ceremony: its number of trustees or its threshold differs")
        if own and one.index == own.index and one.keys != own:
            raise FileForeign(file=one.file.name, what=f"ceremony: it is not your certificate, and you are {own.index}")
    return _ceremony(gathered, first)


def _ceremony(gathered: Gathered[Certificate], first: Keys | None) -> Ceremony:
    of, threshold = (first.of, first.threshold) if first else (1, 1)
    certificates = gathered.everybody(of, "certificate")
    keys = [key for one in certificates for key in (one.keys.verification, one.keys.encryption)]
    if len(set(keys)) != len(keys):
        raise FileForeign(file="One of the certificates", what="trustee as well: no two may have the same key")
    digests = "".join(f"|{hashlib.sha256(one.file.data).hexdigest()}" for one in certificates)
    digest = hashlib.sha256(f"ballotline ceremony 1{digests}".encode("ascii")).hexdigest()
    return Ceremony(certificates, threshold, digest, gathered.notes)
