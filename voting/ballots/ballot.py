"""A ballot: what it is made of, its JSON that is hashed, its signature, mark and seal code.

It is made by `seal`, judged by `check`, kept as `packed` bytes. The JSON is Belenios's (specification 3.0,
sections 4.11.1, 4.16 and 4.17), compact and with its order of fields.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from voting.ballots.election import hash_of
from voting.ballots.group import Point, base_times, plus, read_point_unchecked, read_scalar, write_point
from voting.ballots.mark import mark_of
from voting.ballots.proofs import Proof, prove_knowledge
from voting.ballots.refusals import FieldWrong
from voting.ballots.strict_json import Item, read_json

BALLOT_BYTES_MAX: Final = 1024 * 1024  # 20 questions of 64 options are less

_UNSIGNED: Final = ("election_uuid", "election_hash", "credential", "answers")
_SIGNED: Final = (*_UNSIGNED, "signature")
_ANSWER: Final = ("choices", "individual_proofs", "overall_proof")
_BLANK_ANSWER: Final = (*_ANSWER, "blank_proof")


class Ciphertext(NamedTuple):
    """(g^r, y^r x g^m): m encrypted under the key y."""

    alpha: Point
    beta: Point


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question: a ciphertext an option, before them one for blank where the question allows it.

    Each has two proofs that make one, that it is 0 or 1; `overall` proves the sum, `blank` that it is blank or not.
    """

    choices: tuple[Ciphertext, ...]
    individual: tuple[tuple[Proof, ...], ...]
    overall: tuple[Proof, ...]
    blank: tuple[Proof, ...] | None = None


@dataclass(frozen=True, slots=True)
class Ballot:
    """A ballot of one credential; `signature` is None while it is sealed and not yet cast."""

    uuid: str
    election_hash: str
    credential: Point
    answers: tuple[Answer, ...]
    signature: Proof | None = None


def write_unsigned(ballot: Ballot) -> str:
    """Write the JSON without the signature: what the signature hashes, and the seal code."""
    answers = ",".join(map(_answer_json, ballot.answers))
    return (
        f'{{"election_uuid":"{ballot.uuid}","election_hash":"{ballot.election_hash}",'
        f'"credential":"{write_point(ballot.credential)}","answers":[{answers}]}}'
    )


def write_ballot(ballot: Ballot) -> bytes:
    """Write the JSON of a signed ballot; `FieldWrong("signature")` if it has none."""
    if ballot.signature is None:
        raise FieldWrong("signature", problem="a ballot that is cast is signed")
    unsigned = write_unsigned(ballot)
    signature = f'{{"hash":"{hash_of(unsigned.encode())}","proof":{_proof_json(ballot.signature)}}}'
    return f'{unsigned[:-1]},"signature":{signature}}}'.encode()


def read_ballot(raw: bytes) -> Ballot:
    """Read the JSON of a signed ballot, spelled exactly so; nothing in it is believed before `check`."""
    if b"\\" in raw:
        raise FieldWrong("ballot", problem="compact JSON without escapes")
    content = read_json(raw, bytes_max=BALLOT_BYTES_MAX, field="ballot").fields(_SIGNED)
    signature = content["signature"].fields(("hash", "proof"))
    ballot = Ballot(
        content["election_uuid"].text(),
        content["election_hash"].text(),
        read_point_unchecked(content["credential"].value, "credential"),
        tuple(_read_answer(item) for item in content["answers"].items()),
        _read_proof(signature["proof"]),
    )
    if signature["hash"].value != hash_of(write_unsigned(ballot).encode()):
        raise FieldWrong("signature.hash", problem="the hash of the ballot without its signature")
    if write_ballot(ballot) != raw:
        raise FieldWrong("ballot", problem="compact JSON")
    return ballot


def signature_prefix(ballot: Ballot) -> str:
    """Write what the credential signs: `sig|hash|`, the hash over the ballot without signature."""
    return f"sig|{hash_of(write_unsigned(ballot).encode())}|"


def sign(ballot: Ballot, secret: int, nonce: int) -> Ballot:
    """Sign a sealed ballot by its credential's secret: only now it can be cast. `nonce` is a fresh random scalar."""
    if base_times(secret) != ballot.credential:
        raise FieldWrong("credential", problem="of the secret that signs")
    return replace(ballot, signature=prove_knowledge(secret, signature_prefix(ballot), nonce))


def ballot_digest(ballot: Ballot) -> bytes:
    """Hash a signed ballot: the SHA-256 of its JSON, 32 bytes; what the chain commits to."""
    return hashlib.sha256(write_ballot(ballot)).digest()


def ballot_mark(ballot: Ballot) -> str:
    """Write the mark of a signed ballot, the member's receipt."""
    return mark_of(ballot_digest(ballot))


def seal_code(ballot: Ballot) -> str:
    """Write the mark of the ballot without its signature, shown before the member casts or tests it."""
    return mark_of(hashlib.sha256(write_unsigned(ballot).encode()).digest())


def write_choices(choices: Iterable[Ciphertext]) -> str:
    """Write ciphertexts as the hashes have them: alpha,beta,alpha,beta."""
    return ",".join([f"{write_point(alpha)},{write_point(beta)}" for alpha, beta in choices])


def sum_of(choices: Sequence[Ciphertext]) -> Ciphertext:
    """Multiply ciphertexts part by part: the sum of what they encrypt; one at least."""
    alpha, beta = choices[0]
    for choice in choices[1:]:
        alpha, beta = plus(alpha, choice.alpha), plus(beta, choice.beta)
    return Ciphertext(alpha, beta)


def _answer_json(answer: Answer) -> str:
    choices = ",".join([f'{{"alpha":"{write_point(a)}","beta":"{write_point(b)}"}}' for a, b in answer.choices])
    individual = ",".join([_proofs_json(proofs) for proofs in answer.individual])
    blank = "" if answer.blank is None else f',"blank_proof":{_proofs_json(answer.blank)}'
    return (
        f'{{"choices":[{choices}],"individual_proofs":[{individual}],'
        f'"overall_proof":{_proofs_json(answer.overall)}{blank}}}'
    )


def _proofs_json(proofs: Iterable[Proof]) -> str:
    return f"[{','.join(map(_proof_json, proofs))}]"


def _proof_json(proof: Proof) -> str:
    return f'{{"challenge":"{proof.challenge}","response":"{proof.response}"}}'


def _read_answer(item: Item) -> Answer:
    content = item.fields(_BLANK_ANSWER if item.has("blank_proof") else _ANSWER)
    return Answer(
        tuple(_read_ciphertext(choice) for choice in content["choices"].items()),
        tuple(_read_proofs(proofs) for proofs in content["individual_proofs"].items()),
        _read_proofs(content["overall_proof"]),
        _read_proofs(content["blank_proof"]) if "blank_proof" in content else None,
    )


def _read_ciphertext(item: Item) -> Ciphertext:
    fields = item.fields(("alpha", "beta")).values()
    return Ciphertext(*(read_point_unchecked(point.value, point.field) for point in fields))


def _read_proofs(item: Item) -> tuple[Proof, ...]:
    return tuple(_read_proof(proof) for proof in item.items())


def _read_proof(item: Item) -> Proof:
    fields = item.fields(("challenge", "response")).values()
    return Proof(*(read_scalar(number.value, number.field) for number in fields))
