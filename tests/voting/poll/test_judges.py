"""The database judges: the paper of an open poll, its phase, and what a pack is, change by no statement."""

from pathlib import Path

import pytest
from electorate import Electorate, open_electorate
from prepared import make_poll
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from voting.migrations.poll_triggers_0001 import PAPER
from voting.poll import polls
from voting.store.database import Database

VALUES = {
    "opens_at": "1",
    "closes_at": "9",
    "joined_by": "'2020-01-01'",
    "questions": "'[]'",
    "ways": "'[]'",
    "languages": "'[]'",
}
BYTES = ("trustees_file", "paper", "signing_key")
KINDS = {"key_kind": "'ceremony'"}
PACKS = {
    "another member": "UPDATE pack SET member_id = 2 WHERE id = 3",
    "another number": "UPDATE pack SET id = 9 WHERE id = 3",
    "another serial": "UPDATE pack SET serial = 2 WHERE id = 3",
    "another pack code": "UPDATE pack SET pack_hash = credential WHERE id = 3",
    "another credential": "UPDATE pack SET credential = pack_hash WHERE id = 3",
    "no credential": "UPDATE pack SET credential = NULL WHERE id = 3",
    "another entry": "UPDATE pack SET issued_entry = 2 WHERE id = 3",
    "no entry": "UPDATE pack SET issued_entry = NULL WHERE id = 3",
    "another end": "UPDATE pack SET ended_entry = 4 WHERE id = 2",
    "no end": "UPDATE pack SET ended_entry = NULL WHERE id = 2",
    "alive again": "UPDATE pack SET state = 'live' WHERE id = 2",
    "deleted": "DELETE FROM pack WHERE id = 3",
}


async def refused(database: Database, statement: str) -> None:
    with pytest.raises(IntegrityError):
        async with database.writing() as connection:
            if database.is_sqlite:  # as an owner's shell has it: REPLACE then asks no delete trigger
                await connection.exec_driver_sql("PRAGMA recursive_triggers = OFF")
            await connection.execute(text(statement))


@pytest.fixture
async def town(database: Database) -> Electorate:
    """Three members; the pack of the second was replaced, without a new one."""
    town = await open_electorate(database)
    async with database.writing() as connection:
        await connection.execute(text("UPDATE pack SET state = 'replaced', ended_entry = 3 WHERE id = 2"))
    return town


@pytest.mark.parametrize("column", PAPER)
async def test_nothing_of_the_paper_changes_once_the_poll_is_open(town: Electorate, column: str) -> None:
    other = "x'00'" if town.database.is_sqlite else "'\\x00'"
    value = other if column in BYTES else VALUES.get(column) or KINDS.get(column) or "'other'"

    await refused(town.database, f"UPDATE poll SET {column} = {value}")

    async with town.database.writing() as connection:
        await connection.execute(text(f"UPDATE poll SET {column} = {column}, rule_version = 2"))


@pytest.mark.parametrize(("phase", "earlier"), [("open", "preparing"), ("closed", "open"), ("counted", "closed")])
async def test_a_poll_never_goes_back(town: Electorate, phase: str, earlier: str) -> None:
    async with town.database.writing() as connection:
        await connection.execute(text(f"UPDATE poll SET phase = '{phase}'"))

    await refused(town.database, f"UPDATE poll SET phase = '{earlier}'")
    await refused(town.database, "UPDATE poll SET phase = NULL")


async def test_a_poll_cannot_be_deleted_or_replaced(town: Electorate) -> None:
    await refused(town.database, "DELETE FROM poll")
    if town.database.is_sqlite:
        await refused(town.database, "INSERT OR REPLACE INTO poll SELECT * FROM poll")
    else:
        await refused(town.database, "TRUNCATE poll")


@pytest.mark.parametrize("statement", PACKS.values(), ids=PACKS)
async def test_a_pack_stays_what_it_is_until_the_poll_is_counted(town: Electorate, statement: str) -> None:
    await refused(town.database, statement)


async def test_a_pack_that_has_no_credential_gets_none(database: Database, tmp_path: Path) -> None:
    """What a purge has forgotten cannot be written in again."""
    town = await open_electorate(database)
    async with database.writing() as connection:
        await connection.execute(text("UPDATE poll SET phase = 'counted'"))
        await connection.execute(text("UPDATE pack SET credential = NULL, issued_entry = NULL, ended_entry = NULL"))

    await refused(town.database, "UPDATE pack SET credential = pack_hash WHERE id = 1")


@pytest.mark.parametrize("taken", ["id", "pack_hash", "credential", "member_id and serial", "a live pack"])
async def test_a_pack_cannot_be_replaced_in_its_row(town: Electorate, taken: str) -> None:
    """By a row that shares one thing with it, which INSERT OR REPLACE would put in its place."""
    fresh = {"id": "9", "member_id": "3", "serial": "9", "pack_hash": "'h'", "credential": "'c'", "state": "'void'"}
    same = {"member_id and serial": "serial", "a live pack": "state"}.get(taken, taken)
    values = fresh | {same: same} | ({} if taken != "a live pack" else {"state": "'live'"})
    columns = (*values, "issued_at")
    chosen = ", ".join(values.get(column, column) for column in columns)
    if not town.database.is_sqlite:
        chosen = chosen.replace("'h'", "'h'::bytea").replace("'c'", "'c'::bytea")
    act = "INSERT OR REPLACE" if town.database.is_sqlite else "INSERT"

    await refused(town.database, f"{act} INTO pack ({', '.join(columns)}) SELECT {chosen} FROM pack WHERE id = 3")

    assert await town.count("pack") == 3


async def test_packs_are_not_truncated(town: Electorate) -> None:
    await refused(town.database, "DELETE FROM pack" if town.database.is_sqlite else "TRUNCATE pack CASCADE")


async def test_a_key_or_title_may_change_until_the_opening(database: Database) -> None:
    await make_poll(database)
    async with database.writing() as connection:
        await connection.execute(text("UPDATE poll SET title = 'Other', phase = 'preparing'"))
        assert (await polls.load(connection)).title == "Other"
