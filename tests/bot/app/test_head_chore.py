"""What the poll's chores tell staff: a chain that does not continue its kept head, a row that nobody signed."""

from pathlib import Path

from prepared import NOW, SECRETS, make_poll
from sqlalchemy import insert, select

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


async def test_a_staff_row_that_nobody_signed_raises_one_alert(database: Database) -> None:
    await make_poll(database)
    house = House(Settings(_env_file=None), database, SECRETS, clock=lambda: NOW)
    (probes,) = [chore for chore in chores(house) if chore.name == "probes"]
    await probes.act()
    async with database.writing() as connection:
        eve = {"name": "Eve", "role": "officer", "user_id": 66, "nonce": bytes(32), "enrolled_at": NOW}
        await connection.execute(insert(schema.staff).values(**eve))

    await probes.act()
    await probes.act()

    async with database.reading() as connection:
        (alert,) = (await connection.execute(select(schema.alert.c.kind, schema.alert.c.facts))).all()
    assert alert.kind == "probe_failed"
    assert "about number 1, who has no role" in alert.facts["detail"]
