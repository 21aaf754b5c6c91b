"""One trustee's partial decryption: factors, Belenios's proofs (specification 4.20), and the second proof of each.

Belenios's proof hashes neither the sum nor the factor: a trustee together with whoever casts the last ballot can
prove a false one. The second proof has the same form and hashes both; the file carries both, the archive the first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from voting.ballots.election import Election
from voting.ballots.group import Point, read_point_or_identity, write_point
from voting.ballots.proofs import Proof, check_equality, decryption_prefix, second_decryption_prefix
from voting.ballots.refusals import BallotRefusal
from voting.ballots.tally import Tally
from voting.ballots.trustee_refusals import DecryptionWrong, FileForeign
from voting.ballots.trustees import Trustees
from voting.ballots.written import (
    File,
    read_digest,
    read_fields,
    read_items,
    read_json,
    read_number,
    read_proof,
    read_same,
    read_text,
    reading,
    write_json,
    write_proof,
)

_KIND: Final = "ballotline decryption 1"
_NAMES: Final = ("format", "uuid", "election_hash", "tally", "index", "decryption", "second_proofs")


class Factor(NamedTuple):
    """alpha^secret of one sum, and both proofs."""

    factor: Point
    proof: Proof
    second_proof: Proof


@dataclass(frozen=True, slots=True)
class Decryption:
    """A trustee's factors by question and answer. `published` is what the archive holds: Belenios's part alone."""

    index: int
    factors: tuple[tuple[Factor, ...], ...]
    published: bytes
    file: File


def write_decryption(index: int, election: Election, tally: Tally, factors: Sequence[Sequence[Factor]]) -> bytes:
    """Write a decryption's file."""
    fields = {
        "format": _KIND,
        "uuid": election.uuid,
        "election_hash": election.hash,
        "tally": tally.digest,
        "index": index,
        "decryption": _published(factors),
        "second_proofs": [[write_proof(one.second_proof) for one in question] for question in factors],
    }
    return write_json(fields).encode("ascii")


def _published(factors: Sequence[Sequence[Factor]]) -> dict[str, object]:
    return {
        "decryption_factors": [[write_point(one.factor) for one in question] for question in factors],
        "decryption_proofs": [[write_proof(one.proof) for one in question] for question in factors],
    }


def read_decryption(file: File, election: Election, tally: Tally, trustees: Trustees) -> Decryption:
    """Read a decryption of this tally and check both proofs of every factor.

    Raises FileDamaged, FileForeign (another election or tally), DecryptionWrong naming the trustee.
    """
    with reading(file.name):
        kind, *head, decryption, second = read_fields(read_json(file.data, "the file"), _NAMES, "the file")
        read_same(kind, _KIND, "format")
        uuid, election_hash = read_text(head[0], "uuid"), read_text(head[1], "election_hash")
        digest = read_digest(head[2], "tally")
        index = read_number(head[3], len(trustees.keys), "index")
    if (uuid, election_hash) != (election.uuid, election.hash):
        raise FileForeign(file=file.name, what="election")
    if digest != tally.digest:
        raise FileForeign(file=file.name, what="tally of this election")
    with reading(file.name):
        factors = _read_factors(decryption, second, tally)
    found = Decryption(index, factors, write_json(_published(factors)).encode("ascii"), file)
    _check(found, election, tally, trustees.keys[index - 1])
    return found


def _read_factors(decryption: object, second: object, tally: Tally) -> tuple[tuple[Factor, ...], ...]:
    """Read factors and proofs, each list exactly as long as the tally's."""
    names = ("decryption_factors", "decryption_proofs")
    factors, proofs = read_fields(decryption, names, "decryption")
    of = len(tally.sums)
    columns = (read_items(factors, of, names[0]), read_items(proofs, of, names[1]), read_items(second, of, _NAMES[-1]))
    return tuple(
        _read_question(question, len(sums), place)
        for place, (question, sums) in enumerate(zip(zip(*columns, strict=True), tally.sums, strict=True))
    )


def _read_question(columns: Sequence[object], length: int, place: int) -> tuple[Factor, ...]:
    names = [f"{name}[{place}]" for name in ("decryption_factors", "decryption_proofs", "second_proofs")]
    lists = [read_items(column, length, name) for column, name in zip(columns, names, strict=True)]
    return tuple(
        Factor(read_point_or_identity(factor, names[0]), read_proof(proof, names[1]), read_proof(second, names[2]))
        for factor, proof, second in zip(*lists, strict=True)
    )


def _check(found: Decryption, election: Election, tally: Tally, key: Point) -> None:
    for place, (question, sums) in enumerate(zip(found.factors, tally.sums, strict=True)):
        for answer, (one, encrypted) in enumerate(zip(question, sums, strict=True)):
            try:
                _check_factor(one, encrypted.alpha, election.hash, key, f"[{place}][{answer}]")
            except BallotRefusal as wrong:
                problem = str(wrong).rstrip(".")
                raise DecryptionWrong(file=found.file.name, trustee=found.index, problem=problem) from None


def _check_factor(one: Factor, alpha: Point, election_hash: str, key: Point, place: str) -> None:
    first = decryption_prefix(election_hash, key)
    second = second_decryption_prefix(election_hash, key, alpha, one.factor)
    for name, proof, prefix in (("decryption", one.proof, first), ("second", one.second_proof, second)):
        field = f"{name}_proofs{place}"
        check_equality(proof, public=key, alpha=alpha, factor=one.factor, prefix=prefix, field=field)
