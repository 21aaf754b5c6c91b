"""What a trustee hands over at the end of the ceremony: the public half of their share, proved and signed (4.6.6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from voting.ballots.gathering import Gathered, gather
from voting.ballots.group import Point, random_scalar, write_point
from voting.ballots.proofs import prove_knowledge
from voting.ballots.refusals import FieldWrong
from voting.ballots.signing import sign
from voting.ballots.trustee_refusals import FileForeign
from voting.ballots.trustees import VerificationKey, pok_prefix, read_verification_key
from voting.ballots.written import File, read_digest, read_number, reading
from voting.trustees.certificates import Ceremony
from voting.trustees.deals import Deals
from voting.trustees.signed_file import read_signed_file, write_signed_file

_KIND: Final = "ballotline trustee key 1"


@dataclass(frozen=True, slots=True)
class Handover:
    """A trustee's verification key."""

    index: int
    key: VerificationKey
    file: File


def make_verification_key(signing_key: int, secret: int, key: Point) -> VerificationKey:
    """Prove that we hold `secret` of `key` = g^secret, and sign the key."""
    proof = prove_knowledge(secret, pok_prefix(key), random_scalar())
    return VerificationKey(proof, key, sign(signing_key, write_point(key)))


def write_handover(signing_key: int, index: int, secret: int, ceremony: Ceremony, deals: Deals) -> bytes:
    """Write the public half of the share `secret`."""
    key = make_verification_key(signing_key, secret, deals.public_key(index))
    return write_signed_file(signing_key, _KIND, {"index": index, "ceremony": ceremony.digest, "key": key.fields()})


def read_handover(file: File, ceremony: Ceremony, deals: Deals) -> Handover:
    """Read and check a handover against certificates and deals; raises FileDamaged, FileForeign."""
    with reading(file.name):
        whole = read_signed_file(file.data, _KIND, ("index", "ceremony", "key"))
        index = read_number(whole.values[0], len(ceremony.certificates), "index")
        digest = read_digest(whole.values[1], "ceremony")
    if digest != ceremony.digest:
        raise FileForeign(file=file.name, what="ceremony: it was made for other certificates")
    with reading(file.name):
        public = ceremony.certificates[index - 1].keys.verification
        whole.check(public)
        key = read_verification_key(whole.values[2], public, "key")
        if key.key != deals.public_key(index):
            raise FieldWrong("key.public_key", problem="it does not fit the commitments")
        return Handover(index, key, file)


def collect_handovers(files: Sequence[File], ceremony: Ceremony, deals: Deals) -> Gathered[Handover]:
    """Read handovers in any order; of one trustee two may differ, for only the proofs' nonces do."""
    return gather(files, lambda file: read_handover(file, ceremony, deals), _same_key)


def _same_key(one: Handover, other: Handover) -> bool:
    return one.key.key == other.key.key
