"""Signed messages and signed files of trustees (Belenios specification, 4.6.1, "Signing").

The signature is a proof of knowledge of the signing key whose hash holds the message: SHA-256(`sigmsg|`M`|`A) mod q.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from voting.ballots.group import Point, random_scalar
from voting.ballots.proofs import Proof, check_knowledge, knowledge_prefix, prove_knowledge
from voting.trustees.written import read_fields, read_json, read_proof, read_same, read_text, write_json, write_proof


class Signed(NamedTuple):
    """A text and the signature under it."""

    message: str
    signature: Proof

    def fields(self) -> dict[str, object]:
        """Give it as it stands in JSON."""
        return {"message": self.message, "signature": write_proof(self.signature)}


def sign(secret: int, message: str) -> Proof:
    """Sign a text with a fresh nonce."""
    return prove_knowledge(secret, knowledge_prefix("sigmsg", message), random_scalar())


def check_signature(signature: Proof, public: Point, message: str, field: str) -> None:
    """Raise ProofWrong(field) unless the owner of `public` signed this text."""
    check_knowledge(signature, public, knowledge_prefix("sigmsg", message), field)


def signed(secret: int, message: str) -> Signed:
    """Give a text with its signature."""
    return Signed(message, sign(secret, message))


def read_signed(value: object, field: str) -> Signed:
    """Read a text with its signature, which is not checked here."""
    message, signature = read_fields(value, ("message", "signature"), field)
    return Signed(read_text(message, f"{field}.message"), read_proof(signature, f"{field}.signature"))


def check_signed(value: Signed, public: Point, field: str) -> None:
    """Raise ProofWrong(field) unless the owner of `public` signed it."""
    check_signature(value.signature, public, value.message, f"{field}.signature")


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
