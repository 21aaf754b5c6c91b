"""A member votes on the page inside the local Telegram, and by a link from a letter: phones, service and page."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, FrameLocator, Locator, Page, expect
from town import Letter, Member, Town
from windows import new_window

from voting.store.database import Database

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.filterwarnings("ignore:.*PTB_TIMEDELTA:telegram.warnings.PTBDeprecationWarning"),
]


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


@pytest_asyncio.fixture(loop_scope="session")
async def town(database: Database, tmp_path: Path) -> AsyncIterator[Town]:
    """A town of today: what Telegram signs names the second in which a page was opened."""
    now = datetime.now(UTC).replace(microsecond=0)
    days = {"opens_at": now - timedelta(days=1), "closes_at": now + timedelta(days=7)}
    async with Town(database, tmp_path, local=True, moment=now, **days) as town:
        yield town


async def at_her_phone(browser: Browser, town: Town) -> tuple[Page, Locator, Member, list[str]]:
    """Lay Ada's phone on the desk; she has written to the bot."""
    ada = town.member("ada")
    town.sandbox.show(ada.person, member_no=ada.member_no)
    await ada.asks(ada.types("/start"), "Welcome", "What would you like to do?")
    page, complaints = await new_window(browser, "http://127.0.0.1:", viewport={"width": 1440, "height": 900})
    await page.goto(town.sandbox.url)
    return page, page.get_by_role("region", name="Phone of Ada"), ada, complaints


async def votes_in(frame: FrameLocator, letter: Letter) -> str:
    """Go the whole way inside the frame; the receipt."""
    await frame.get_by_role("button", name="English", exact=True).click()
    await frame.get_by_role("button", name="I understand").click()
    await frame.locator("#code").fill(letter.pack_code)
    await frame.locator("#code").press("Enter")
    await expect(frame.locator("p.word")).to_have_text(letter.word)
    await frame.get_by_role("button", name="Yes, the same word").click()
    await frame.locator("#code").fill(letter.vote_code)
    await frame.locator("#code").press("Enter")
    await frame.get_by_label("South Quay").check()
    await frame.locator("button[type=submit]").click()
    await frame.get_by_role("button", name="Cast my vote").click()
    await expect(frame.get_by_role("heading", level=1)).to_have_text("Your vote is locked")
    return await frame.locator("p.mark").inner_text()


@pytest.mark.parametrize("opener", ["Open the voting page", "Voting"], ids=["a message's button", "the menu button"])
async def test_a_member_votes_inside_telegram_and_the_receipt_comes_into_the_chat(
    browser: Browser, town: Town, opener: str
) -> None:
    page, phone, ada, complaints = await at_her_phone(browser, town)
    await phone.get_by_role("button", name=opener, exact=True).click()
    app = phone.get_by_role("dialog", name="Mini App")
    frame = app.frame_locator("iframe")
    receipt = await votes_in(frame, ada.pack)
    lock = await town.lock_of("ada")
    assert lock is not None
    assert (lock.receipt, lock.chat) == (receipt, f"telegram:{ada.id}")

    await frame.get_by_role("button", name="Close").click()

    await expect(app).to_be_hidden()
    await expect(phone.get_by_role("log", name="Messages")).to_contain_text(receipt)
    assert await town.count("South Quay") == 1
    assert complaints == []
    await page.context.close()


async def test_the_frame_goes_when_it_is_closed_or_another_phone_is_picked_up(browser: Browser, town: Town) -> None:
    page, phone, _, _ = await at_her_phone(browser, town)
    bob = town.member("bob")
    town.sandbox.show(bob.person, member_no=bob.member_no)
    app = page.get_by_role("dialog", name="Mini App")
    opener = phone.get_by_role("button", name="Open the voting page")

    await opener.click()
    await expect(app.frame_locator("iframe").get_by_role("heading", level=1)).to_be_visible()
    await app.get_by_role("button", name="Close the Mini App").click()
    await expect(app).to_be_hidden()

    await opener.click()
    await expect(app).to_be_visible()
    await page.get_by_role("navigation", name="People").get_by_role("button", name="Bob").click()
    await expect(app).to_be_hidden()
    await expect(page.locator("iframe")).to_have_count(0)


async def test_a_letter_s_link_opens_in_its_own_tab(browser: Browser, town: Town) -> None:
    page, _, ada, _ = await at_her_phone(browser, town)
    address = f"{town.url}/vote"
    letter = {"member_no": ada.member_no, "name": "Ada", "pack_code": ada.pack.pack_code, "vote_code": "…"}
    town.sandbox.deliver_letter(letter | {"vote_url": f"{address}#{ada.pack.pack_code}"})
    async with page.context.expect_page() as tab:
        await page.get_by_role("link", name=address.removeprefix("http://")).click()
    opened = await tab.value
    await opened.get_by_role("button", name="English", exact=True).click()
    await opened.get_by_role("button", name="I understand").click()
    await expect(opened.locator("#code")).to_have_value(ada.pack.pack_code)
    assert opened.url == address
