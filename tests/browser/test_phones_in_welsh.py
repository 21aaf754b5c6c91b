"""The desk around the phones speaks Welsh to a browser that asks for it first, and every word of it has Welsh."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

import bot.sandbox
from bot.sandbox import Sandbox

STATIC = Path(bot.sandbox.__file__).parent / "static"
ALIKE = {"Post", "Staff", "staff"}  # the same word in both languages
RAW = re.compile(r'"[A-Z][a-z]+(?: [^"]*)?"')  # a sentence, or a label


def welsh_words() -> dict[str, str]:
    return dict(
        re.findall(r'^  "([^"]+)": "([^"]+)",$', (STATIC / "words.js").read_text(encoding="utf-8"), re.MULTILINE)
    )


def scripts() -> list[Path]:
    return [path for path in STATIC.glob("*.js") if path.name not in {"words.js", "letter_words.js"}]


def test_every_word_of_the_desk_has_welsh_and_none_is_left_over() -> None:
    said = {words for path in scripts() for words in re.findall(r'say\("([^"]+)"', path.read_text(encoding="utf-8"))}
    page = (STATIC / "phones.html").read_text(encoding="utf-8").partition("<svg hidden")[0]
    sent = {words.strip() for words in re.findall(r">([^<>]+)<", page) if words.strip()}
    sent |= set(re.findall(r'aria-label="([^"]+)"', page))
    sent -= {"The phones need JavaScript.", "Mae angen JavaScript ar y ffonau."}  # said in both, without a script

    assert (said | sent) - welsh_words().keys() == set()
    assert welsh_words().keys() - said - sent == {"member", "staff", "stranger"}  # a role, said by its name
    assert {words for words, welsh in welsh_words().items() if words == welsh} == ALIKE
    for words, welsh in welsh_words().items():
        assert re.findall(r"{\w+}", words) == re.findall(r"{\w+}", welsh)


@pytest.mark.parametrize("path", scripts(), ids=lambda path: path.name)
def test_no_label_is_written_beside_the_words(path: Path) -> None:
    code = re.sub(r"//.*|say\(\"[^\"]+\"", "", path.read_text(encoding="utf-8"))
    keys = {"Arrow", "Enter", "Escape", "Home", "End"}
    labels = [found for found in RAW.findall(code) if not any(found[1:].startswith(key) for key in keys)]
    assert labels == []


@pytest_asyncio.fixture(loop_scope="session")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as sandbox:
        ada = sandbox.telegram.person("Ada", phone="+447700900001")
        olu = sandbox.telegram.person("Olu")
        mal = sandbox.telegram.person("Mal")
        sandbox.title = "Etholiad"
        sandbox.show(ada, member_no="M1", phone="+447700900001")
        sandbox.show(olu, "staff")
        sandbox.show(mal, "stranger")
        await ada.types("/start")
        yield sandbox


async def opened(browser: Browser, sandbox: Sandbox, locale: str) -> Page:
    context = await browser.new_context(locale=locale, viewport={"width": 1500, "height": 900})
    page = await context.new_page()
    await page.goto(sandbox.url)
    await expect(page.locator("#live")).to_have_attribute("data-live", "yes")
    return page


async def everything(page: Page) -> set[str]:
    """Give each text and each label there is, shown or not."""
    found = await page.evaluate(
        """() => {
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          const words = [document.title];
          while (walker.nextNode()) {
            if (!walker.currentNode.parentElement.closest("noscript")) words.push(walker.currentNode.data.trim());
          }
          for (const one of document.querySelectorAll("*")) {
            for (const name of ["aria-label", "title", "placeholder"]) words.push(one.getAttribute(name) ?? "");
          }
          return words;
        }"""
    )
    return {str(words) for words in found if words}


@pytest.mark.browser
@pytest.mark.asyncio(loop_scope="session")
async def test_a_welsh_browser_finds_no_english_on_the_desk(browser: Browser, sandbox: Sandbox) -> None:
    page = await opened(browser, sandbox, "cy-GB")
    await expect(page.locator("html")).to_have_attribute("lang", "cy")
    seen = await everything(page)
    await page.get_by_role("tab", name="Negeseuon").first.click()
    await expect(page.locator(".texts").first).to_contain_text("Dim negeseuon testun.")
    seen |= await everything(page)
    for person in ("Mal", "Olu"):
        await page.get_by_role("button", name=re.compile(f"^{person},")).click()
        await expect(page.get_by_role("region", name=f"Ffôn {person}")).to_be_visible()
        seen |= await everything(page)

    english = {words for words, welsh in welsh_words().items() if words != welsh and "{" not in words}
    assert seen & english == set()
    assert {
        "Yn fyw",
        "Etholiad · Ffonau",
        "Ffôn Ada",
        "Ffôn Mal",
        "Nid yw staff yn cael pecyn wrth y ddesg hon.",
    } <= seen
    today = datetime.now(UTC)
    assert any(re.fullmatch(rf"Dydd \w+, {today.day} \w+", words) for words in seen)


@pytest.mark.browser
@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("locale", ["en-GB", "fr-FR"])
async def test_any_other_browser_reads_english(browser: Browser, sandbox: Sandbox, locale: str) -> None:
    page = await opened(browser, sandbox, locale)
    await expect(page.locator("html")).to_have_attribute("lang", "en-GB")
    await expect(page.get_by_role("region", name="Phone of Ada")).to_be_visible()
    assert await page.title() == "Etholiad · Phones"
