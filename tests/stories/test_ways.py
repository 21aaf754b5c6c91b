"""A poll file may switch the page or the chat's voting off; what is off takes no vote, and what is on works."""

from pathlib import Path

import httpx
import pytest
from page_client import PageClient
from town import Town

from voting.model import Ways
from voting.store.database import Database

pytestmark = pytest.mark.filterwarnings("ignore:.*PTB_TIMEDELTA:telegram.warnings.PTBDeprecationWarning")


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


async def test_without_the_chat_votes_are_taken_on_the_page_alone(database: Database, tmp_path: Path) -> None:
    async with Town(database, tmp_path, ways=Ways(chat=False)) as town:
        ada = town.member("ada")
        await ada.asks(ada.types("/vote"), "No votes are taken here")
        letter = town.letters[town.member_nos["ada"]]
        await ada.types(letter.codes)
        assert await town.locks() == 0

        async with PageClient(town.url) as page:
            found = await page.gives_pack(letter)
            await page.proves(letter, found["intent"])
            await page.casts(found["intent"], page.seals(letter, 1))
        assert await town.locks() == 1


async def test_without_the_page_there_is_none_and_letters_do_not_name_it(database: Database, tmp_path: Path) -> None:
    async with Town(database, tmp_path, ways=Ways(page=False)) as town, httpx.AsyncClient() as stranger:
        assert (await stranger.get(f"{town.url}/vote")).status_code == 404
        asked = {"pack_code": "x", "session": "0" * 32, "rule_version": 1, "language": "en-GB"}
        assert (await stranger.post(f"{town.url}/vote/pack", json=asked)).status_code == 404

        await town.member("ada").votes("North Quay")
        assert await town.locks() == 1
