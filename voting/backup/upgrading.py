"""Bring a database in which a poll is held up to this program's schema: all in one transaction, after a backup.

While it lasts nobody else writes, so the backup is what was there when the steps began. When they are done the chain
is walked and every probe tried before anything is committed: what does not hold is rolled back.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.audit.phases import TURNS, Span
from voting.backup import file
from voting.backup.making import Made, make
from voting.backup.refusals import UpgradeFailed, UpgradeMidCount
from voting.backup.withheld import Withheld
from voting.secrets_file import Secrets
from voting.store.database import Database
from voting.store.revision import reached, read_revision, revisions
from voting.store.upgrade import run_steps, upgrade

WHEN: Final = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Upgraded:
    """From which revision to which, and the backup of what was there before."""

    before: str
    revision: str
    backup: Made


async def bring_up_to_date(
    database: Database, secrets: Secrets, folder: Path, *, now: datetime, withheld: Sequence[Withheld] = ()
) -> Upgraded | None:
    """Run the missing steps; None where no poll had to be taken along. The backup is written to a file in `folder`.

    UpgradeMidCount, UpgradeFailed; BackupExists, BackupUnwritable, BackupFaulty; ForeignSecrets; DatabaseTooNew,
    DatabaseUnknown, DatabaseUnreachable. Each leaves the database as it was.
    """
    with reached():
        async with database.reading() as connection:
            before = await connection.run_sync(read_revision)
            poll_is_there = before is not None and await connection.scalar(select(schema.poll.c.only)) is not None
    if before == revisions()[-1]:
        return None
    if before is None or not poll_is_there:
        await upgrade(database)
        return None
    return await _with_a_poll(database, secrets, folder, now=now, withheld=withheld)


async def _with_a_poll(
    database: Database, secrets: Secrets, folder: Path, *, now: datetime, withheld: Sequence[Withheld]
) -> Upgraded | None:
    async with database.writing() as connection:
        await connection.run_sync(_keep_others_from_writing)
        before = str(await connection.run_sync(read_revision))
        if before == revisions()[-1]:  # another process was faster
            return None
        await _insist_not_in_mid_count(connection, before)
        path = folder / f"before-{revisions()[-1]}-{now.astimezone(UTC).strftime(WHEN)}.db"
        backup = await make(database, secrets, path, working=folder, now=now, withheld=withheld)
        with _needed_only_when_done(backup):
            return Upgraded(before, await _run(connection, before), backup)


def _keep_others_from_writing(connection: Connection) -> None:
    """On PostgreSQL: on SQLite who writes is alone. https://www.postgresql.org/docs/current/explicit-locking.html."""
    if connection.dialect.name == "postgresql":
        tables = ", ".join(f'"{name}"' for name in sorted(inspect(connection).get_table_names()))
        connection.exec_driver_sql(f"LOCK TABLE {tables} IN EXCLUSIVE MODE")


async def _insist_not_in_mid_count(connection: AsyncConnection, revision: str) -> None:
    said = set(await connection.scalars(select(schema.chain.c.kind).where(schema.chain.c.kind.in_(TURNS))))
    if [begun for kind, (_, begun) in TURNS.items() if kind in said][-1] is Span.COUNTING:
        raise UpgradeMidCount(revision=revision)


async def _run(connection: AsyncConnection, before: str) -> str:
    try:
        revision = await connection.run_sync(run_steps)
    except DBAPIError as problem:
        raise UpgradeFailed(revision=before, problem=str(problem.orig).strip().partition("\n")[0]) from problem
    untruth = await file.first_untruth(connection)
    if untruth is not None:
        raise UpgradeFailed(revision=before, problem=untruth)
    return revision


@contextmanager
def _needed_only_when_done(backup: Made) -> Iterator[None]:
    """Remove the backup if the database stays as it was: a service that starts again and again fills no disk."""
    try:
        yield
    except BaseException:
        backup.file.unlink()
        backup.secrets_file.unlink()
        raise
