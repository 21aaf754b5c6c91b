"""Signed files of trustees: JSON whose last field signs all before it (see `voting.ballots.signing`)."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from voting.ballots.group import Point
from voting.ballots.proofs import Proof
from voting.ballots.signing import check_signature, sign
from voting.ballots.written import read_fields, read_json, read_proof, read_same, write_json, write_proof


class SignedFile(NamedTuple):
    """A file's values, without format and signature, and what is needed to check the signature."""

    values: list[object]
    body: str
    signature: Proof

    def check(self, public: Point) -> None:
        """Raise ProofWrong unless the owner of `public` signed the file."""
        check_signature(self.signature, public, self.body, "signed")


def write_signed_file(secret: int, kind: str, fields: Mapping[str, object]) -> bytes:
    """Write a file whose last field signs all before it."""
    body = {"format": kind, **fields}
    return write_json({**body, "signed": write_proof(sign(secret, write_json(body)))}).encode("ascii")


def read_signed_file(data: bytes, kind: str, names: Sequence[str]) -> SignedFile:
    """Read a file of this kind with exactly these fields; its signature is for `SignedFile.check`."""
    whole = ("format", *names, "signed")
    found = read_json(data, "the file")
    values = read_fields(found, whole, "the file")
    read_same(values[0], kind, "format")
    body = write_json(dict(zip(whole[:-1], values[:-1], strict=True)))
    return SignedFile(values[1:-1], body, read_proof(values[-1], "signed"))
