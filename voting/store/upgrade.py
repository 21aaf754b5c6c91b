"""Bring a database to this program's schema, or say which of the two is older."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from voting.refusals import DatabaseBehind, DatabaseTooNew, DatabaseUnreachable
from voting.store.database import Database

MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"


async def upgrade(database: Database) -> str:
    """Run the missing steps in one transaction; return the revision reached. DatabaseTooNew, DatabaseUnreachable."""
    try:
        async with database.writing() as connection:
            return await connection.run_sync(_upgrade)
    except (DBAPIError, OSError) as problem:
        raise DatabaseUnreachable(problem=_first_line(problem)) from problem


async def check(database: Database) -> str:
    """Return the revision when it is this program's; DatabaseBehind, DatabaseTooNew or DatabaseUnreachable if not."""
    try:
        async with database.reading() as connection:
            revision = await connection.run_sync(_revision)
    except (DBAPIError, OSError) as problem:
        raise DatabaseUnreachable(problem=_first_line(problem)) from problem
    if revision is None or revision != ScriptDirectory(str(MIGRATIONS)).get_current_head():
        raise DatabaseBehind(revision=revision)
    return revision


def _upgrade(connection: Connection) -> str:
    _revision(connection)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return str(MigrationContext.configure(connection).get_current_revision())


def _revision(connection: Connection) -> str | None:
    revision = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}
    if revision is not None and revision not in known:
        raise DatabaseTooNew(revision=revision)
    return revision


def _first_line(problem: Exception) -> str:
    cause = problem.orig if isinstance(problem, DBAPIError) and problem.orig else problem
    return str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
