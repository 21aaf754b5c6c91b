"""Files that last: what makes them durable, and a small one that processes replace in turn, whole at every moment."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

MODE: Final = 0o600


def make_durable(path: Path) -> None:
    """Have a file's content, or a folder's names, on the disk at return. Blocks."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def turn_at(file: Path) -> Iterator[Callable[[bytes], None]]:
    """Wait for this process's turn at the files of `file`'s folder; give what replaces the file's content. Blocks.

    Through a link the file behind it is replaced, or its old content would stay there.
    """
    file = file.resolve()
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield lambda content: _replace(file, content, folder)
    finally:
        os.close(folder)


def _replace(file: Path, content: bytes, folder: int) -> None:
    part = file.with_name(file.name + ".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, MODE), "wb") as whole:
        whole.write(content)
        whole.flush()
        os.fsync(whole.fileno())
    part.replace(file)
    os.fsync(folder)
