"""The print file: the only place where codes stand in the clear, plain or encrypted to the mailing house's age key.

It is written beside its name as `.part`, mode 0600, made durable, and gets its name only after the packs in it are
committed. The cells of the roll are handed on as they are, but for line breaks and tabs, which become spaces; also
those that begin with "=": the mailing house prints them and must not open the file in a spreadsheet that calculates.
It is UTF-8 without a byte order mark, since programs that merge letters take the mark for a part of the first column's
name; with `mark` a spreadsheet shows every letter right.
"""

import csv
import hashlib
import io
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO, Final, Self

import pyrage

from voting.kept_file import make_durable
from voting.refusals import PrintFileExists, PrintFileUnwritable, RecipientUnusable
from voting.roll.rows import COLUMNS

PRINT_COLUMNS: Final = (*COLUMNS, "pack_code", "vote_code", "word", "bot_url", "vote_url")
MODE: Final = 0o600
ENCRYPTED_SUFFIX: Final = ".age"
MARK: Final = "\ufeff"


def print_path(path: Path, recipient: str | None) -> Path:
    """Give the name a print file gets: an encrypted one ends in .age."""
    if recipient is None or path.suffix == ENCRYPTED_SUFFIX:
        return path
    return path.with_name(path.name + ENCRYPTED_SUFFIX)


def part_path(path: Path) -> Path:
    """Give the name of the file while it is being written."""
    return path.with_name(path.name + ".part")


def digest_of(path: Path) -> bytes:
    """Give a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def publish(path: Path) -> None:
    """Give the finished part its name, durably; PrintFileExists."""
    if path.exists():
        raise PrintFileExists(file=str(path))
    part_path(path).replace(path)
    make_durable(path.parent)


class PrintFile:
    """A print file being written, in a `with` block: left by an exception, the part is deleted.

    Each method raises PrintFileUnwritable when the disk or the folder refuses; making one PrintFileExists, and
    RecipientUnusable when `recipient` is no age public key.
    """

    def __init__(self, path: Path, recipient: str | None = None, *, mark: bool = False) -> None:
        self.path: Final = path
        self._encrypting: Future[None] | None = None
        key = None if recipient is None else recipient_key(recipient)
        if path.exists():
            raise PrintFileExists(file=str(path))
        try:
            handle = os.open(part_path(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
        except OSError as problem:
            raise self._unwritable(problem) from problem
        self._disk: Final = os.fdopen(handle, "wb")
        sink: IO[bytes] = self._disk if key is None else self._encrypted(key)
        self._text: Final = io.TextIOWrapper(sink, encoding="utf-8", newline="", write_through=key is not None)
        self._writer: Final = csv.writer(self._text)
        if mark:
            self._text.write(MARK)
        self.write([PRINT_COLUMNS])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.discard()

    def write(self, rows: Iterable[Sequence[str]]) -> None:
        """Add rows, one per pack."""
        try:
            self._writer.writerows(rows)
        except OSError as problem:
            raise self._unwritable(problem) from problem

    def finish(self) -> bytes:
        """End the part, durable on disk; return the SHA-256 of its bytes."""
        try:
            self._text.flush()
            if self._encrypting is not None:
                self._text.close()
                self._encrypting.result()
            self._disk.flush()
            os.fsync(self._disk.fileno())
            self._disk.close()
            return digest_of(part_path(self.path))
        except (OSError, pyrage.EncryptError) as problem:
            raise self._unwritable(problem) from problem

    def discard(self) -> None:
        """End the part and delete it."""
        with suppress(OSError):  # what could not be written before cannot be written now
            self._text.close()
        if self._encrypting is not None:
            self._encrypting.exception()
        with suppress(OSError):
            self._disk.close()
        part_path(self.path).unlink(missing_ok=True)

    def _encrypted(self, key: pyrage.x25519.Recipient) -> IO[bytes]:
        """Give a pipe to write to; what is written is encrypted before it reaches the disk."""
        reading, writing = os.pipe()
        executor = ThreadPoolExecutor(1, "print file")
        self._encrypting = executor.submit(_encrypt, os.fdopen(reading, "rb"), self._disk, key)
        executor.shutdown(wait=False)
        return os.fdopen(writing, "wb")

    def _unwritable(self, problem: BaseException) -> PrintFileUnwritable:
        if isinstance(problem, BrokenPipeError) and self._encrypting is not None:
            problem = self._encrypting.exception() or problem  # the pipe broke because the other end failed
        return PrintFileUnwritable(file=str(self.path), problem=getattr(problem, "strerror", None) or str(problem))


def recipient_key(words: str) -> pyrage.x25519.Recipient:
    """Read an age public key; RecipientUnusable."""
    try:
        return pyrage.x25519.Recipient.from_str(words.strip())
    except pyrage.RecipientError as problem:
        raise RecipientUnusable(recipient=words[:80]) from problem


def _encrypt(source: IO[bytes], disk: IO[bytes], key: pyrage.x25519.Recipient) -> None:
    with source:  # closed on failure too: the writer then gets BrokenPipeError
        pyrage.encrypt_io(source, disk, [key])
