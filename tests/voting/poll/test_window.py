"""The delivery window: each change is a new version, told with its reason; nothing is overwritten."""

from datetime import date

import pytest
from prepared import NOW, WINDOW, chain_kinds, make_poll
from sqlalchemy import select

from voting import schema
from voting.model import By, Window
from voting.poll import window
from voting.refusals import NoPoll, WindowBackwards
from voting.store.database import Database


async def moved(database: Database, first_day: int, last_day: int, reason: str = "strike") -> Window:
    async with database.writing() as connection:
        days = date(2022, 8, first_day), date(2022, 8, last_day)
        return await window.set_window(connection, *days, reason, by=By("Gwen", "chat", NOW))


async def test_without_a_poll_there_is_no_window(database: Database) -> None:
    async with database.reading() as connection:
        assert await window.history(connection) == []
        with pytest.raises(NoPoll):
            await window.current(connection)


async def test_a_change_is_a_new_version_beside_the_old(database: Database) -> None:
    await make_poll(database)

    after = await moved(database, 1, 10, " strike\u200b at  the\nprinter's ")

    async with database.reading() as connection:
        assert await window.current(connection) == after
        assert await window.history(connection) == [WINDOW, after]
        said = (await connection.execute(select(schema.chain).order_by(schema.chain.c.seq.desc()).limit(1))).one()
    assert after == Window(2, date(2022, 8, 1), date(2022, 8, 10), "strike at the printer's", NOW, "Gwen")
    assert (said.kind, said.actor, said.body["last_day"]) == ("window_set", "Gwen (chat)", "2022-08-10")


async def test_the_same_days_again_change_nothing(database: Database) -> None:
    await make_poll(database)

    first, again = await moved(database, 1, 10), await moved(database, 1, 10, "pressed twice")

    assert first == again
    assert (await chain_kinds(database)).count("window_set") == 2


@pytest.mark.parametrize(
    ("first_day", "last_day", "allowed"),
    [pytest.param(4, 4, True, id="one day"), pytest.param(4, 3, False, id="backwards")],
)
async def test_a_window_goes_forward(database: Database, first_day: int, last_day: int, allowed: bool) -> None:
    await make_poll(database)
    if allowed:
        assert (await moved(database, first_day, last_day)).version == 2
        return
    with pytest.raises(WindowBackwards, match=r"2022-08-04 to 2022-08-03"):
        await moved(database, first_day, last_day)
