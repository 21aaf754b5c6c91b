"""The page of phones, driven in a real Chromium over the real sandbox, with the unmodified client as the bot."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import pytest
import pytest_asyncio
from english_left import english_left
from playwright.async_api import Browser, Locator, Page, expect
from telegram import Bot, BotCommand, InlineKeyboardButton, InlineKeyboardMarkup, KeyboardButton, ReplyKeyboardMarkup
from telegram.request import HTTPXRequest
from windows import NARROW, new_window

from bot.sandbox import Group, Person, Sandbox

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

RULE: Final = "It is an offence to vote more than once."
PICTURE: Final = bytes.fromhex(  # a PNG of one point
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63f8ffff3f0005fe02fe0def46b80000000049454e44ae426082"
)


@dataclass
class Desk:
    """What a test needs: the world behind the page, the bot, and the people on it."""

    sandbox: Sandbox
    bot: Bot
    ada: Person
    officer: Person
    mallory: Person
    room: Group


@pytest_asyncio.fixture(loop_scope="session")
async def desk() -> AsyncIterator[Desk]:
    async with Sandbox() as sandbox:
        ada = sandbox.telegram.person("Ada Morgan", phone="+447700900001")
        officer = sandbox.telegram.person("Olu Officer", phone="+447700900002")
        mallory = sandbox.telegram.person("Mallory", phone="+447700900003")
        sandbox.title = "Election of the Chair"
        sandbox.console_url = f"{sandbox.url}/console"
        sandbox.show(ada, member_no="M1", phone="+447700900001")
        sandbox.show(officer, "staff")
        sandbox.show(mallory, "stranger")
        room = sandbox.telegram.group("Staff room", members=[officer])
        await ada.types("/start")
        await officer.types("/start")
        request = HTTPXRequest(connection_pool_size=4)
        async with Bot(sandbox.telegram.token, base_url=f"{sandbox.telegram.api_url}/bot", request=request) as bot:
            yield Desk(sandbox, bot, ada, officer, mallory, room)


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, desk: Desk) -> AsyncIterator[Page]:
    """Open the page on a wide screen: Ada's phone and the officer's."""
    async for page in opened(browser, desk, {"width": 1440, "height": 900}):
        yield page


@pytest_asyncio.fixture(loop_scope="session")
async def small_page(browser: Browser, desk: Desk) -> AsyncIterator[Page]:
    """Open the page on a telephone's own screen."""
    async for page in opened(browser, desk, NARROW):
        yield page


async def opened(browser: Browser, desk: Desk, size: dict[str, int]) -> AsyncIterator[Page]:
    """Open the page; whatever it complains of, or asks of anybody else, fails the test."""
    page, complaints = await new_window(browser, desk.sandbox.url, viewport=size)
    await page.goto(desk.sandbox.url)
    await expect(page.locator("#live")).to_have_attribute("data-live", "yes")
    yield page
    await page.context.close()
    assert complaints == []


def phone(page: Page, person: Person) -> Locator:
    return page.get_by_role("region", name=f"Phone of {person.name}")


def keyboard(*labels: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton(label, callback_data=label.lower())] for label in labels])


async def choose(page: Page, person: Person) -> None:
    await page.get_by_role("navigation", name="People").get_by_role("button", name=person.name).click()


def letter() -> dict[str, str]:
    return {
        "member_no": "M1",
        "name": "Ada Morgan",
        "address_1": "12 Harbour Row",
        "address_2": "",
        "town": "Aberystwyth",
        "postcode": "SY23 2NN",
        "pack_code": "7KQ-M4X-WPR",
        "vote_code": "H3NT-9XKD-ZQ7B",
        "word": "heron",
        "bot_url": "https://t.me/ballotline_bot?start=pack",
        "rule": RULE,
        "title": "Election of the Chair",
    }


async def test_a_wide_screen_shows_a_member_and_staff_side_by_side(page: Page, desk: Desk) -> None:
    await expect(page.get_by_role("heading", name="Election of the Chair")).to_be_visible()
    await expect(phone(page, desk.ada)).to_be_visible()
    await expect(phone(page, desk.officer)).to_be_visible()
    await expect(page.get_by_role("link", name="Console")).to_have_attribute("href", f"{desk.sandbox.url}/console")


async def test_what_is_typed_reaches_the_bot_and_the_answer_appears_by_itself(page: Page, desk: Desk) -> None:
    ada = phone(page, desk.ada)

    await ada.get_by_role("textbox", name="Message").fill("Where is my pack?")
    await page.keyboard.press("Enter")

    await expect(ada.get_by_role("log").get_by_text("Where is my pack?")).to_be_visible()
    assert desk.ada.messages[-1].text == "Where is my pack?"
    await desk.bot.send_message(desk.ada.id, "Between <b>1 and 10 August</b>. Try /status", parse_mode="HTML")
    await expect(ada.get_by_text("1 and 10 August")).to_have_css("font-weight", "700")
    await ada.get_by_role("button", name="/status").click()
    await expect(ada.get_by_role("article", name="You").last).to_contain_text("/status")


