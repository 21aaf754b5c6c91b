"""What one trustee does at home: `new`, `deal`, `finish`. Each may be done again and then changes nothing.

    new       -> trustee-I-of-N.secret.json (keep), certificate-I-of-N.json (send to all)
    deal      certificates of all -> polynomial-I-of-N.json (send to all)
    finish    certificates and polynomials of all -> share-I-of-N.json (keep), key-I-of-N.json (send to the officer)

Before they send what `deal` and `finish` wrote, the trustees read the fingerprint to each other: if it differs,
somebody was given other certificates, and nothing is sent.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from voting.ballots.trustee_refusals import FileForeign
from voting.trustees.certificates import Ceremony, check_threshold, convene
from voting.trustees.deals import collect, open_letters, read_deal, write_deal
from voting.trustees.disk import SECRET, check_own, read_file, read_files, write_once
from voting.trustees.handovers import read_handover, write_handover
from voting.trustees.memory import remember
from voting.trustees.refusals import DealtElsewhere, FileTaken, SecretMissing
from voting.trustees.secret_file import Secret, make_secret, read_secret
from voting.trustees.shares import Share, write_share


class Step(NamedTuple):
    """What was written: a file to keep, if any, and one to send; and what to tell the trustee."""

    keep: Path | None
    send: Path
    fingerprint: str
    notes: tuple[str, ...] = ()


def new(index: int, of: int, threshold: int, directory: Path) -> Step:
    """Begin a ceremony as trustee `index` of `of`, any `threshold` of whom will decrypt.

    Raises BadThreshold; FileTaken if another ceremony was begun in this directory.
    """
    check_threshold(index, of, threshold)
    path = _secret_path(directory, index, of)
    if not path.exists():
        write_once(path, make_secret(index, of, threshold).dumps(), SECRET)
    secret = read_secret(path)
    if (secret.keys.index, secret.keys.of, secret.keys.threshold) != (index, of, threshold):
        raise FileTaken(file=path.name)
    certificate = directory / f"certificate-{index}-of-{of}.json"
    write_once(certificate, secret.certificate)
    return Step(path, certificate, "")


def secret_in(directory: Path) -> Path:
    """Give the secret that `new` wrote into this directory; raises SecretMissing unless there is exactly one."""
    found = sorted(directory.glob("trustee-*-of-*.secret.json"))
    if len(found) != 1:
        raise SecretMissing(folder=directory)
    return found[0]


def deal(secret_path: Path, certificates: Iterable[Path]) -> Step:
    """Send every trustee their part of our polynomial; for one set of certificates only.

    Raises FileDamaged, FileForeign, TwoFromOne, TrusteesMissing; DealtElsewhere when we dealt to others before.
    """
    secret = read_secret(secret_path)
    ceremony = _convene(secret, certificates)
    if remember(secret_path, "ceremony", ceremony.digest) != ceremony.digest:
        raise DealtElsewhere
    path = secret_path.parent / f"polynomial-{secret.keys.index}-of-{secret.keys.of}.json"
    if path.exists():
        found = read_deal(read_file(path), ceremony)
        check_own(found.file, found.index, secret.keys.index)
    else:
        write_once(path, write_deal(secret.signing_key, secret.keys.index, secret.polynomial, ceremony))
    return Step(None, path, ceremony.fingerprint, ceremony.notes)


def finish(secret_path: Path, certificates: Iterable[Path], polynomials: Iterable[Path]) -> Step:
    """Put together our share from what all trustees sent us.

    Raises as `deal`, and CommitmentsChanged or WrongShare naming the trustee who did not keep to the rules.
    """
    secret = read_secret(secret_path)
    ceremony = _convene(secret, certificates)
    deals = collect(read_files(polynomials), ceremony)
    keys = secret.keys
    part = open_letters(secret.decryption_key, keys.index, ceremony, deals)
    share = write_share(secret_path.parent, Share(keys.index, keys.of, keys.threshold, deals.election_key, part))
    path = secret_path.parent / f"key-{keys.index}-of-{keys.of}.json"
    if path.exists():
        found = read_handover(read_file(path), ceremony, deals)
        check_own(found.file, found.index, keys.index)
    else:
        write_once(path, write_handover(secret.signing_key, keys.index, part, ceremony, deals))
    return Step(share, path, ceremony.fingerprint, ceremony.notes + deals.notes)


def _convene(secret: Secret, certificates: Iterable[Path]) -> Ceremony:
    """Read all certificates, our own among them as we wrote it."""
    ceremony = convene(read_files(certificates), secret.keys)
    own = ceremony.certificates[secret.keys.index - 1]
    if own.file.data != secret.certificate:
        raise FileForeign(file=own.file.name, what="ceremony: it is not the certificate that you made")
    return ceremony


def _secret_path(directory: Path, index: int, of: int) -> Path:
    return directory / f"trustee-{index}-of-{of}.secret.json"
