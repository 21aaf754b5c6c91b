"""Make a backup: one file with the database, and apart from it one with the secrets, while the service runs.

The file is written anew, row by row from one snapshot, on either engine. SQLite's own online backup would copy pages:
free ones, and rows that must not travel, would be on the disk before they could be taken out; and it begins again each
time another process writes. So nothing withheld is ever written, and there are no free pages.
"""

import asyncio
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pyrage
from sqlalchemy import insert
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import secrets_file
from voting.backup import age, file, secrets_apart
from voting.backup.copying import Progress, copy_tables, quiet, snapshot
from voting.backup.refusals import BackupExists, BackupFaulty, BackupUnwritable
from voting.backup.withheld import OF_VOTES, Withheld
from voting.kept_file import MODE, make_durable
from voting.packs.print_file import recipient_key
from voting.secrets_file import Secrets
from voting.store.database import Database
from voting.store.revision import read_revision, revisions
from voting.store.upgrade import upgrade

SECRETS_SUFFIX: Final = ".secrets"


@dataclass(frozen=True, slots=True)
class Made:
    """What was written: `rows` of each table, `entries` of the chain; `sha256` of the file as it lies there."""

    file: Path
    secrets_file: Path
    made_at: datetime
    entries: int
    rows: dict[str, int]
    encrypted: bool
    sha256: str


def secrets_of(path: Path) -> Path:
    """Give the name of the secrets that belong to a backup."""
    return path.with_name(path.name + SECRETS_SUFFIX)


async def make(
    database: Database,
    secrets: Secrets,
    path: Path,
    *,
    working: Path,
    now: datetime,
    recipient: str | None = None,
    withheld: Sequence[Withheld] = (),
    progress: Progress = quiet,
) -> Made:
    """Write a backup, look through it, and give both files their names. `withheld` is left out besides OF_VOTES.

    With a recipient nothing in the clear is written but into `working`, a folder of the poll's own machine.
    BackupExists, BackupUnwritable, BackupFaulty, RecipientUnusable; ForeignSecrets, NoPoll.
    """
    key = None if recipient is None else recipient_key(recipient)
    for taken in (path, secrets_of(path)):
        if taken.exists():
            raise BackupExists(file=str(taken))
    try:
        with TemporaryDirectory(prefix=".ballotline-", dir=path.parent if key is None else working) as folder:
            plain, plain_secrets = Path(folder, "database"), Path(folder, "secrets")
            revision, rows = await _write(database, plain, now, (*OF_VOTES, *withheld), progress)
            secrets_file.save(plain_secrets, secrets_apart.without_hours(secrets))
            async with file.opened(plain, secrets, revision) as connection:
                problem = await file.first_fault(connection, probing=revision == revisions()[-1])
            if problem is not None:
                raise BackupFaulty(file=str(path), problem=problem)
            await asyncio.to_thread(_hand_over, {plain: path, plain_secrets: secrets_of(path)}, key)
    except (OSError, DBAPIError, pyrage.EncryptError) as problem:
        raise BackupUnwritable(file=str(path), problem=_sentence(problem)) from problem
    digest = await asyncio.to_thread(_digest, path)
    return Made(path, secrets_of(path), now, rows["chain"], rows, key is not None, digest)


async def _write(
    database: Database, path: Path, now: datetime, withheld: Sequence[Withheld], progress: Progress
) -> tuple[str, dict[str, int]]:
    """Write the database at the revision it has; give that, and the number of rows in each table."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE))
    copy = Database(URL.create("sqlite+aiosqlite", database=str(path)))
    try:
        async with snapshot(database) as source:
            revision = await upgrade(copy, str(await source.run_sync(read_revision)))
            rows = await _fill(copy, source, now, withheld, progress)
    finally:
        await copy.close()
    file.lay_to_rest(path)
    return revision, rows


async def _fill(
    copy: Database, source: AsyncConnection, now: datetime, withheld: Sequence[Withheld], progress: Progress
) -> dict[str, int]:
    async with copy.writing() as target:
        rows = await copy_tables(source, target, withheld, progress)
        await target.run_sync(file.MARK.create)
        await target.execute(insert(file.MARK).values(form=file.FORM, made_at=now))
    return rows


def _hand_over(files: dict[Path, Path], key: pyrage.x25519.Recipient | None) -> None:
    """Bring files to where they belong, mode 0600 and durable; if one cannot be, none is there."""
    parts = {target.with_name(target.name + ".part"): target for target in files.values()}
    try:
        for plain, part in zip(files, parts, strict=True):
            if key is None:
                plain.replace(part)
            else:
                age.encrypt(plain, part, key)
            part.chmod(MODE)
            make_durable(part)
        for part, target in parts.items():
            part.replace(target)
            make_durable(target.parent)
    except BaseException:
        for part in parts:
            part.unlink(missing_ok=True)
        raise


def _digest(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _sentence(problem: BaseException) -> str:
    if isinstance(problem, OSError) and problem.strerror:
        return problem.strerror
    return str(problem.orig if isinstance(problem, DBAPIError) else problem)
