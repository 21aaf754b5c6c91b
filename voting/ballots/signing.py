"""Signed messages of trustees (Belenios specification, 4.6.1, "Signing").

The signature is a proof of knowledge of the signing key whose hash holds the message: SHA-256(`sigmsg|`M`|`A) mod q.
"""

from typing import NamedTuple

from voting.ballots.group import Point, random_scalar
from voting.ballots.proofs import Proof, check_knowledge, knowledge_prefix, prove_knowledge
from voting.ballots.written import read_fields, read_proof, read_text, write_proof


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
