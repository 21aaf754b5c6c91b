"""The migrated schema is the declared one, and its judges refuse what must never happen."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Connection, create_engine, insert, inspect, select, text
from sqlalchemy.exc import StatementError

import bot.schema  # noqa: F401 - its tables join the metadata
import messages.schema  # noqa: F401
from voting import schema
from voting.refusals import DatabaseEmpty, DatabaseTooNew, DatabaseUnknown, DatabaseUnreachable
from voting.store.columns import METADATA
from voting.store.database import Database
from voting.store.revision import MIGRATIONS, check, revisions
from voting.store.upgrade import upgrade


async def test_the_migrations_make_exactly_the_declared_tables(database: Database) -> None:
    """Nothing is declared that no migration makes, nor made that nobody declares."""
    async with database.reading() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), METADATA)
        )

    assert differences == []


async def test_the_migrations_make_exactly_the_declared_checks(database: Database) -> None:
    """Alembic does not compare them: what a column may hold, and what columns of a row may hold together."""
    declared = {
        (table.name, f"ck_{table.name}_{check.name}".replace(f"ck_{table.name}_ck_{table.name}_", f"ck_{table.name}_"))
        for table in METADATA.tables.values()
        for check in (*table.constraints, *(check for column in table.columns for check in column.constraints))
        if isinstance(check, CheckConstraint)
    }
    async with database.reading() as connection:
        made = await connection.run_sync(checks_of)

    assert declared
    assert {(table, name) for table, name, _ in made} == declared
    if database.is_sqlite:
        bare = create_engine("sqlite://")
        METADATA.create_all(bare)
        with bare.connect() as connection:
            assert made == checks_of(connection)  # word for word
        bare.dispose()


def checks_of(connection: Connection) -> set[tuple[str, str, str]]:
    """Give table, name and words of every check."""
    found = inspect(connection).get_multi_check_constraints()
    return {(key[1], str(check["name"]), check["sqltext"]) for key, checks in found.items() for check in checks}


async def test_upgrading_twice_changes_nothing(database: Database) -> None:
    assert await upgrade(database) == await upgrade(database) == await check(database)


def test_our_revisions_are_those_of_the_migrations_newest_last() -> None:
    newest_first = [script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()]

    assert revisions() == newest_first[::-1]


async def test_a_database_of_a_newer_program_is_refused(database: Database) -> None:
    async with database.writing() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(DatabaseTooNew, match="9999"):
        await upgrade(database)
    with pytest.raises(DatabaseTooNew, match="9999"):
        await check(database)


@pytest.mark.parametrize("version", ["0000", "later", None])
async def test_a_database_of_no_version_we_know_is_refused(database: Database, version: str | None) -> None:
    """What came before the first release, and what was never ours."""
    async with database.writing() as connection:
        change = "UPDATE alembic_version SET version_num = :version" if version else "DELETE FROM alembic_version"
        await connection.execute(text(change), {"version": version} if version else {})

    for act in (upgrade, check):
        with pytest.raises(DatabaseUnknown, match=version or "tables without a version"):
            await act(database)


async def test_somebody_elses_file_stays_as_it_is_byte_for_byte(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "songs.db")) as connection, connection:
        connection.execute("CREATE TABLE song (title text)")
    before = (tmp_path / "songs.db").read_bytes()
    theirs = Database(f"sqlite+aiosqlite:///{tmp_path / 'songs.db'}")

    for act in (upgrade, check):
        with pytest.raises(DatabaseUnknown, match="tables without a version"):
            await act(theirs)
    await theirs.close()

    assert (tmp_path / "songs.db").read_bytes() == before
    assert not (tmp_path / "songs.db-wal").exists()


async def test_where_there_is_nothing_yet_is_said(tmp_path: Path) -> None:
    empty = Database(f"sqlite+aiosqlite:///{tmp_path / 'new.db'}")

    with pytest.raises(DatabaseEmpty, match="nothing in the database yet"):
        await check(empty)
    assert await upgrade(empty) == await check(empty) == revisions()[-1]
    await empty.close()


UNREACHABLE = {
    "a folder that is not there": "sqlite+aiosqlite:///{folder}/nowhere/ballotline.db",
    "a file that is no database": "sqlite+aiosqlite:///{folder}/letter.txt",
    "a server that does not answer": "postgresql+asyncpg://nobody@127.0.0.1:1/ballotline",
    "a server's folder that is empty": "postgresql+asyncpg://nobody@/ballotline?host={folder}",
}


@pytest.mark.parametrize("url", UNREACHABLE.values(), ids=UNREACHABLE)
async def test_a_database_that_cannot_be_reached_is_said_in_one_line(tmp_path: Path, url: str) -> None:
    (tmp_path / "letter.txt").write_text("Dear member, " * 1_000)
    database = Database(url.format(folder=tmp_path))
    for step in (upgrade, check):
        with pytest.raises(DatabaseUnreachable) as refusal:
            await step(database)
        problem = str(refusal.value.facts["problem"])
        assert problem
        assert "\n" not in problem
    await database.close()


async def test_a_time_is_kept_to_the_microsecond_and_comes_back_in_utc(database: Database) -> None:
    """Whatever zone it was given in; one without a zone is refused rather than guessed."""
    row = {"version": 1, "first_day": datetime(2022, 8, 1, tzinfo=UTC).date(), "reason": "", "set_by": ""}
    row["last_day"] = row["first_day"]
    summer = datetime(2022, 8, 3, 11, 0, 0, 123456, tzinfo=timezone(timedelta(hours=1)))

    with pytest.raises(StatementError, match="without its zone"):
        async with database.writing() as connection:
            await connection.execute(insert(schema.window).values(row | {"set_at": summer.replace(tzinfo=None)}))
    async with database.writing() as connection:
        await connection.execute(insert(schema.window).values(row | {"set_at": summer}))

    async with database.reading() as connection:
        [kept] = (await connection.execute(select(schema.window.c.set_at))).scalars()
    assert (kept, kept.tzinfo) == (summer, UTC)
