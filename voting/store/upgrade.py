"""Bring a database to this program's schema."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from voting.store.database import Database
from voting.store.revision import MIGRATIONS, reached, read_revision


async def upgrade(database: Database) -> str:
    """Run the missing steps in one transaction; return the revision reached.

    DatabaseTooNew, DatabaseUnknown, DatabaseUnreachable; the database is then as it was.
    """
    with reached():
        async with database.writing() as connection:
            return await connection.run_sync(_upgrade)


def _upgrade(connection: Connection) -> str:
    read_revision(connection)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return str(read_revision(connection))
