"""What is published of the trustees: trustees.json, one `["Pedersen", ...]` item alone (specification 4.6.7, 4.7)."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from voting.ballots.election import GROUP, Election
from voting.ballots.group import IDENTITY, Point, product, read_point, write_point
from voting.ballots.pedersen import (
    TRUSTEES_MAX,
    certs_message,
    check_places,
    committed_value,
    read_commitments,
    read_keys,
)
from voting.ballots.proofs import Proof, check_knowledge, knowledge_prefix
from voting.ballots.refusals import FieldWrong
from voting.ballots.signing import Signed, check_signature, read_signed
from voting.ballots.trustee_refusals import FileForeign
from voting.ballots.written import (
    File,
    read_fields,
    read_items,
    read_json,
    read_number,
    read_proof,
    read_same,
    reading,
    sha256_hex,
    write_proof,
)

_NAMES: Final = ("threshold", "certs", "coefexps", "signatures", "verification_keys")


class VerificationKey(NamedTuple):
    """A trustee's public key, the proof that they hold its secret, and their signature under it."""

    proof: Proof
    key: Point
    signature: Proof

    def fields(self) -> dict[str, object]:
        """Give it as Belenios's `trustee_public_key`."""
        proof, signature = write_proof(self.proof), write_proof(self.signature)
        return {"pok": proof, "public_key": write_point(self.key), "signature": signature}


class Trustees(NamedTuple):
    """Published trustees: any `threshold` of the owners of `keys` decrypt what is encrypted to `election_key`."""

    threshold: int
    keys: tuple[Point, ...]
    election_key: Point
    data: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of trustees.json."""
        return sha256_hex(self.data)


def pok_prefix(key: Point) -> str:
    """Write the prefix of the proof that a trustee holds the secret of their key."""
    return knowledge_prefix("pok", GROUP, write_point(key))


def read_verification_key(value: object, public: Point, field: str) -> VerificationKey:
    """Read a verification key and check both proofs; `public` is its trustee's signature key."""
    pok, public_key, signature = read_fields(value, ("pok", "public_key", "signature"), field)
    key = read_point(public_key, f"{field}.public_key")
    found = VerificationKey(read_proof(pok, f"{field}.pok"), key, read_proof(signature, f"{field}.signature"))
    check_knowledge(found.proof, key, pok_prefix(key), f"{field}.pok")
    check_signature(found.signature, public, write_point(key), f"{field}.signature")
    return found


def read_trustees(file: File) -> Trustees:
    """Read trustees.json and check every signature, proof and key in it; raises FileDamaged."""
    with reading(file.name):
        (item,) = read_items(read_json(file.data, "trustees"), 1, "trustees")
        kind, parameters = read_items(item, 2, "trustees[0]")
        read_same(kind, "Pedersen", "trustees[0]")
        limit, certs, coefexps, signatures, keys = read_fields(parameters, _NAMES, "trustees[0]")
        threshold = read_number(limit, TRUSTEES_MAX, "threshold")
        of = read_number(len(certs) if isinstance(certs, list) else 0, TRUSTEES_MAX, "number of certs")
        published, publics = _read_certs(read_items(certs, of, "certs"), threshold)
        found = [
            read_commitments(read_signed(one, "coefexps"), threshold, public, "coefexps")
            for one, public in zip(read_items(coefexps, of, "coefexps"), publics, strict=True)
        ]
        _check_signatures(read_items(signatures, of, "signatures"), published, publics, found)
        verified = _read_keys(read_items(keys, of, "verification_keys"), publics, found)
        return Trustees(threshold, verified, _election_key(found), file.data)


def check_election_key(trustees: Trustees, election: Election) -> None:
    """Return when the election is encrypted to these trustees; raises FileForeign."""
    if trustees.election_key != election.key:
        raise FileForeign(file="trustees.json", what="election: its key is not the election's")


def _read_certs(values: list[object], threshold: int) -> tuple[list[Signed], list[Point]]:
    published = [read_signed(value, f"certs[{place}]") for place, value in enumerate(values)]
    keys = [read_keys(one, f"certs[{place}]") for place, one in enumerate(published)]
    check_places(keys, threshold)
    return published, [one.verification for one in keys]


def _check_signatures(
    values: list[object], published: list[Signed], publics: list[Point], commitments: list[tuple[Point, ...]]
) -> None:
    for place, (value, public, own) in enumerate(zip(values, publics, commitments, strict=True)):
        field = f"signatures[{place}]"
        check_signature(read_proof(value, field), public, certs_message(published, own), field)


def _read_keys(values: list[object], publics: list[Point], commitments: list[tuple[Point, ...]]) -> tuple[Point, ...]:
    found = []
    for place, (value, public) in enumerate(zip(values, publics, strict=True)):
        field = f"verification_keys[{place}]"
        key = read_verification_key(value, public, field).key
        if key != product(committed_value(one, place + 1) for one in commitments):
            raise FieldWrong(field, problem="it does not fit the commitments")
        found.append(key)
    return tuple(found)


def _election_key(commitments: Sequence[tuple[Point, ...]]) -> Point:
    key = product(one[0] for one in commitments)
    if key == IDENTITY:
        raise FieldWrong("coefexps", problem="together they make no key")
    return key
