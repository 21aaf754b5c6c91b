"""Bring a database to this program's schema."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from voting.store.database import Database
from voting.store.postgres import unhurried
from voting.store.revision import MIGRATIONS, reached, read_revision


async def upgrade(database: Database, to: str = "head") -> str:
    """Run the missing steps in one transaction; return the revision reached.

    Of a database in which a poll is held `voting.backup.upgrading` takes care.
    DatabaseTooNew, DatabaseUnknown, DatabaseUnreachable; the database is then as it was.
    """
    with reached():
        async with database.writing() as connection:
            return await connection.run_sync(run_steps, to)


def run_steps(connection: Connection, to: str = "head") -> str:
    """Run the missing steps in the caller's transaction, as far as a revision; return it."""
    read_revision(connection)
    unhurried(connection)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
    return str(read_revision(connection))