async def test_markup_in_what_people_write_stays_text(page: Page, desk: Desk) -> None:
    hostile = "<img src=x onerror=alert(1)><b>bold</b>"

    await desk.ada.types(hostile)

    await expect(phone(page, desk.ada).get_by_text(hostile)).to_be_visible()


async def test_a_press_is_answered_and_an_edit_takes_the_place_of_the_message(page: Page, desk: Desk) -> None:
    ada = phone(page, desk.ada)
    sent = await desk.bot.send_message(desk.ada.id, "Ready?", reply_markup=keyboard("I understand", "Not now"))
    await desk.bot.send_message(desk.ada.id, "A later message")

    await ada.get_by_role("button", name="I understand").click()

    query = None
    while query is None:
        query = (await desk.bot.get_updates(offset=-1, timeout=2))[-1].callback_query
    assert query.data == "i understand"
    await desk.bot.answer_callback_query(query.id, "Thank you.", show_alert=True)
    await desk.bot.edit_message_text("Now your pack code.", desk.ada.id, sent.message_id)
    await expect(ada.get_by_text("Thank you.")).to_be_visible()
    await expect(ada.get_by_role("article", name="Ballotline").first).to_contain_text("Now your pack code.edited")
    await expect(ada.get_by_role("button", name="Not now")).to_have_count(0)


async def test_a_deleted_message_goes(page: Page, desk: Desk) -> None:
    sent = await desk.bot.send_message(desk.ada.id, "Only for a moment")
    await expect(phone(page, desk.ada).get_by_text("Only for a moment")).to_be_visible()

    await desk.bot.delete_message(desk.ada.id, sent.message_id)

    await expect(phone(page, desk.ada).get_by_text("Only for a moment")).to_have_count(0)


async def test_a_letter_arrives_and_its_code_can_be_typed_by_pressing_it(page: Page, desk: Desk) -> None:
    post = page.get_by_role("complementary", name="Post")
    await expect(post.get_by_text("The pack has not arrived")).to_be_visible()

    desk.sandbox.deliver_letter(letter())

    await expect(post.get_by_text("12 Harbour Row")).to_be_visible()
    await expect(post.get_by_text(RULE)).to_be_visible()
    qr = post.get_by_role("img", name="QR code of the chat’s address")
    await expect(qr).to_be_visible()
    assert await qr.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    await post.get_by_role("button", name=re.compile("^Pack code 7KQ-M4X-WPR")).click()
    await post.get_by_role("button", name=re.compile("^Vote code")).click()
    await page.keyboard.press("Enter")
    await expect(phone(page, desk.ada).get_by_role("log")).to_contain_text("7KQ-M4X-WPR H3NT-9XKD-ZQ7B")


async def test_a_welsh_member_s_letter_is_welsh_throughout(page: Page, desk: Desk) -> None:
    ways = {"vote_url": "http://127.0.0.1/vote#7KQ", "bot_url": "https://t.me/ballotline_bot?start=pack"}
    own = {"language": "cy", "title": "Ethol y Cadeirydd", "rule": "Un bleidlais."}
    desk.sandbox.deliver_letter(letter() | ways | own)

    sheet = page.get_by_role("article", name="Pecyn pleidleisio Ada Morgan")
    await expect(sheet).to_have_attribute("lang", "cy")
    spoken = await sheet.evaluate(
        """sheet => [sheet, ...sheet.querySelectorAll("*")].map(
            part => `${part.getAttribute("aria-label") ?? ""} ${part.getAttribute("alt") ?? ""}`).join(" ")"""
    )
    said = f"{await sheet.inner_text()} {spoken}"
    assert "Cod pleidlais" in said
    assert english_left(said, but="Ada Morgan Harbour Row start pack") == set()
    await expect(sheet.get_by_role("img", name="Cod QR y dudalen bleidleisio")).to_be_visible()


async def test_scanning_the_letter_starts_the_bot_with_its_payload(page: Page, desk: Desk) -> None:
    desk.sandbox.deliver_letter(letter() | {"bot_url": f"https://t.me/{desk.sandbox.telegram.bot_username}?start=x_1"})

    await page.get_by_role("link", name="Open the chat").click()

    await expect(phone(page, desk.ada).get_by_role("article", name="You").last).to_contain_text("/start x_1")


async def test_a_stranger_can_type_the_codes_of_somebody_elses_letter(page: Page, desk: Desk) -> None:
    desk.sandbox.deliver_letter(letter())
    await choose(page, desk.mallory)

    await page.get_by_label("Read the letter of").select_option(label="Ada Morgan’s letter")
    await page.get_by_role("button", name=re.compile("^Pack code")).click()
    await phone(page, desk.mallory).get_by_role("button", name="Start").click()
    await expect(phone(page, desk.mallory).get_by_role("textbox", name="Message")).to_be_focused()
    await page.keyboard.press("Enter")

    await expect(phone(page, desk.mallory).get_by_role("log")).to_contain_text("7KQ-M4X-WPR")
    assert desk.mallory.messages[-1].text == "7KQ-M4X-WPR"


