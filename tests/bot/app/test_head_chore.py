"""A chain that does not continue its kept head is told to staff, once, in words that say what to do."""

from pathlib import Path

from prepared import NOW, SECRETS, make_poll
from sqlalchemy import select

from bot import schema
from bot.app.chores import chores
from bot.house import House
from bot.settings import Settings
from voting.audit import chain
from voting.audit.signer import Signer
from voting.model import By
from voting.store.database import Database


async def test_a_lost_head_raises_one_alert(database_url: str, tmp_path: Path) -> None:
    signer = Signer.beside(SECRETS, tmp_path / "ballotline.secrets")
    database = Database(database_url, signer)
    try:
        await make_poll(database)
        house = House(Settings(_env_file=None), database, SECRETS, clock=lambda: NOW)
        (compare,) = [chore for chore in chores(house) if chore.name == "kept head"]
        async with database.writing() as connection:
            await chain.append(connection, "done", {}, by=By.system(NOW))
        await compare.act()
        async with database.reading() as connection:
            assert (await connection.scalars(select(schema.alert.c.kind))).all() == []
        signer.keep(99, b"x" * 32)

        await compare.act()
        await compare.act()

        async with database.reading() as connection:
            assert (await connection.scalars(select(schema.alert.c.kind))).all() == ["head_lost"]
    finally:
        await database.close()
