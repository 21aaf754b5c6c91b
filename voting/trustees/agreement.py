"""A trustee's yes to an election: that they hold their share of exactly its key, proved with the share itself.

The proof is one of knowledge with the prefix `ballotline yes 1|X|uuid|election_hash|trustees|signing key|`: X is
the trustee's public key, `trustees` the SHA-256 of trustees.json, the signing key that of the chain in hexadecimal.
So the trustee agrees to what the fingerprint of `--key` stands for.
"""

from pathlib import Path
from typing import Final

from voting.ballots.election import Election
from voting.ballots.group import random_scalar, write_point
from voting.ballots.proofs import check_knowledge, knowledge_prefix, prove_knowledge
from voting.trustees.disk import File, write_once
from voting.trustees.refusals import FileForeign, FileTaken
from voting.trustees.shares import bind_election, check_election_key, read_share, try_share
from voting.trustees.trustees import Trustees
from voting.trustees.written import (
    read_fields,
    read_json,
    read_number,
    read_proof,
    read_same,
    reading,
    write_json,
    write_proof,
)

_KIND: Final = "ballotline yes 1"
_NAMES: Final = ("format", "index", "uuid", "election_hash", "trustees", "signing_key", "proof")


def agree(share_path: Path, out: Path, *, election: Election, trustees: Trustees, signing_key: bytes) -> None:
    """Write a trustee's yes to an election, and bind the share to its uuid.

    `signing_key` are the 32 bytes of the key that signs the chain. Raises FileDamaged, FileForeign, ShareForeign,
    ShareServesAnother; FileTaken if `out` is a yes to something else.
    """
    share = read_share(share_path)
    check_election_key(trustees, election)
    try_share(share, trustees)
    bind_election(share_path, share, election.uuid)
    if out.exists():
        _check_own(out, share.index, election, trustees, signing_key)
        return
    names = _said(election, trustees, signing_key)
    proof = prove_knowledge(share.secret, _prefix(share.index, trustees, names), random_scalar())
    write_once(out, write_json({"format": _KIND, "index": share.index, **names, "proof": write_proof(proof)}).encode())


def _check_own(out: Path, index: int, election: Election, trustees: Trustees, signing_key: bytes) -> None:
    file = File(out.name, out.read_bytes())
    try:
        found = check_yes(file, election=election, trustees=trustees, signing_key=signing_key)
    except FileForeign:
        found = 0
    if found != index:
        raise FileTaken(file=out.name)


def check_yes(file: File, *, election: Election, trustees: Trustees, signing_key: bytes) -> int:
    """Give the number of the trustee who said yes to exactly this; raises FileDamaged, FileForeign."""
    names = _said(election, trustees, signing_key)
    with reading(file.name):
        kind, index, *said, proof = read_fields(read_json(file.data, "the file"), _NAMES, "the file")
        read_same(kind, _KIND, "format")
        trustee = read_number(index, len(trustees.keys), "index")
        value = read_proof(proof, "proof")
    if said != list(names.values()):
        raise FileForeign(file=file.name, what="election: it is a yes to something else")
    with reading(file.name):
        check_knowledge(value, trustees.keys[trustee - 1], _prefix(trustee, trustees, names), "proof")
    return trustee


def _said(election: Election, trustees: Trustees, signing_key: bytes) -> dict[str, str]:
    return {
        "uuid": election.uuid,
        "election_hash": election.hash,
        "trustees": trustees.digest,
        "signing_key": signing_key.hex(),
    }


def _prefix(trustee: int, trustees: Trustees, said: dict[str, str]) -> str:
    return knowledge_prefix(_KIND, write_point(trustees.keys[trustee - 1]), *said.values())
