"""A signed ballot as few bytes as it takes: what the database keeps. The election gives the lengths, uuid and hash.

Credential; per answer the ciphertexts (alpha, beta), their proofs, the proof of the sum, of blank where there is one;
signature. A point is its 32 bytes as in RFC 8032, a proof challenge and response of 32 little-endian bytes each.
"""

from typing import Final

from voting.ballots.ballot import Answer, Ballot, Ciphertext
from voting.ballots.election import Election, Question
from voting.ballots.group import ORDER, POINT_BYTES, SCALAR_BYTES, check_scalar
from voting.ballots.proofs import Proof
from voting.ballots.refusals import FieldWrong

_PAIR_BYTES: Final = 2 * SCALAR_BYTES  # a ciphertext, or a proof


def packed_bytes(election: Election) -> int:
    """Count the bytes of every packed ballot of this election."""
    return POINT_BYTES + _PAIR_BYTES * (1 + sum(map(_pairs_of, election.questions)))


def pack(ballot: Ballot) -> bytes:
    """Pack a signed ballot; `FieldWrong("signature")` if it has none."""
    if ballot.signature is None:
        raise FieldWrong("signature", problem="a ballot that is cast is signed")
    parts = [ballot.credential]
    for answer in ballot.answers:
        parts += [point for choice in answer.choices for point in choice]
        parts += [_pack_proof(proof) for proofs in answer.individual for proof in proofs]
        parts += map(_pack_proof, (*answer.overall, *(answer.blank or ())))
    return b"".join((*parts, _pack_proof(ballot.signature)))


def unpack(packed: bytes, election: Election) -> Ballot:
    """Unpack a ballot of this election, exactly as long as it must be; it is not believed before `check`."""
    if len(packed) != packed_bytes(election):
        raise FieldWrong("ballot", problem=f"exactly {packed_bytes(election)} bytes")
    reader = _Reader(packed)
    credential = reader.take(POINT_BYTES)
    answers = tuple(reader.answer(question) for question in election.questions)
    return Ballot(election.uuid, election.hash, credential, answers, reader.proof())


def _pairs_of(question: Question) -> int:
    return 3 * question.ciphertexts + question.branches + 2 * question.blank


def _pack_proof(proof: Proof) -> bytes:
    return b"".join(number.to_bytes(SCALAR_BYTES, "little") for number in proof)


class _Reader:
    """Takes parts from the front."""

    def __init__(self, packed: bytes) -> None:
        self.packed, self.at = packed, 0

    def take(self, length: int) -> bytes:
        self.at += length
        return self.packed[self.at - length : self.at]

    def proof(self) -> Proof:
        return Proof(self._scalar(), self._scalar())

    def answer(self, question: Question) -> Answer:
        choices = tuple(self._ciphertext() for _ in range(question.ciphertexts))
        individual = tuple(self._proofs(2) for _ in choices)
        overall = self._proofs(question.branches)
        return Answer(choices, individual, overall, self._proofs(2) if question.blank else None)

    def _ciphertext(self) -> Ciphertext:
        return Ciphertext(self.take(POINT_BYTES), self.take(POINT_BYTES))

    def _proofs(self, count: int) -> tuple[Proof, ...]:
        return tuple(self.proof() for _ in range(count))

    def _scalar(self) -> int:
        scalar = int.from_bytes(self.take(SCALAR_BYTES), "little")
        return scalar if scalar < ORDER else check_scalar(scalar, f"byte {self.at - SCALAR_BYTES}")
