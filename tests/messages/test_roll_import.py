"""The roll and the channels of its numbers are taken together, or not at all."""

from pathlib import Path

import pytest
from prepared import NOW, SECRETS, chain_kinds, line, make_poll, rows, write_roll
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from messages import roll_import
from messages.reach import SMS, State, set_channel_state
from messages.schema import channel
from voting import schema
from voting.imports.report import ImportReport
from voting.model import By
from voting.store.database import Database

GWEN = By("Gwen", "command line", NOW)


async def take(database: Database, path: Path, *, dry_run: bool = False) -> ImportReport:
    return await roll_import.import_roll(database, path, SECRETS, by=GWEN, dry_run=dry_run)


async def numbers(database: Database) -> list[tuple[str, str]]:
    """Give every SMS channel: the member's number on the roll and the address."""
    async with database.reading() as connection:
        member = schema.member
        found = select(member.c.member_no, channel.c.address).join(channel, channel.c.member_id == member.c.id)
        return [tuple(row) for row in await connection.execute(found.order_by(member.c.member_no))]


@pytest.fixture
async def prepared(database: Database) -> Database:
    await make_poll(database)
    return database


@pytest.fixture
def two(tmp_path: Path) -> Path:
    return write_roll(tmp_path / "roll.csv", [line("1", phone="07700 900123"), line("2", phone="")])


async def test_every_number_of_the_roll_can_be_written_to(prepared: Database, two: Path) -> None:
    report = await take(prepared, two)

    assert report.added == 2
    assert await numbers(prepared) == [("1", "+447700900123")]


async def test_a_crash_between_the_roll_and_the_channels_leaves_neither(prepared: Database, two: Path) -> None:
    """A number without a channel would never be written to, and nobody would see it."""
    async with prepared.writing() as connection:
        await connection.execute(text("ALTER TABLE channel RENAME TO out_of_reach"))
    with pytest.raises(DBAPIError):
        await take(prepared, two)
    async with prepared.writing() as connection:
        await connection.execute(text("ALTER TABLE out_of_reach RENAME TO channel"))

    assert await rows(prepared, schema.member) == []
    assert "roll_imported" not in await chain_kinds(prepared)
    assert (await take(prepared, two)).added == 2
    assert await numbers(prepared) == [("1", "+447700900123")]


async def test_a_dry_run_leaves_channels_as_they_are(prepared: Database, two: Path, tmp_path: Path) -> None:
    await take(prepared, two)

    await take(prepared, write_roll(tmp_path / "new.csv", [line("1", phone="07700 900124")]), dry_run=True)

    assert await numbers(prepared) == [("1", "+447700900123")]


async def test_a_file_that_changes_nothing_still_mends_a_lost_channel(prepared: Database, two: Path) -> None:
    """Older versions took the two in two transactions: the next import heals what one of them lost."""
    await take(prepared, two)
    async with prepared.writing() as connection:
        await connection.execute(text("DELETE FROM channel"))

    assert not (await take(prepared, two)).changes_something
    assert await numbers(prepared) == [("1", "+447700900123")]


async def test_who_said_stop_is_not_written_to_after_a_new_roll(prepared: Database, two: Path) -> None:
    await take(prepared, two)
    async with prepared.writing() as connection:
        await set_channel_state(connection, SMS, "+447700900123", State.OPTED_OUT, reason="STOP", now=NOW)

    await take(prepared, two)

    assert await rows(prepared, channel, channel.c.state) == [(State.OPTED_OUT,)]
