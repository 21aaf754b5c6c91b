"""A trustee's secrets during the ceremony: signing key, decryption key, polynomial, and the certificate made of them.

`trustee-I-of-N.secret.json`, mode 0600. The certificate stands in it so that the same one can be written again.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from voting.ballots.group import base_times, random_scalar, read_scalar
from voting.ballots.pedersen import Keys
from voting.ballots.refusals import FieldWrong
from voting.ballots.written import (
    File,
    read_fields,
    read_items,
    read_json,
    read_same,
    read_text,
    reading,
    sha256_hex,
    write_json,
)
from voting.trustees.certificates import check_threshold, commitments_digest, read_certificate, write_certificate
from voting.trustees.deals import commitments_message
from voting.trustees.disk import read_file
from voting.trustees.polynomial import random_polynomial

_KIND: Final = "ballotline trustee secret 1"
_NAMES: Final = ("format", "signing_key", "decryption_key", "polynomial", "certificate", "digest")


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """What one trustee keeps to themselves until they have their share."""

    keys: Keys
    signing_key: int
    decryption_key: int
    polynomial: tuple[int, ...]
    certificate: bytes

    def __repr__(self) -> str:
        """Never the secrets."""
        return f"<secrets of trustee {self.keys.index} of {self.keys.of}>"

    def dumps(self) -> bytes:
        """Write the file; its digest finds a slip, it is no proof."""
        fields = {
            "format": _KIND,
            "signing_key": str(self.signing_key),
            "decryption_key": str(self.decryption_key),
            "polynomial": [str(coefficient) for coefficient in self.polynomial],
            "certificate": self.certificate.decode("ascii"),
        }
        return write_json({**fields, "digest": sha256_hex(write_json(fields))}).encode("ascii")


def make_secret(index: int, of: int, threshold: int) -> Secret:
    """Draw a trustee's secrets; raises BadThreshold."""
    check_threshold(index, of, threshold)
    signing_key, decryption_key = 1 + random_scalar(), 1 + random_scalar()
    polynomial = random_polynomial(threshold)
    keys = Keys(index, of, threshold, base_times(signing_key), base_times(decryption_key))
    promised = commitments_digest(keys.verification, commitments_message(polynomial))
    return Secret(keys, signing_key, decryption_key, polynomial, write_certificate(signing_key, keys, promised))


def read_secret(path: Path) -> Secret:
    """Read a trustee's secret file; raises FileDamaged."""
    file = read_file(path)
    with reading(file.name):
        found = read_json(file.data, "the file")
        kind, signing_key, decryption_key, polynomial, certificate, _ = read_fields(found, _NAMES, "the file")
        read_same(kind, _KIND, "format")
        whole = read_text(certificate, "certificate").encode("ascii", "replace")
        keys = read_certificate(File(file.name, whole)).keys
        coefficients = read_items(polynomial, keys.threshold, "polynomial")
        secret = Secret(
            keys,
            read_scalar(signing_key, "signing_key"),
            read_scalar(decryption_key, "decryption_key"),
            tuple(read_scalar(coefficient, "polynomial") for coefficient in coefficients),
            whole,
        )
        if secret.dumps() != file.data:
            raise FieldWrong("digest", problem="it is not that of the file")
        return secret
