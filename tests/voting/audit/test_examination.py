"""`audit` walks the whole chain and names the first thing that is wrong."""

from pathlib import Path

import pytest
from forged_chain import made, put, read
from prepared import GWEN, NOW, SECRETS, make_poll

from voting.audit import chain
from voting.audit.chain import NobodySigns
from voting.audit.examination import Examined, examine
from voting.audit.signer import Signer
from voting.model import By
from voting.store.database import Database


async def examined(database: Database) -> Examined:
    async with database.reading() as connection:
        return await examine(connection)


async def writes(database: Database, kind: str) -> None:
    async with database.writing() as connection:
        await chain.append(connection, kind, {}, by=GWEN)


async def test_a_chain_in_order_is_counted(database: Database) -> None:
    await make_poll(database)
    await writes(database, "console_opened")

    assert await examined(database) == Examined(len(await read(database)), None)


async def test_an_entry_that_our_own_key_signed_out_of_place_is_named(database: Database) -> None:
    """Somebody with the whole machine can sign, and yet not change the paper of an open poll unseen."""
    await make_poll(database)
    await writes(database, "poll_opened")
    await writes(database, "poll_changed")

    assert (await examined(database)).problem == 'entry 4 of the chain, "poll_changed", comes while the poll is open'


async def test_an_entry_that_nobody_signed_is_named(database: Database) -> None:
    await make_poll(database)
    entries = await read(database)
    await put(database, [*entries, made(len(entries) + 1, entries[-1].hash)])

    found = await examined(database)

    assert found == Examined(2, "entry 3 of the chain is not signed by this poll's signing key")


async def test_a_lost_head_is_named(database_url: str, tmp_path: Path) -> None:
    signer = Signer.beside(SECRETS, tmp_path / "secrets")
    database = Database(database_url, signer)
    try:
        await make_poll(database)
        older = await read(database)
        async with database.writing() as connection:
            await chain.append(connection, "console_opened", {}, by=By.system(NOW))
        await put(database, older)

        assert "does not continue entry 3" in str((await examined(database)).problem)
    finally:
        await database.close()


async def test_without_the_key_nothing_is_examined(database_url: str) -> None:
    database = Database(database_url)
    try:
        with pytest.raises(NobodySigns):
            await examined(database)
    finally:
        await database.close()
