"""A trustee says yes to an election (see `voting.ballots.agreement`), with the share itself."""

from pathlib import Path

from voting.ballots.agreement import YES, check_yes, said_of, yes_prefix
from voting.ballots.election import Election
from voting.ballots.group import random_scalar
from voting.ballots.proofs import prove_knowledge
from voting.ballots.trustee_refusals import FileForeign
from voting.ballots.trustees import Trustees, check_election_key
from voting.ballots.written import File, write_json, write_proof
from voting.trustees.disk import write_once
from voting.trustees.refusals import FileTaken
from voting.trustees.shares import bind_election, read_share, try_share


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
    names = said_of(election, trustees, signing_key)
    proof = prove_knowledge(share.secret, yes_prefix(share.index, trustees, names), random_scalar())
    write_once(out, write_json({"format": YES, "index": share.index, **names, "proof": write_proof(proof)}).encode())


def _check_own(out: Path, index: int, election: Election, trustees: Trustees, signing_key: bytes) -> None:
    file = File(out.name, out.read_bytes())
    try:
        found = check_yes(file, election=election, trustees=trustees, signing_key=signing_key)
    except FileForeign:
        found = 0
    if found != index:
        raise FileTaken(file=out.name)
