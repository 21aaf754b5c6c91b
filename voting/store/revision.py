"""Which revision a database is at, and whether that is this program's: asked by every command, so without Alembic."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from voting.refusals import DatabaseBehind, DatabaseEmpty, DatabaseTooNew, DatabaseUnknown, DatabaseUnreachable
from voting.store.database import VERSIONS, Database

MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"


def revisions() -> list[str]:
    """Give this program's revisions, oldest first: the name of a migration's file begins with its revision."""
    return sorted(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))


async def check(database: Database) -> str:
    """Return the revision if it is this program's. DatabaseEmpty, -Behind, -TooNew, -Unknown or -Unreachable if not."""
    with reached():
        async with database.reading() as connection:
            revision = await connection.run_sync(read_revision)
    if revision is None:
        raise DatabaseEmpty
    if revision != revisions()[-1]:
        raise DatabaseBehind(revision=revision)
    return revision


def read_revision(connection: Connection) -> str | None:
    """Read the revision, None where there is nothing at all; DatabaseTooNew, DatabaseUnknown. Changes nothing.

    What came before our first revision was never released, and nothing leads from there to here.
    """
    tables = set(inspect(connection).get_table_names())
    revision: str | None = None
    if VERSIONS in tables:
        revision = connection.scalar(text(f"SELECT version_num FROM {VERSIONS}"))  # noqa: S608 - our own constant
    if revision is None:
        if tables - {VERSIONS}:
            raise DatabaseUnknown(found="tables without a version")
        return None
    known = revisions()
    if revision in known:
        return revision
    if revision.isdigit() and revision > known[-1]:
        raise DatabaseTooNew(revision=revision)
    raise DatabaseUnknown(found=f"version {revision}")


@contextmanager
def reached() -> Iterator[None]:
    """Turn a database that cannot be reached into DatabaseUnreachable."""
    try:
        yield
    except (DBAPIError, OSError) as problem:
        raise DatabaseUnreachable(problem=_first_line(problem)) from problem


def _first_line(problem: Exception) -> str:
    cause = problem.orig if isinstance(problem, DBAPIError) and problem.orig else problem
    return str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
