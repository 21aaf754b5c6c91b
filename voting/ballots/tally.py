"""The encrypted tally: per question and answer the product of all ballots' ciphertexts (specification 4.18)."""

from typing import NamedTuple

from voting.ballots.election import Election
from voting.ballots.group import Point, read_point_or_identity
from voting.ballots.written import File, read_fields, read_items, read_json, reading, sha256_hex


class Sum(NamedTuple):
    """One encrypted sum; both halves may be the identity, as they are of no ballots."""

    alpha: Point
    beta: Point


class Tally(NamedTuple):
    """Encrypted sums by question and answer, and the SHA-256 of their file, by which a share remembers them."""

    sums: tuple[tuple[Sum, ...], ...]
    digest: str


def read_tally(file: File, election: Election) -> Tally:
    """Read an encrypted tally that has exactly the election's questions and answers; raises FileDamaged."""
    with reading(file.name):
        questions = read_items(read_json(file.data, "tally"), len(election.questions), "tally")
        lengths = [question.ciphertexts for question in election.questions]
        sums = tuple(
            tuple(_read_sum(value, f"tally[{place}]") for value in read_items(question, length, f"tally[{place}]"))
            for place, (question, length) in enumerate(zip(questions, lengths, strict=True))
        )
        return Tally(sums, sha256_hex(file.data))


def _read_sum(value: object, field: str) -> Sum:
    alpha, beta = read_fields(value, ("alpha", "beta"), field)
    return Sum(read_point_or_identity(alpha, f"{field}.alpha"), read_point_or_identity(beta, f"{field}.beta"))
