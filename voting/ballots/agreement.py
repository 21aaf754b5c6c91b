"""A trustee's yes to an election: that they hold their share of exactly its key, proved with the share itself.

The proof is one of knowledge with the prefix `ballotline yes 1|X|uuid|election_hash|trustees|signing key|`: X is
the trustee's public key, `trustees` the SHA-256 of trustees.json, the signing key that of the chain in hexadecimal.
So the trustee agrees to what the fingerprint of `--key` stands for.
"""

from typing import Final

from voting.ballots.election import Election
from voting.ballots.group import write_point
from voting.ballots.proofs import check_knowledge, knowledge_prefix
from voting.ballots.trustee_refusals import FileForeign
from voting.ballots.trustees import Trustees
from voting.ballots.written import File, read_fields, read_json, read_number, read_proof, read_same, reading

YES: Final = "ballotline yes 1"
_NAMES: Final = ("format", "index", "uuid", "election_hash", "trustees", "signing_key", "proof")


def check_yes(file: File, *, election: Election, trustees: Trustees, signing_key: bytes) -> int:
    """Give the number of the trustee who said yes to exactly this; raises FileDamaged, FileForeign."""
    names = said_of(election, trustees, signing_key)
    with reading(file.name):
        kind, index, *said, proof = read_fields(read_json(file.data, "the file"), _NAMES, "the file")
        read_same(kind, YES, "format")
        trustee = read_number(index, len(trustees.keys), "index")
        value = read_proof(proof, "proof")
    if said != list(names.values()):
        raise FileForeign(file=file.name, what="election: it is a yes to something else")
    with reading(file.name):
        check_knowledge(value, trustees.keys[trustee - 1], yes_prefix(trustee, trustees, names), "proof")
    return trustee


def said_of(election: Election, trustees: Trustees, signing_key: bytes) -> dict[str, str]:
    """Give what a yes names, in the order of its file."""
    return {
        "uuid": election.uuid,
        "election_hash": election.hash,
        "trustees": trustees.digest,
        "signing_key": signing_key.hex(),
    }


def yes_prefix(trustee: int, trustees: Trustees, said: dict[str, str]) -> str:
    """Write the prefix of the proof in a yes."""
    return knowledge_prefix(YES, write_point(trustees.keys[trustee - 1]), *said.values())
