"""Files encrypted to an age key, and opened with its identity."""

from contextlib import suppress
from pathlib import Path
from typing import Final

import pyrage

from voting.backup.refusals import IdentityForeign, IdentityMissing, IdentityUnusable

BEGINNING: Final = b"age-encryption.org/v1\n"  # https://age-encryption.org/v1


def is_encrypted(path: Path) -> bool:
    """Tell whether a file is age's."""
    with path.open("rb") as file:
        return file.read(len(BEGINNING)) == BEGINNING


def encrypt(plain: Path, closed: Path, key: pyrage.x25519.Recipient) -> None:
    """Encrypt one file into another, a new one."""
    with plain.open("rb") as source, closed.open("xb") as sink:
        pyrage.encrypt_io(source, sink, [key])


def read_identities(path: Path) -> list[pyrage.x25519.Identity]:
    """Read an identity file as `age-keygen` writes it; IdentityUnusable."""
    found = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        with suppress(pyrage.IdentityError):  # comments, and keys of other kinds
            found.append(pyrage.x25519.Identity.from_str(line.strip()))
    if not found:
        raise IdentityUnusable(file=str(path))
    return found


def in_the_clear(file: Path, folder: Path, identity: Path | None) -> Path:
    """Give the file itself, or what it holds decrypted into the folder. Identity-Missing, -Unusable, -Foreign."""
    if not is_encrypted(file):
        return file
    if identity is None:
        raise IdentityMissing(file=str(file))
    keys = read_identities(identity)
    plain = folder / file.name
    try:
        with file.open("rb") as source, plain.open("xb") as sink:
            pyrage.decrypt_io(source, sink, keys)
    except pyrage.DecryptError as problem:
        raise IdentityForeign(identity=str(identity), file=str(file)) from problem
    return plain