async def test_a_stranger_can_be_added_and_blocks_and_unblocks_the_bot(page: Page, desk: Desk) -> None:
    await page.get_by_label("Name of the stranger").fill("Trudy")
    await page.get_by_role("button", name="Add a stranger").click()

    trudy = page.get_by_role("region", name="Phone of Trudy")
    await trudy.get_by_role("button", name="Start").click()
    await trudy.locator("summary").click()
    await trudy.get_by_role("button", name="Block the bot").click()
    await trudy.get_by_role("button", name="Unblock", exact=True).click()

    await expect(trudy.get_by_role("textbox", name="Message")).to_be_visible()


async def test_texts_come_with_their_status_and_stop_is_heard(page: Page, desk: Desk) -> None:
    ada, line = phone(page, desk.ada), desk.sandbox.twilio.phone("+447700900001")
    await ada.get_by_role("tab", name="Texts").click()

    await ada.get_by_role("button", name="STOP").click()

    await expect(ada.get_by_role("article").first).to_contain_text("STOP")
    await expect(ada.get_by_role("log", name="Text messages")).to_contain_text("Delivered")  # the carrier's own answer
    assert line.opted_out


async def test_news_elsewhere_is_counted_until_it_is_read(page: Page, desk: Desk) -> None:
    people = page.get_by_role("navigation", name="People")
    await desk.mallory.types("/start")
    await desk.bot.send_message(desk.mallory.id, "Hello")
    await desk.bot.send_message(desk.mallory.id, "Hello again")

    await expect(people.get_by_role("button", name="Mallory, stranger, 2 unread")).to_be_visible()
    await choose(page, desk.mallory)

    await expect(phone(page, desk.mallory).get_by_text("Hello again")).to_be_visible()
    await expect(people.get_by_role("button", name=re.compile("unread"))).to_have_count(0)


async def test_groups_pictures_and_files_are_shown(page: Page, desk: Desk) -> None:
    officer = phone(page, desk.officer)
    await officer.get_by_role("tab", name="Staff room").click()

    await desk.bot.send_photo(desk.room.chat_id, PICTURE, caption="Turnout: 41.2 %")
    await desk.bot.send_document(desk.room.chat_id, b"a,b\n1,2\n", filename="cases.csv")

    await expect(officer.get_by_text("Turnout: 41.2 %")).to_be_visible()
    async with page.expect_download() as download:
        await officer.get_by_role("link", name="cases.csv").click()
    assert (await download.value).suggested_filename == "cases.csv"
    await officer.get_by_role("button", name="Open the picture").click()
    await expect(page.get_by_role("dialog", name="Picture")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog", name="Picture")).to_be_hidden()


async def test_commands_and_keyboards_can_be_used_without_a_mouse(page: Page, desk: Desk) -> None:
    await desk.bot.set_my_commands([BotCommand("status", "Where things are"), BotCommand("vote", "Cast your vote")])
    keys = ReplyKeyboardMarkup([["Turnout"], [KeyboardButton("Share my number", request_contact=True)]])
    await desk.bot.send_message(desk.ada.id, "Choose", reply_markup=keys)
    ada = phone(page, desk.ada)

    await ada.get_by_role("button", name="Share my number").focus()
    await page.keyboard.press("Enter")
    await expect(ada.get_by_role("log")).to_contain_text("447700900001")
    await ada.get_by_role("textbox", name="Message").press_sequentially("/")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")

    await expect(ada.get_by_role("article", name="You").last).to_contain_text("/vote")


async def test_the_address_remembers_the_phones_and_a_pinned_one_stays(page: Page, desk: Desk) -> None:
    await choose(page, desk.mallory)

    await expect(phone(page, desk.officer)).to_be_visible()  # pinned from the start
    assert page.url.endswith(f"#{desk.mallory.id}+{desk.officer.id}")
    await page.reload()
    await expect(phone(page, desk.mallory)).to_be_visible()
    await expect(phone(page, desk.officer)).to_be_visible()


async def test_a_narrow_screen_shows_one_part_at_a_time(small_page: Page, desk: Desk) -> None:
    desk.sandbox.deliver_letter(letter())
    parts = small_page.get_by_role("navigation", name="Parts of the desk")

    await expect(phone(small_page, desk.ada)).to_be_visible()
    await expect(phone(small_page, desk.officer)).to_be_hidden()
    await parts.get_by_role("button", name="Letter").click()
    await expect(phone(small_page, desk.ada)).to_be_hidden()
    await small_page.get_by_role("button", name=re.compile("^Vote code")).click()
    await expect(phone(small_page, desk.ada).get_by_role("textbox", name="Message")).to_have_value("H3NT-9XKD-ZQ7B")
    await parts.get_by_role("button", name="People").click()
    await small_page.get_by_role("button", name=re.compile("^Olu Officer")).click()
    await expect(phone(small_page, desk.officer)).to_be_visible()
    assert await small_page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
