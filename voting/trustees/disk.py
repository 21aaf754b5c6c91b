"""Files on a trustee's disk: read with a bound, written whole and durable, never over something else."""

import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from voting.ballots.trustee_refusals import FileDamaged
from voting.ballots.written import File
from voting.kept_file import make_durable
from voting.trustees.refusals import FileTaken

FILE_BYTES_MAX: Final = 4 << 20  # a decryption of 1,000 answers has under 1 MiB
SECRET: Final = 0o600
PUBLIC: Final = 0o644


def read_file(path: Path) -> File:
    """Read a file of at most 4 MiB; raises FileDamaged."""
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except OSError as wrong:
        raise FileDamaged(file=path.name, problem=f"it cannot be read ({wrong.strerror})") from None
    if len(data) > FILE_BYTES_MAX:
        raise FileDamaged(file=path.name, problem="it is too large")
    return File(path.name, data)


def read_files(paths: Iterable[Path]) -> list[File]:
    """Read several files; raises FileDamaged naming the first that cannot be read."""
    return [read_file(path) for path in paths]


def check_own(file: File, index: int, own: int) -> None:
    """Raise FileTaken if a good file that stands where trustee `own` would write is another trustee's."""
    if index != own:
        raise FileTaken(file=file.name)


def write_once(path: Path, data: bytes, mode: int = PUBLIC) -> None:
    """Write a file that is whole and durable when this returns.

    The same bytes again are fine; raises FileTaken if the file holds anything else. After a crash there is either
    no such file or all of it.
    """
    if path.exists():
        if path.read_bytes() != data:
            raise FileTaken(file=path.name)
    else:
        _write_beside(path, data, mode)
    make_durable(path)
    make_durable(path.parent)


def _write_beside(path: Path, data: bytes, mode: int) -> None:
    """Write under a name of its own first, then move it to its place in one step."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
