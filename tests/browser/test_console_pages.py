"""The console in a real Chromium: the story of an evening, every page's accessibility, keys, phones and no scripts."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from console_house import ConsoleHouse, filled_house
from playwright.async_api import Browser, Page, expect
from prepared import HEADER, line
from sqlalchemy.ext.asyncio import AsyncConnection
from town import Town, Townsperson
from windows import NARROW, SCHEMES, WIDE, new_window

from bot.console import handbook, snapshot
from bot.console.lists import LISTINGS
from voting.store.database import Database

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

AXE: Final = (Path(__file__).parent / "axe.min.js").read_text()
RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGES: Final = (
    "/",
    "/cases",
    "/cases/1",
    "/notices",
    "/notices/new?kind=window_changed",
    "/notices/4/edit",
    "/notices/1",
    "/notices/2",
    "/notices/3",
    "/notices/1/report",
    "/members?q=000001",
    "/members/0000007",
    "/members/0000048",
    "/deliveries?member_no=0000010",
    "/packs",
    "/window",
    "/imports",
    "/staff",
    "/chain",
    "/members/none",
    "/nowhere",
)
LISTS: Final = tuple(f"/lists/{listing.name}" for listing in LISTINGS)
PATIENCE_SECONDS: Final = 60.0
NARROW_ROW: Final = ".rail, .heard, .skip, table.cards thead"
WIDER: Final = """out => [...document.querySelectorAll("body *")].filter(part => !part.closest(out)
    && part.getBoundingClientRect().right > document.documentElement.clientWidth + 1
).map(part => `${part.tagName} ${part.textContent.trim().slice(0, 40)}`)"""


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


@pytest_asyncio.fixture(loop_scope="session")
async def filled(database: Database, tmp_path: Path) -> AsyncIterator[ConsoleHouse]:
    async with filled_house(database, tmp_path) as town:
        yield town


async def enters(browser: Browser, town: ConsoleHouse, name: str = "Gwen", **named: Any) -> tuple[Page, list[str]]:
    page, complaints = await new_window(browser, town.url, **named)
    await page.goto(f"{town.url}/console{await town.link(name)}")
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    return page, complaints


async def faults(page: Page) -> list[str]:
    """Ask axe, in the light and in the dark; it is evaluated by the debugger, which the page's policy does not bind."""
    await page.evaluate(AXE)
    faults = []
    for scheme in SCHEMES:
        await page.emulate_media(color_scheme=scheme)
        found = await page.evaluate(f"axe.run(document, {{runOnly: {json.dumps(RULES)}, resultTypes: ['violations']}})")
        faults += [
            f"{scheme}, {fault['id']}: {node['html'][:160]}" for fault in found["violations"] for node in fault["nodes"]
        ]
        if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            faults.append(f"{scheme}, wider than the screen")
    return faults


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_every_page_is_clean_to_axe_and_fits_its_screen(
    browser: Browser, filled: ConsoleHouse, size: dict[str, int]
) -> None:
    """In the light and in the dark: a page is the same in both but for its colours, so it is loaded once."""
    page, complaints = await enters(browser, filled, viewport=size)
    found: dict[str, list[str]] = {}
    for path in PAGES:
        await page.goto(f"{filled.url}/console{path}")
        found[path] = await faults(page)
    await page.context.clear_cookies()
    for path in ("/", await filled.link("Gwen")):
        await page.goto(f"{filled.url}/console{path}")
        found[f"logged out {path[:7]}"] = await faults(page)
    assert {path: wrong for path, wrong in found.items() if wrong} == {}
    assert [words for words in complaints if "Failed to load resource: the server responded with" not in words] == []


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_in_welsh_every_page_list_and_page_of_the_handbook_fits_its_screen(
    browser: Browser, filled: ConsoleHouse, size: dict[str, int]
) -> None:
    """Welsh words are longer. Nothing is wider than the window, but for the row of pages at the foot, which scrolls."""
    page, _ = await enters(browser, filled, viewport=size)
    await page.get_by_role("button", name="Cymraeg").click()
    await expect(page.get_by_role("heading", name="Trosolwg")).to_be_visible()
    found: dict[str, list[str]] = {}
    for path in (*PAGES, *LISTS, *(f"/help/{name}" for name in handbook.PAGES)):
        await page.goto(f"{filled.url}/console{path}", wait_until="domcontentloaded")
        found[path] = await page.evaluate(WIDER, NARROW_ROW)
    assert {path: wider for path, wider in found.items() if wider} == {}


