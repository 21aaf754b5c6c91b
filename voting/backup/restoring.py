"""A poll from a backup, in a place where there is nothing: no row in any table, no secrets but the same.

The secrets come first, so that a restore which was cut off can be done again: the rows come all in one transaction,
which is looked through before it is committed.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import secrets_file
from voting.audit import chain
from voting.audit.signer import Head, Signer
from voting.backup import age, file, secrets_apart
from voting.backup.bringing_up import at_our_revision
from voting.backup.copying import NOT_OURS, Progress, copy_tables, quiet
from voting.backup.refusals import BackupUnreadable, DatabaseTaken, HeadUnusable, SecretsTaken
from voting.refusals import Fault
from voting.secrets_file import Secrets
from voting.store.database import Database
from voting.store.revision import reached
from voting.store.upgrade import upgrade


@dataclass(frozen=True, slots=True)
class Sources:
    """Files: the backup, its secrets, what opens them if they are encrypted, and the head that others kept."""

    file: Path
    secrets: Path
    identity: Path | None = None
    head: Path | None = None


@dataclass(frozen=True, slots=True)
class Restored:
    """What is there now. `lost`: the chain went on after the backup, up to the head that is kept beside the secrets."""

    made_at: datetime
    entries: int
    rows: dict[str, int]
    lost: Head | None


async def restore(sources: Sources, database_url: str, secrets_path: Path, *, progress: Progress = quiet) -> Restored:
    """Restore a backup into an empty database and beside it the secrets, with a fresh key for what people type.

    BackupUnreadable, BackupOfOtherVersion, ForeignSecrets, SecretsMissing; Identity-Missing, -Unusable, -Foreign;
    DatabaseTaken, SecretsTaken, DatabaseUnreachable; HeadUnusable, KeptHeadDamaged.
    """
    with TemporaryDirectory(prefix=".ballotline-", dir=secrets_path.parent) as folder:
        plain = await at_our_revision(age.in_the_clear(sources.file, Path(folder), sources.identity), Path(folder))
        secrets = secrets_file.load(age.in_the_clear(sources.secrets, Path(folder), sources.identity))
        _insist_free(secrets_path, secrets)
        kept = Signer.beside(secrets, secrets_path)
        told = None if sources.head is None else _read_head(sources.head, kept)
        database = Database(database_url, Signer(secrets))
        try:
            with reached():
                await _insist_empty(database)
            async with file.opened(plain, secrets) as source:
                problem = await file.first_fault(source)
                if problem is not None:
                    raise BackupUnreadable(file=str(sources.file), problem=problem)
                _keep_secrets(secrets_path, secrets)
                made_at = await file.made_at(source)
                rows = await _fill(database, source, progress)
            if told is not None:
                kept.keep(told.seq, told.hash)
            return Restored(made_at, rows["chain"], rows, await _lost(database, kept))
        finally:
            await database.close()


def _insist_free(path: Path, secrets: Secrets) -> None:
    if path.exists() and secrets_file.load(path) != secrets:
        raise SecretsTaken(file=str(path))


def _keep_secrets(path: Path, secrets: Secrets) -> None:
    if not path.exists():
        secrets_file.save(path, secrets_apart.without_hours(secrets))


async def _insist_empty(database: Database) -> None:
    async with database.reading() as connection:
        tables = await connection.run_sync(lambda own: inspect(own).get_table_names())
        for table in sorted(set(tables) - NOT_OURS):
            if (await connection.execute(text(f'SELECT 1 FROM "{table}" LIMIT 1'))).first() is not None:  # noqa: S608 - a table's own name
                raise DatabaseTaken(table=table)


async def _fill(database: Database, source: AsyncConnection, progress: Progress) -> dict[str, int]:
    await upgrade(database)
    async with database.writing() as target:
        rows = await copy_tables(source, target, progress=progress)
        problem = await file.first_untruth(target)
        if problem is not None:
            raise Fault(f"the restored rows do not hold, though those of the backup did: {problem}")
        return rows


def _read_head(path: Path, signer: Signer) -> Head:
    """Read a head as `head --json` prints it; HeadUnusable when it is none that this poll's key signed."""
    try:
        return signer.read(path.read_bytes())
    except ValueError as problem:
        raise HeadUnusable(file=str(path)) from problem


async def _lost(database: Database, kept: Signer) -> Head | None:
    """Give the head beside the secrets if the restored chain does not have it."""
    head = kept.kept()
    if head is None:
        return None
    async with database.reading() as connection:
        return None if await chain.has_entry(connection, head.seq, head.hash) else head
