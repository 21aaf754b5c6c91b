"""The migrated schema is the declared one, and its judges refuse what must never happen."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

import bot.schema  # noqa: F401 - its tables join the metadata
import messages.schema  # noqa: F401
from voting.columns import METADATA
from voting.database import Database
from voting.refusals import DatabaseBehind, DatabaseTooNew
from voting.upgrade import check, upgrade


async def test_the_migrations_make_exactly_the_declared_tables(database: Database) -> None:
    """Nothing is declared that no migration makes, nor made that nobody declares."""
    async with database.reading() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), METADATA)
        )

    assert differences == []


async def test_upgrading_twice_changes_nothing(database: Database) -> None:
    assert await upgrade(database) == await upgrade(database) == await check(database)


async def test_a_database_of_a_newer_program_is_refused(database: Database) -> None:
    async with database.writing() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(DatabaseTooNew, match="9999"):
        await upgrade(database)
    with pytest.raises(DatabaseTooNew, match="9999"):
        await check(database)


async def test_a_database_without_our_tables_is_called_behind(database: Database) -> None:
    async with database.writing() as connection:
        await connection.execute(text("DELETE FROM alembic_version"))

    with pytest.raises(DatabaseBehind):
        await check(database)
