"""Make the handbook's pictures from the real pages: `python -m tests.pictures`; the phones are those of README.

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
from playwright.async_api import Page, async_playwright

sys.path.insert(0, str(Path(__file__).parent / "parts"))

from console_house import filled_house

from bot.console import handbook
from messages.words.texts import languages
from voting.audit.signer import Signer
from voting.store.database import Database
from voting.store.upgrade import upgrade

ROOT: Final = Path(__file__).parent.parent
WIDTH: Final = 1_000
HEIGHT_MAX: Final = 1_100
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
    for language in languages():
        keep((ROOT / "examples" / "pictures" / "phones.png").read_bytes(), "phones", language)


async def in_language(page: Page, language: str) -> None:
    """Choose the language in the page's head, unless it is spoken already."""
    switch = page.locator(f'button[name="language"][value="{language}"]')
    if await switch.count():
        await switch.click()
        await page.wait_for_load_state("load")


if __name__ == "__main__":
    asyncio.run(main())
