"""The file of a backup: an SQLite database with this program's tables, from whichever engine they came.

Beside them it has the table `ballotline_backup`, one row: `form` (1) and `made_at` (microseconds since 1970 UTC). It is
at rest: no log lies beside it, and it is opened read-only, without a lock, also from a medium that cannot be written.
"""

import sqlite3
from collections.abc import AsyncIterator
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager, closing
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Column, Integer, MetaData, Table, select, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from voting import schema
from voting.audit.examination import examine
from voting.audit.probes import run_probes
from voting.audit.signer import Signer
from voting.backup.refusals import BackupOfOtherVersion, BackupUnreadable
from voting.refusals import ForeignSecrets, NoPoll
from voting.secrets_file import Secrets
from voting.store.columns import METADATA, Instant
from voting.store.database import MEMORY, SIGNER
from voting.store.revision import revisions

FORM: Final = 1
MARK: Final = Table(
    "ballotline_backup",
    MetaData(),
    Column("form", Integer, primary_key=True, autoincrement=False),
    Column("made_at", Instant, nullable=False),
)


def lay_to_rest(path: Path) -> None:
    """Have no log beside the file, now or when it is opened."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


@asynccontextmanager
async def opened(path: Path, secrets: Secrets, revision: str | None = None) -> AsyncIterator[AsyncConnection]:
    """Open a file to read; BackupUnreadable, BackupOfOtherVersion, ForeignSecrets, NoPoll when it is none for this.

    It has our own revision, or the older one that is given.
    """
    query = {"mode": "ro", "immutable": "1", "uri": "true"}
    url = URL.create("sqlite+aiosqlite", database=_uri(path), query=query)
    options = {SIGNER: Signer(secrets), MEMORY: {}}
    engine = create_async_engine(url, poolclass=NullPool, execution_options=options)
    try:
        async with engine.connect() as connection:
            await _insist_ours(connection, path, revision or revisions()[-1])
            key = await connection.scalar(select(schema.poll.c.signing_key))
            if key is None:
                raise NoPoll
            if key != secrets.verify_key:
                raise ForeignSecrets
            yield connection
    except DBAPIError as problem:
        raise BackupUnreadable(file=str(path), problem=str(problem.orig)) from problem
    finally:
        await engine.dispose()


def _uri(path: Path) -> str:
    return path.absolute().as_uri()


async def _insist_ours(connection: AsyncConnection, path: Path, wanted: str) -> None:
    await _insist_on(connection, path, {MARK.name, "alembic_version"})
    form = await connection.scalar(select(MARK.c.form))
    if form != FORM:
        raise BackupUnreadable(file=str(path), problem=f"its form is {form}")
    revision = await connection.scalar(text("SELECT version_num FROM alembic_version"))
    if revision != wanted:
        raise BackupOfOtherVersion(file=str(path), revision=revision, ours=wanted)
    if wanted == revisions()[-1]:
        await _insist_on(connection, path, METADATA.tables.keys())


async def _insist_on(connection: AsyncConnection, path: Path, tables: AbstractSet[str]) -> None:
    found = set((await connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))).scalars())
    for missing in sorted(tables - found):
        raise BackupUnreadable(file=str(path), problem=f"it has no table {missing}")


async def made_at(connection: AsyncConnection) -> datetime:
    """Read when a file was made."""
    moment: datetime = (await connection.execute(select(MARK.c.made_at))).scalar_one()
    return moment


async def first_fault(connection: AsyncConnection, *, probing: bool = True) -> str | None:
    """Look through an opened file: pages, references, chain, probes; say the first thing that does not hold.

    Probes ask for tables as they are at our revision: of an older one they are not asked.
    """
    pages = str(await connection.scalar(text("PRAGMA integrity_check(1)")))
    if pages != "ok":
        return pages
    loose = (await connection.execute(text("PRAGMA foreign_key_check"))).first()
    if loose is not None:
        return f"a row of {loose[0]} refers to one that is not there"
    return await first_untruth(connection, probing=probing)


async def first_untruth(connection: AsyncConnection, *, probing: bool = True) -> str | None:
    """Walk the chain and try every probe, on any engine; say the first thing that does not hold."""
    examined = await examine(connection)
    if examined.problem is not None:
        return examined.problem
    if not probing:
        return None
    wrong = [probe for probe in await run_probes(connection) if not probe.holds]
    return f"{wrong[0].name}: {wrong[0].detail}" if wrong else None
