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
from playwright.async_api import async_playwright

sys.path.insert(0, str(Path(__file__).parent / "parts"))

from console_house import filled_house

from voting.audit.signer import Signer
from voting.store.database import Database
from voting.store.upgrade import upgrade

ROOT: Final = Path(__file__).parent.parent
PICTURES: Final = ROOT / "docs" / "handbook" / "pictures"
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


def keep(content: bytes, name: str) -> None:
    """Write a picture no larger than a page of the handbook shows it."""
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    picture.thumbnail((WIDTH, WIDTH * picture.height // picture.width))
    shown = picture.crop((0, 0, picture.width, min(picture.height, HEIGHT_MAX)))
    shown.save(PICTURES / f"{name}.webp", quality=65, method=6)


async def main() -> None:
    """Photograph every page of PAGES as an officer sees it, in a poll on which something of everything has happened."""
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
            for name, address in PAGES.items():
                await page.goto(f"{town.url}/console{address}")
                await page.wait_for_timeout(500)
                keep(await page.screenshot(full_page=True), name)
            await browser.close()
        await database.close()
    keep((ROOT / "examples" / "pictures" / "phones.png").read_bytes(), "phones")


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    asyncio.run(main())
