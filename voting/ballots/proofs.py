"""The proofs of Belenios's protocol 1: knowledge of a secret, equal secrets, one of several sums.

All share one form: a nonce w, a commitment A = g^w, a challenge that hashes a prefix and the commitments, and
a response w - secret x challenge modulo q. Checking computes the commitments from challenge and response.
The prefix says what is proved, so it must hold everything that the prover could choose.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from voting.ballots.group import ORDER, Point, base_times, hash_to_scalar, minus, plus, times, write_point
from voting.ballots.refusals import ProofWrong


class Proof(NamedTuple):
    """A challenge and a response, each 0 <= number < q."""

    challenge: int
    response: int


class Statement(NamedTuple):
    """That alpha = g^r and beta = y^r for some r: that they encrypt 0 under the key y."""

    alpha: Point
    beta: Point


class Branch(NamedTuple):
    """What the prover knows of one statement: alpha = g^randomness, beta = y^randomness x g^offset.

    The statement is true when the offset is 0. `nonce` and `challenge` are fresh random scalars; the true branch
    leaves its `challenge` unused.
    """

    randomness: int
    offset: int
    nonce: int
    challenge: int


def knowledge_prefix(purpose: str, *parts: str) -> str:
    """Join `purpose|part|part|`: what stands before the commitments in a hash."""
    return "|".join((purpose, *parts, ""))


def prove_knowledge(secret: int, prefix: str, nonce: int) -> Proof:
    """Prove that we know the secret of g^secret (Schnorr); `nonce` is a fresh random scalar, never used twice."""
    challenge = hash_to_scalar(prefix + write_point(base_times(nonce)))
    return Proof(challenge, (nonce - secret * challenge) % ORDER)


def check_knowledge(proof: Proof, public: Point, prefix: str, field: str) -> None:
    """Raise `ProofWrong(field)` unless the proof shows knowledge of the secret of `public`.

    `public` is checked on the way (`PointWrong(field)`), but that it is not the identity is for its reader.
    """
    commitment = plus(base_times(proof.response), times(proof.challenge, public, field))
    if hash_to_scalar(prefix + write_point(commitment)) != proof.challenge:
        raise ProofWrong(field)


def prove_equality(secret: int, alpha: Point, prefix: str, nonce: int) -> Proof:
    """Prove that g^secret and alpha^secret have the same secret; alpha may be the identity."""
    challenge = _equality_challenge(prefix, base_times(nonce), times(nonce, alpha))
    return Proof(challenge, (nonce - secret * challenge) % ORDER)


def check_equality(proof: Proof, *, public: Point, alpha: Point, factor: Point, prefix: str, field: str) -> None:
    """Raise `ProofWrong(field)` unless factor = alpha^secret and public = g^secret for one secret."""
    one = plus(base_times(proof.response), times(proof.challenge, public, field))
    two = plus(times(proof.response, alpha, field), times(proof.challenge, factor, field))
    if _equality_challenge(prefix, one, two) != proof.challenge:
        raise ProofWrong(field)


def _equality_challenge(prefix: str, one: Point, two: Point) -> int:
    return hash_to_scalar(f"{prefix}{write_point(one)},{write_point(two)}")


def decryption_prefix(election_hash: str, public: Point) -> str:
    """Write the prefix of protocol 1's proof of a decryption factor (specification 4.20)."""
    return f"decrypt|{election_hash}|{write_point(public)}|"


def second_decryption_prefix(election_hash: str, public: Point, alpha: Point, factor: Point) -> str:
    """Write the prefix of the second proof of a decryption factor, which hashes the sum and the factor as well.

    Protocol 1's alone lets a trustee prove a false factor of a sum that was chosen after the proof.
    """
    parts = (write_point(public), write_point(alpha), write_point(factor))
    return "|".join(("ballotline decrypt 1", election_hash, *parts, ""))


def shifted(alpha: Point, beta: Point, value: int) -> Statement:
    """State that (alpha, beta) encrypts `value`."""
    return Statement(alpha, minus(beta, _encoded(value)) if value else beta)


@lru_cache(maxsize=64)  # the sums that a question allows: a few small numbers
def _encoded(value: int) -> Point:
    return base_times(value)


def prove_one_of(key: Point, branches: Sequence[Branch], true: int, prefix: str) -> list[Proof]:
    """Prove that one of the statements holds, without saying which; `true` is the index of one whose offset is 0.

    Specification 4.12 and 4.13: the others take their random challenges, the true one takes the rest of the hash.
    """
    commitments = [_own_commitment(key, branch, proved=index == true) for index, branch in enumerate(branches)]
    others = sum(branch.challenge for index, branch in enumerate(branches) if index != true)
    rest = (hash_to_scalar(prefix + ",".join(commitments)) - others) % ORDER
    return [_own_proof(branch, rest if index == true else branch.challenge) for index, branch in enumerate(branches)]


def _own_commitment(key: Point, branch: Branch, *, proved: bool) -> str:
    second = times(branch.nonce, key)
    if not proved:
        second = plus(second, base_times(branch.offset * branch.challenge))
    return f"{write_point(base_times(branch.nonce))},{write_point(second)}"


def _own_proof(branch: Branch, challenge: int) -> Proof:
    return Proof(challenge, (branch.nonce - branch.randomness * challenge) % ORDER)


def check_one_of(key: Point, statements: Sequence[Statement], proofs: Sequence[Proof], prefix: str, field: str) -> None:
    """Raise `ProofWrong(field)` unless there are as many proofs as statements and one statement holds."""
    if len(proofs) != len(statements):
        raise ProofWrong(field)
    pairs = zip(statements, proofs, strict=True)
    commitments = ",".join(_commitment(key, statement, proof, field) for statement, proof in pairs)
    if hash_to_scalar(prefix + commitments) != sum(proof.challenge for proof in proofs) % ORDER:
        raise ProofWrong(field)


def _commitment(key: Point, statement: Statement, proof: Proof, field: str) -> str:
    challenge, response = proof
    one = plus(base_times(response), times(challenge, statement.alpha, field))
    two = plus(times(response, key, field), times(challenge, statement.beta, field))
    return f"{write_point(one)},{write_point(two)}"
