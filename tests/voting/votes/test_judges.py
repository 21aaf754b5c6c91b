"""The database judges, whoever asks it: what is for ever stays, and no second lock can be written beside a first."""

from typing import Any

import pytest
from electorate import Electorate, open_electorate
from prepared import NOW
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from voting import schema
from voting.audit import chain
from voting.store.columns import METADATA
from voting.store.database import Database

KEPT = ("lock", "ballot", "attempt", "chain", "head", "result")


@pytest.fixture
async def town(database: Database) -> Electorate:
    """A poll with a row in every table whose rows stay: voted, tried again, signed, counted."""
    town = await open_electorate(database, 4)
    await town.votes(town.letters[0])
    await town.votes(town.letters[1])
    await town.gives_codes(town.letters[0], chat="telegram:99", warned=True)
    async with database.writing() as connection:
        assert await chain.sign_head(connection, NOW) is not None
        await connection.execute(insert(schema.result).values(only=1, at=NOW, body={"votes": [1, 1]}))
    return town


async def refused(town: Electorate, statement: str) -> None:
    """See that a statement fails, and that it changed nothing."""
    before = [await town.count(table) for table in KEPT]
    with pytest.raises(DBAPIError):
        async with town.database.writing() as connection:
            if town.database.is_sqlite:  # as an owner's shell has it: REPLACE then asks no delete trigger
                await connection.exec_driver_sql("PRAGMA recursive_triggers = OFF")
            await connection.execute(text(statement))
    assert [await town.count(table) for table in KEPT] == before


@pytest.mark.parametrize("table", KEPT)
async def test_no_row_of_what_is_for_ever_changes_goes_or_is_replaced(town: Electorate, table: str) -> None:
    """The table's own first column is written with what it holds already: even that is a change."""
    column = next(iter(METADATA.tables[table].columns)).name
    assert await town.count(table) > 0

    await refused(town, f'UPDATE "{table}" SET {column} = {column}')
    await refused(town, f'DELETE FROM "{table}"')
    if town.database.is_sqlite:
        await refused(town, f'INSERT OR REPLACE INTO "{table}" SELECT * FROM "{table}"')
    else:
        await refused(town, f'TRUNCATE "{table}" CASCADE')


@pytest.mark.parametrize("taken", ["member_id", "pack_id", "intent_id", "receipt"])
async def test_a_lock_that_shares_anything_with_another_is_refused(town: Electorate, taken: str) -> None:
    """Each alone is enough: the same member, the same pack, the same showing of the paper, the same mark."""
    intent = await town.opens_paper(town.letters[2])
    async with town.database.reading() as connection:
        lock = (
            (await connection.execute(select(schema.lock).order_by(schema.lock.c.member_id).limit(1))).mappings().one()
        )
    row: dict[str, Any] = {
        "member_id": 3,
        "how": "online",
        "at": NOW,
        "pack_id": 3,
        "intent_id": intent,
        "receipt": "ABCD-EFGH-JKMN-PQRS",
        "chat": town.letters[2].chat,
    }

    with pytest.raises(IntegrityError):
        async with town.database.writing() as connection:
            await connection.execute(insert(schema.lock).values(row | {taken: lock[taken]}))
    async with town.database.writing() as connection:  # with nothing of another's it is a lock like any
        await connection.execute(insert(schema.lock).values(row))

    async with town.database.reading() as connection:
        assert await connection.scalar(select(func.count()).select_from(schema.lock)) == 3
