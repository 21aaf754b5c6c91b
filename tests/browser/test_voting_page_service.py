"""The voting page in Chromium with the real service behind it, in a town where others vote in the chat."""

from pathlib import Path
from urllib.parse import quote

import pytest
from page_client import init_data
from page_visitor import Visitor
from playwright.async_api import Browser, expect
from town import Letter, Town

from bot.page.page import page_digest
from voting.store.database import Database

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.filterwarnings("ignore:.*PTB_TIMEDELTA:telegram.warnings.PTBDeprecationWarning"),
]


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


async def gives_codes(visitor: Visitor, letter: Letter) -> None:
    await visitor.field.fill(letter.pack_code)
    await visitor.page.keyboard.press("Enter")
    await expect(visitor.page.locator("p.word")).to_have_text(letter.word)
    await visitor.page.locator("#page .acts button").first.click()
    await visitor.field.fill(letter.vote_code)
    await visitor.page.keyboard.press("Enter")


async def test_a_member_votes_on_the_page_and_a_thief_is_warned_then_reported(
    browser: Browser, database: Database, tmp_path: Path
) -> None:
    async with Town(database, tmp_path) as town:
        desk, letter = await town.staff("desk"), town.letters[town.member_nos["ada"]]
        visitor = await Visitor.opens(browser, town)
        await visitor.begins()
        await gives_codes(visitor, letter)
        await visitor.chooses("South Quay")
        await visitor.presses("Cast my vote")
        receipt = await visitor.receipt()
        await visitor.sees("This device made the same mark.")
        await visitor.sees("Wednesday 3 August 2022")
        lock = await town.lock_of("ada")
        assert lock is not None
        assert lock.receipt == receipt
        assert await town.count("South Quay") == 1
        digest = page_digest(tuple(town.poll.languages))
        await expect(visitor.page.locator("#foot")).to_contain_text(digest[:16])

        thief = await Visitor.opens(browser, town)
        await thief.begins()
        await thief.field.fill(letter.pack_code)
        await thief.page.keyboard.press("Enter")
        await thief.reads("A vote is already locked")
        await thief.sees("Please do not give the vote code again")
        assert await town.attempts() == 0
        await thief.page.get_by_text("I want to go on all the same").click()
        await thief.presses("Give the vote code all the same")
        await thief.presses("Yes, the same word")
        await thief.field.fill(letter.vote_code)
        await thief.page.keyboard.press("Enter")
        await thief.sees("As the rule says, this try was noted and the staff can see it.")
        await desk.hears("Codes used on the voting page, not where the vote was cast")
        assert await town.attempts() == 1
        await thief.presses("This was not me")
        await thief.reads("Thank you for telling us")
        await desk.hears("was not theirs")
        assert visitor.complaints == thief.complaints == []


async def test_in_telegram_the_page_is_the_chat_s_and_the_receipt_comes_there_too(
    browser: Browser, database: Database, tmp_path: Path
) -> None:
    async with Town(database, tmp_path) as town:
        ada, letter = town.member("ada"), town.letters[town.member_nos["ada"]]
        await ada.types("/start")
        await ada.hears("What would you like to do?")
        signed = init_data(town.sandbox.telegram.token, ada.id, town.clock())
        visitor = await Visitor.opens(browser, town, f"#tgWebAppData={quote(signed, safe='')}")
        await visitor.begins()
        await gives_codes(visitor, letter)
        await visitor.chooses("North Quay")
        await visitor.presses("Cast my vote")
        receipt = await visitor.receipt()
        await ada.hears(receipt)
        lock = await town.lock_of("ada")

        assert lock is not None
        assert lock.chat == f"telegram:{ada.id}"


async def test_the_service_goes_between_every_step_and_comes_back(
    browser: Browser, database: Database, tmp_path: Path
) -> None:
    """The same address, another process as far as the page can tell: it waits, asks again, and loses nothing."""
    async with Town(database, tmp_path) as town:
        letter = town.letters[town.member_nos["ada"]]
        visitor = await Visitor.opens(browser, town)
        await visitor.begins()

        async def again() -> None:
            await town.stops()
            await visitor.page.keyboard.press("Enter")
            await visitor.sees("No answer yet.")
            await town.starts(town.port)

        await visitor.field.fill(letter.pack_code)
        await again()
        await visitor.presses("Yes, the same word")
        await visitor.field.fill(letter.vote_code)
        await again()
        await visitor.chooses("South Quay")
        await visitor.button("Cast my vote").focus()
        await again()
        receipt = await visitor.receipt()
        lock = await town.lock_of("ada")

        assert lock is not None
        assert lock.receipt == receipt
        assert await town.locks() == 1