async def test_a_page_whose_numbers_are_still_counted_looks_again_by_itself(
    browser: Browser, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, gather = asyncio.Event(), snapshot.gather

    async def slowly(connection: AsyncConnection, now: datetime) -> snapshot.Snapshot:
        await go_on.wait()
        return await gather(connection, now)

    monkeypatch.setattr(snapshot, "gather", slowly)
    monkeypatch.setattr(snapshot, "SOON_SECONDS", 0.01)
    async with filled_house(database, tmp_path) as town:
        page, complaints = await new_window(browser, town.url)
        await page.goto(f"{town.url}/console{await town.link('Gwen')}")
        await page.get_by_role("button", name="Log in").click()
        await expect(page.get_by_role("heading", name="The numbers are being counted")).to_be_visible()
        assert await faults(page) == []
        go_on.set()
        monkeypatch.setattr(snapshot, "SOON_SECONDS", PATIENCE_SECONDS)
        await expect(page.get_by_role("heading", name="Overview")).to_be_visible()
        await page.close()
    assert complaints == []


async def test_everything_can_be_done_without_javascript(browser: Browser, filled: ConsoleHouse) -> None:
    page, _ = await enters(browser, filled, "Carys", java_script_enabled=False)
    await page.goto(f"{filled.url}/console/notices/new")
    await page.get_by_label("What it is about").select_option("custom")
    await page.get_by_label("Words in English").fill("The helpline closes at 8 pm.")
    await page.get_by_label("Words in Welsh").fill("Mae'r llinell yn cau am 8 yr hwyr.")
    await page.get_by_role("button", name="Show the preview").click()
    await expect(page.get_by_role("region", name="Preview")).to_contain_text("1 segment")
    await expect(page.get_by_label("Words in English")).to_have_value("The helpline closes at 8 pm.")
    await page.get_by_role("button", name="Offer for approval").click()
    await expect(page.get_by_text("Waits for approval").first).to_be_visible()
    await page.get_by_role("button", name="Log out").click()
    await expect(page.get_by_text("You are logged out")).to_be_visible()


async def test_the_whole_console_can_be_used_with_the_keyboard_alone(browser: Browser, filled: ConsoleHouse) -> None:
    page, _ = await enters(browser, filled, "Sam")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="To the page")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#main")).to_be_focused()
    for _ in range(3):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.textContent") == "Acknowledge":
            break
    outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    await page.keyboard.press("Enter")
    await expect(page.locator("#alarms").get_by_role("button", name="Acknowledge")).to_have_count(3)
    await expect(page.locator("#alarm-pill")).to_have_text("3 alarms")


async def test_the_story_of_an_evening(browser: Browser, database: Database, tmp_path: Path) -> None:
    """Login, import, compose, a second person approves, progress, an alert that is acknowledged in chat."""
    async with Town(database, tmp_path) as town:
        await town.member("ada").links()
        gwen, huw = await town.staff("gwen"), await town.staff("huw")
        page, complaints = await _logs_in(browser, gwen)
        other, _ = await _logs_in(browser, huw)

        roll = tmp_path / "late.csv"
        roll.write_text("\n".join([HEADER, line("900001"), line("900001"), ""]))
        await page.get_by_role("link", name="Imports").click()
        await page.get_by_label("Roll of members").check()
        await page.get_by_label("CSV file, UTF-8").set_input_files(roll)
        await page.get_by_role("button", name="Upload and try").click()
        await expect(page.get_by_text("already on line 2").first).to_be_visible()
        for question in await page.get_by_role("checkbox").all():
            await question.check()
        await page.get_by_role("button", name="Take it").click()
        await expect(page.get_by_text("Taken", exact=True)).to_be_visible()

        await page.get_by_role("link", name="Notices").click()
        await page.get_by_role("link", name="Write a notice").click()
        await page.get_by_label("What it is about").select_option("custom")
        await page.get_by_label("Words in English").fill("Packs are coming. " * 12)
        await expect(page.get_by_role("region", name="English").get_by_text("2 segments")).to_be_visible()
        await page.get_by_label("Words in English").fill("Packs are coming.")
        await page.get_by_label("Words in Welsh").fill("Mae'r pecynnau ar eu ffordd.")
        await expect(page.get_by_role("figure").filter(has_text="pecynnau").first).to_be_visible()
        await page.get_by_role("button", name="Offer for approval").click()
        await expect(page.get_by_text("somebody else has to read it")).to_be_visible()

        await other.reload()
        await other.get_by_role("link", name="Read and approve").click()
        await other.get_by_role("button", name="Approve these words").click()
        await page.reload()
        await page.get_by_role("button", name="Send it").click()
        await expect(page.locator("#progress")).to_contain_text("100.0 % handled")
        await town.member("ada").hears("Packs are coming")

        await page.get_by_role("link", name="Overview").click()
        await expect(page.locator("#alarms")).to_contain_text("None is open")
        await town.member("ada").votes("North")
        await expect(page.locator("[data-live=online]").first).to_have_text("1")
        thief = town.stranger("mallory")
        await thief.insists(town.member("ada").pack.codes)
        await expect(page.locator("#alarms")).to_contain_text("A vote was tried after the lock")
        await huw.hears("Acknowledge") if "Acknowledge" not in huw.buttons else None
        await huw.presses("Acknowledge")
        await expect(page.locator("#alarms")).to_contain_text("None is open")
        await page.get_by_role("link", name=re.compile("^Cases")).click()
        await page.get_by_role("link", name=re.compile("^Case 1")).click()
        await expect(page.get_by_text("Huw acknowledged")).to_be_visible()
        assert complaints == []


async def _logs_in(browser: Browser, person: Townsperson) -> tuple[Page, list[str]]:
    """Ask the bot for a link and open it."""
    answer = await person.asks(person.types("/console"), "/console/login/")
    found = re.search(r"http://[^\s\"<]+/console/login/[\w.-]+", answer.text)
    assert found, answer.text
    url = found[0]
    page, complaints = await new_window(browser, url.split("/console")[0])
    await page.goto(url)
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    return page, complaints
