"""Make the handbook's pictures from the real pages: `python -m tests.pictures`; the English phones are README's.

Needs a Chromium. They travel with the program, so they are small.
"""

import asyncio
import io
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.async_api import Locator, Page, async_playwright, expect

sys.path.insert(0, str(Path(__file__).parent / "parts"))

from console_house import filled_house

from bot.console import handbook
from messages.words.texts import languages, text
from voting.audit.signer import Signer
from voting.store.database import Database
from voting.store.upgrade import upgrade

ROOT: Final = Path(__file__).parent.parent
WIDTH: Final = 1_000
HEIGHT_MAX: Final = 1_100
PORT: Final = 8024
PHONES_OF: Final = ("Bedwyr", "Nia")  # Bedwyr's letter is Welsh
PAGES: Final = {
    "overview": "/",
    "notice": "/notices/new",
    "window": "/window",
    "case": "/cases/1",
    "member": "/members/0000006",
    "packs": "/packs",
    "chain": "/chain",
}


def keep(content: bytes, name: str, language: str) -> None:
    """Write a picture no larger than a page of the handbook shows it."""
    place = handbook.folder(language) / "handbook" / "pictures"
    place.mkdir(exist_ok=True)
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    picture.thumbnail((WIDTH, WIDTH * picture.height // picture.width))
    shown = picture.crop((0, 0, picture.width, min(picture.height, HEIGHT_MAX)))
    shown.save(place / f"{name}.webp", quality=65, method=6)


async def main() -> None:
    """Photograph every page of PAGES as an officer sees it, in each language.

    Something of everything has happened in the poll.
    """
    from prepared import SECRETS

    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite+aiosqlite:///{folder}/ballotline.db", Signer(SECRETS))
        await upgrade(database)
        async with filled_house(database, Path(folder)) as town, async_playwright() as driver:
            browser = await driver.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            page = await browser.new_page(viewport={"width": WIDTH, "height": 700})
            page.set_default_timeout(120_000)
            await page.goto(f"{town.url}/console{await town.link('Gwen')}")
            await page.click("form button")
            await page.wait_for_load_state("load")
            for language in languages():
                await in_language(page, language)
                for name, address in PAGES.items():
                    await page.goto(f"{town.url}/console{address}")
                    await page.wait_for_timeout(500)
                    keep(await page.screenshot(full_page=True), name, language)
            await browser.close()
        await database.close()
    keep((ROOT / "examples" / "pictures" / "phones.png").read_bytes(), "phones", "en-GB")
    for language in {*languages()} - {"en-GB"}:
        keep(await phones(language), "phones", language)


async def phones(language: str) -> bytes:
    """Play the demo, and photograph the phones of a member and of staff who both chose the language."""
    words = [sys.executable, "-m", "bot.cli", "demo", "--port", str(PORT)]
    demo = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE, cwd=tempfile.gettempdir())
    assert demo.stdout is not None
    try:
        async for line in demo.stdout:
            if b"Ctrl-C" in line:
                break
        async with async_playwright() as driver:
            browser = await driver.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            page = await browser.new_page(viewport={"width": 1440, "height": 900}, locale=language)
            await page.goto(f"http://127.0.0.1:{PORT}")
            people = [page.locator(f'.person[data-label^="{name}"]') for name in PHONES_OF]
            ids = [await person.get_attribute("data-id") for person in people]
            await page.goto(f"http://127.0.0.1:{PORT}/#{'+'.join(str(number) for number in ids)}")
            await page.reload()
            for place, asked in enumerate(("/status", "/staff")):
                await in_chat(page.locator("section.phone").nth(place), asked, language)
            await page.wait_for_timeout(1_000)
            picture = await page.screenshot()
            await browser.close()
            return picture
    finally:
        demo.terminate()
        await demo.wait()


async def in_chat(phone: Locator, asked: str, language: str) -> None:
    """Choose the language on a phone, then ask for something."""
    answers, field = phone.get_by_role("article"), phone.locator("textarea").first
    choice = phone.get_by_role("button", name=text("words", "language.name", language))
    await field.fill("/language")
    await field.press("Enter")
    await choice.click()
    await expect(choice).to_have_count(0)  # the answer has taken the question's place
    known = await answers.count()
    await field.fill(asked)
    await field.press("Enter")
    await expect(answers.nth(known + 1)).to_be_visible()


async def in_language(page: Page, language: str) -> None:
    """Choose the language in the page's head, unless it is spoken already."""
    switch = page.locator(f'button[name="language"][value="{language}"]')
    if await switch.count():
        await switch.click()
        await page.wait_for_load_state("load")


if __name__ == "__main__":
    asyncio.run(main())
