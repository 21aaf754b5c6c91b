"""Certificates: who the trustees of a ceremony are, and what each has bound themselves to.

A certificate is Belenios's (specification 4.6.2: signed keys, with group, size, threshold and index), and with it the
SHA-256 of its trustee's commitments, so that nobody chooses theirs after seeing the others'. Only Belenios's part is
published; the fingerprint over all whole certificates is read aloud.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from voting.ballots.election import GROUP
from voting.ballots.group import Point, read_point, write_point
from voting.ballots.mark import mark_of
from voting.ballots.refusals import FieldWrong
from voting.trustees.disk import File
from voting.trustees.gathering import Gathered, gather
from voting.trustees.refusals import BadThreshold, FileForeign
from voting.trustees.signing import Signed, check_signed, read_signed, read_signed_file, signed, write_signed_file
from voting.trustees.written import read_digest, read_fields, read_json, read_number, read_same, reading, write_json

TRUSTEES_MAX: Final = 16
_KIND: Final = "ballotline certificate 1"


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


def check_places(keys: Sequence[Keys], threshold: int) -> None:
    """Raise FieldWrong unless published certificates are numbered from 1 and say the same size and threshold."""
    for place, one in enumerate(keys, 1):
        if (one.index, one.of, one.threshold) != (place, len(keys), threshold):
            raise FieldWrong(f"certs[{place - 1}]", problem="its place, size or threshold is another's")
