"""The published trustees from what all trustees sent: certificates, polynomials, keys; no secret is needed."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from voting.ballots.trustees import Trustees, VerificationKey, read_trustees
from voting.ballots.written import File, write_json, write_proof
from voting.trustees.certificates import Ceremony, convene
from voting.trustees.deals import Deals, collect
from voting.trustees.disk import read_files
from voting.trustees.handovers import collect_handovers


class Assembled(NamedTuple):
    """The published trustees, and the fingerprint that all trustees must have read aloud."""

    trustees: Trustees
    fingerprint: str
    notes: tuple[str, ...] = ()


def assemble(certificates: Iterable[Path], polynomials: Iterable[Path], keys: Iterable[Path]) -> Assembled:
    """Put trustees.json together from one file of each kind of every trustee, in any order.

    Raises FileDamaged, FileForeign, TwoFromOne, TrusteesMissing, CommitmentsChanged.
    """
    ceremony = convene(read_files(certificates))
    deals = collect(read_files(polynomials), ceremony)
    gathered = collect_handovers(read_files(keys), ceremony, deals)
    everybody = gathered.everybody(len(ceremony.certificates), "key")
    notes = ceremony.notes + deals.notes + gathered.notes
    return publish(ceremony, deals, [one.key for one in everybody])._replace(notes=notes)


def publish(ceremony: Ceremony, deals: Deals, keys: list[VerificationKey]) -> Assembled:
    """Write the published trustees, and read them again as a stranger will."""
    data = write_trustees(ceremony, deals, keys)
    return Assembled(read_trustees(File("trustees.json", data)), ceremony.fingerprint)


def write_trustees(ceremony: Ceremony, deals: Deals, keys: Sequence[VerificationKey]) -> bytes:
    """Write trustees.json."""
    parameters = {
        "threshold": ceremony.threshold,
        "certs": [one.published.fields() for one in ceremony.certificates],
        "coefexps": [deal.coefexps.fields() for deal in deals.deals],
        "signatures": [write_proof(deal.signature) for deal in deals.deals],
        "verification_keys": [key.fields() for key in keys],
    }
    return write_json([["Pedersen", parameters]]).encode("ascii")
