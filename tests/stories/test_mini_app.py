"""The voting page inside Telegram: its buttons are there where Telegram can open it, and nowhere else."""

from pathlib import Path

import pytest
from town import PUBLIC_URL, Member, Town

from voting.store.database import Database

LABELS = {"Open the voting page", "Agor y dudalen bleidleisio"}


def apps(member: Member) -> list[str | None]:
    """What the page's button opens, below the last message; nothing where there is none."""
    return [button.web_app for row in member.last.buttons for button in row if button.text in LABELS]


@pytest.mark.parametrize("local", [False, True], ids=["https", "on this machine"])
async def test_the_chat_offers_the_page_where_telegram_can_open_it(
    database: Database, tmp_path: Path, local: bool
) -> None:
    async with Town(database, tmp_path, webhooks=not local, local=local) as town:
        page = f"{town.url if local else PUBLIC_URL}/vote"
        ada = town.member("ada")
        for words in ("/start", "/vote", "/status", "/help"):
            await ada.asks(ada.types(words))
            assert apps(ada) == [page], words
        await ada.asks(ada.types("/help"), "sealed on your own phone")
        await ada.asks(ada.presses("Vote"), "Before you vote")
        await ada.asks(ada.presses("I understand"), "type the pack code")
        assert apps(ada) == [page]
        await ada.links()
        await ada.asks(ada.types("/status"), "Member 100001")
        assert apps(ada) == [page]

        menu = town.sandbox.telegram.world.menu_button

    assert menu == {"type": "web_app", "text": "Voting", "web_app": {"url": page}}


async def test_whoever_speaks_welsh_reads_the_button_in_welsh(database: Database, tmp_path: Path) -> None:
    async with Town(database, tmp_path, webhooks=True) as town:
        sian = town.member("sian", language_code="cy")
        await sian.asks(sian.types("/start"))

        assert sian.buttons[0] == "Agor y dudalen bleidleisio"


async def test_a_locked_vote_offers_no_page(database: Database, tmp_path: Path) -> None:
    async with Town(database, tmp_path, webhooks=True) as town:
        ada = town.member("ada")
        await ada.links()
        await ada.votes("North")
        await ada.asks(ada.types("/status"), "locked")

        assert apps(ada) == []


async def test_without_https_the_chat_offers_what_it_did(town: Town) -> None:
    ada = town.member("ada")
    await ada.asks(ada.types("/start"))
    assert ada.last.labels == ["Vote", "Check my codes", "Link this chat to me", "Where is my pack?", "Help"]
    await ada.asks(ada.types("/vote"))
    assert ada.last.labels == ["I understand", "Not now"]
    await ada.asks(ada.presses("I understand"), "type the pack code")
    assert ada.last.labels == []
    help_page = await ada.asks(ada.types("/help"))
    assert "voting page" not in help_page.words
    await ada.links()
    await ada.asks(ada.types("/status"))
    assert ada.last.labels == ["Vote", "Check my codes"]

    assert town.sandbox.telegram.world.menu_button is None


async def test_the_menu_button_is_taken_back_when_the_public_address_goes(database: Database, tmp_path: Path) -> None:
    async with Town(database, tmp_path, webhooks=True) as town:
        await town.stops()
        town.webhooks = False
        await town.starts()

        assert town.sandbox.telegram.world.menu_button == {"type": "commands"}
