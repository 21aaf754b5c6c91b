"""Two officers give a lost head up in the console, where who they are is known."""

from pathlib import Path

from console_house import ConsoleHouse, console_house
from prepared import SECRETS

from voting.audit import chain
from voting.audit.signer import Signer
from voting.store.database import Database

LOST = (9_999, b"x" * 32)


def signer_of(town: ConsoleHouse) -> Signer:
    assert isinstance(town.database.signer, Signer)
    return town.database.signer


async def test_one_officer_asks_and_another_approves(database_url: str, tmp_path: Path) -> None:
    database = Database(database_url, Signer.beside(SECRETS, tmp_path / "secrets"))
    try:
        async with (
            console_house(database, tmp_path, members=3) as town,
            town.visitor("Gwen") as gwen,
            town.visitor("Huw") as huw,
        ):
            assert "A head is lost" not in (await gwen.looks("/chain")).text
            assert (await gwen.does("/chain/resume")).status_code == 409
            signer_of(town).keep(*LOST)

            assert "A head is lost" in (await gwen.looks("/chain")).text
            assert (await gwen.does("/chain/resume")).status_code == 303
            again = await gwen.does("/chain/resume")
            assert (again.status_code, "second person" in again.text) == (409, True)
            assert "A head is lost" in (await huw.looks("/chain")).text
            assert (await huw.does("/chain/resume")).status_code == 303

            assert "A head is lost" not in (await huw.looks("/chain")).text
            async with database.reading() as connection:
                assert await chain.last_head(connection) == signer_of(town).kept()
    finally:
        await database.close()


async def test_a_damaged_head_file_is_told_on_the_page(database_url: str, tmp_path: Path) -> None:
    database = Database(database_url, Signer.beside(SECRETS, tmp_path / "secrets"))
    try:
        async with console_house(database, tmp_path, members=3) as town, town.visitor("Gwen") as gwen:
            (tmp_path / "secrets.head").write_bytes(b"spoilt")

            page = (await gwen.looks("/chain")).text

            assert "not a head that this poll" in page
            assert "Go on from this chain" not in page
    finally:
        await database.close()
