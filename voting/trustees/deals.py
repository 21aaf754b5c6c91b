"""What a trustee sends to all others: signed commitments and one secret letter each (specification 4.6.4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from voting.ballots.gathering import gather
from voting.ballots.group import ORDER, Point, base_times, product, read_scalar
from voting.ballots.pedersen import certs_message, committed_value, read_commitments
from voting.ballots.proofs import Proof
from voting.ballots.refusals import BallotRefusal
from voting.ballots.signing import Signed, check_signature, read_signed, sign, signed
from voting.ballots.trustee_refusals import FileForeign
from voting.ballots.written import (
    File,
    read_digest,
    read_fields,
    read_items,
    read_json,
    read_number,
    read_proof,
    reading,
    write_json,
    write_points,
    write_proof,
)
from voting.trustees.certificates import Ceremony, Certificate, commitments_digest
from voting.trustees.letters import read_letter, receive, send
from voting.trustees.polynomial import commit, value_at
from voting.trustees.refusals import CommitmentsChanged, WrongShare
from voting.trustees.signed_file import read_signed_file, write_signed_file

_KIND: Final = "ballotline polynomial 1"
_NAMES: Final = ("index", "ceremony", "coefexps", "signature", "letters")


@dataclass(frozen=True, slots=True)
class Deal:
    """What one trustee dealt: published commitments and signature over all certificates, and letters."""

    index: int
    commitments: tuple[Point, ...]
    coefexps: Signed
    signature: Proof
    letters: list[object]
    file: File


def commitments_message(coefficients: Sequence[int]) -> str:
    """Write Belenios's `raw_coefexps`: the text that the certificate's digest promises."""
    return write_json({"coefexps": write_points(commit(coefficients))})


def write_deal(signing_key: int, index: int, coefficients: Sequence[int], ceremony: Ceremony) -> bytes:
    """Write the deal of trustee `index` to all trustees of the ceremony."""
    published = [one.published for one in ceremony.certificates]
    fields = {
        "index": index,
        "ceremony": ceremony.digest,
        "coefexps": signed(signing_key, commitments_message(coefficients)).fields(),
        "signature": write_proof(sign(signing_key, certs_message(published, commit(coefficients)))),
        "letters": [_letter(signing_key, coefficients, to) for to in ceremony.certificates],
    }
    return write_signed_file(signing_key, _KIND, fields)


def _letter(signing_key: int, coefficients: Sequence[int], to: Certificate) -> dict[str, str]:
    secret = value_at(coefficients, to.index)
    return send(signing_key, to.keys.encryption, write_json({"secret": str(secret)}))


def read_deal(file: File, ceremony: Ceremony) -> Deal:
    """Read and check what strangers can check of a deal; raises FileDamaged, FileForeign, CommitmentsChanged."""
    of = len(ceremony.certificates)
    with reading(file.name):
        whole = read_signed_file(file.data, _KIND, _NAMES)
        index = read_number(whole.values[0], of, "index")
        digest = read_digest(whole.values[1], "ceremony")
    if digest != ceremony.digest:
        raise FileForeign(file=file.name, what="ceremony: it was made for other certificates")
    public = ceremony.certificates[index - 1].keys.verification
    with reading(file.name):
        whole.check(public)
        coefexps = read_signed(whole.values[2], "coefexps")
        commitments = read_commitments(coefexps, ceremony.threshold, public, "coefexps")
        signature = read_proof(whole.values[3], "signature")
        message = certs_message([one.published for one in ceremony.certificates], commitments)
        check_signature(signature, public, message, "signature")
        letters = read_items(whole.values[4], of, "letters")
        for place, letter in enumerate(letters):
            read_letter(letter, f"letters[{place}]")
    if commitments_digest(public, coefexps.message) != ceremony.certificates[index - 1].commitments:
        raise CommitmentsChanged(trustee=index, file=file.name)
    return Deal(index, commitments, coefexps, signature, letters, file)


class Deals(NamedTuple):
    """All deals of one ceremony, in the trustees' order."""

    deals: tuple[Deal, ...]
    notes: tuple[str, ...] = ()

    @property
    def election_key(self) -> Point:
        """The product of all constant commitments: g^secret, whose secret nobody has."""
        return product(deal.commitments[0] for deal in self.deals)

    def public_key(self, index: int) -> Point:
        """Give the public half of what trustee `index` gets: what their verification key must be."""
        return product(committed_value(deal.commitments, index) for deal in self.deals)


def collect(files: Sequence[File], ceremony: Ceremony) -> Deals:
    """Read all deals of a ceremony, in any order; raises as `read_deal`, and TwoFromOne, TrusteesMissing."""
    gathered = gather(files, lambda file: read_deal(file, ceremony))
    return Deals(gathered.everybody(len(ceremony.certificates), "polynomial"), gathered.notes)


def open_letters(decryption_key: int, index: int, ceremony: Ceremony, deals: Deals) -> int:
    """Give the secret that trustee `index` holds: the sum of what all sent; WrongShare names who sent a wrong one."""
    total = 0
    for deal, sender in zip(deals.deals, ceremony.certificates, strict=True):
        letter = deal.letters[index - 1]
        field = f"letters[{index - 1}]"
        try:
            text = receive(decryption_key, sender.keys.verification, letter, field)
            (value,) = read_fields(read_json(text, field), ("secret",), field)
            secret = read_scalar(value, field)
        except BallotRefusal as wrong:
            raise WrongShare(trustee=deal.index, problem=str(wrong).rstrip(".")) from None
        if base_times(secret) != committed_value(deal.commitments, index):
            raise WrongShare(trustee=deal.index, problem="it does not fit their commitments")
        total += secret
    return total % ORDER
