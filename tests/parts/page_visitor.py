"""Somebody with a letter at the voting page, in a real browser: what they press and type, and what they read."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from page_server import Letter
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect
from windows import SCHEMES, new_window

from voting.ballots.ballot import Ballot
from voting.ballots.group import base_times, minus, times
from voting.codes.codes import Kind, printed

AXE: Final = (Path(__file__).parents[1] / "browser" / "axe.min.js").read_text(encoding="utf-8")
RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
READY: Final = re.compile(r"^[2-9A-Z]{4}(-[2-9A-Z]{4}){3}$")


class Served(Protocol):
    """Whatever serves the page: the small server, or a town with the whole service."""

    @property
    def url(self) -> str:
        """Its address."""


@dataclass
class Visitor:
    """One tab. `complaints`: what the page wrote to the console, and whom it asked but the service."""

    server: Served
    page: Page
    complaints: list[str]

    @classmethod
    async def opens(cls, browser: Browser, server: Served, address: str = "", **named: Any) -> "Visitor":
        """Open the page in a browser of its own."""
        page, complaints = await new_window(browser, server.url, **{"locale": "en-GB", **named})
        visitor = cls(server, page, complaints)
        await visitor.goes(address)
        return visitor

    async def another_tab(self) -> "Visitor":
        """Open the page once more in the same browser."""
        page = await self.context.new_page()
        visitor = Visitor(self.server, page, self.complaints)
        await visitor.goes()
        return visitor

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    async def goes(self, address: str = "") -> None:
        await self.page.goto(f"{self.server.url}/vote{address}")
        await expect(self.page.locator("#page section[aria-labelledby], #broken:visible").first).to_be_visible()

    async def reloads(self) -> None:
        await self.page.reload()
        await expect(self.page.locator("#page section[aria-labelledby]")).to_be_visible()

    # -- what is on the screen -----------------------------------------------------------------

    def button(self, name: str) -> Locator:
        return self.page.locator("#page").get_by_role("button", name=name, exact=True)

    @property
    def wrong(self) -> Locator:
        return self.page.get_by_role("alert")

    @property
    def field(self) -> Locator:
        return self.page.locator("#code")

    async def reads(self, heading: str) -> None:
        await expect(self.page.get_by_role("heading", level=1)).to_have_text(heading)

    async def sees(self, words: str | re.Pattern[str]) -> None:
        await expect(self.page.locator("main")).to_contain_text(words)

    async def presses(self, name: str) -> None:
        await self.button(name).click()

    # -- the way -------------------------------------------------------------------------------

    async def begins(self, language: str = "English", understood: str = "I understand") -> None:
        """As far as the pack code."""
        await self.presses(language)
        await self.presses(understood)

    async def gives_pack(self, letter: Letter) -> None:
        """As far as the word."""
        await self.field.fill(printed(Kind.PACK, letter.pack_code))
        await self.page.keyboard.press("Enter")

    async def gives_codes(self, letter: Letter) -> None:
        """As far as the question, from the pack code."""
        await self.gives_pack(letter)
        await expect(self.page.locator("p.word")).to_have_text("heron")
        await self.page.locator("#page .acts button").first.click()
        await self.field.fill(printed(Kind.VOTE, letter.vote_code))
        await self.page.keyboard.press("Enter")

    async def chooses(self, option: str) -> None:
        """As far as the review, with the ballot sealed."""
        await self.page.get_by_label(option, exact=True).check()
        await self.page.locator("#page button[type=submit]").click()
        await expect(self.page.locator("p.mark")).to_have_text(READY)

    async def comes_to_review(self, letter: Letter, option: str = "North") -> None:
        await self.begins()
        await self.gives_codes(letter)
        await self.chooses(option)

    async def votes(self, letter: Letter, option: str = "North") -> str:
        """The whole way; gives the receipt."""
        await self.comes_to_review(letter, option)
        await self.presses("Cast my vote")
        return await self.receipt()

    async def receipt(self) -> str:
        await self.reads("Your vote is locked")
        return await self.page.locator("p.mark").inner_text()

    # -- what is behind the screen -------------------------------------------------------------

    async def faults(self) -> list[str]:
        """Ask axe; it is evaluated by the debugger, which the page's policy does not bind."""
        if not await self.page.evaluate("'axe' in window"):  # it stays until the page is loaded anew
            await self.page.evaluate(AXE)
        found = await self.page.evaluate(
            f"axe.run(document, {{runOnly: {json.dumps(RULES)}, resultTypes: ['violations']}})"
        )
        faults = [f"{fault['id']}: {node['html'][:160]}" for fault in found["violations"] for node in fault["nodes"]]
        width = await self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        return faults + ["wider than the screen"] * (width[0] > width[1])

    async def faults_in_light_and_dark(self) -> list[str]:
        """Ask axe in both: a page is the same in them but for its colours."""
        faults = []
        for scheme in SCHEMES:
            await self.page.emulate_media(color_scheme=scheme)
            faults += [f"{scheme}, {fault}" for fault in await self.faults()]
        return faults

    async def kept(self) -> str:
        """All that the browser keeps of the page: every storage, cookies, address and the whole history."""
        debugger = await self.context.new_cdp_session(self.page)
        history = await debugger.send("Page.getNavigationHistory")
        await debugger.detach()
        return json.dumps(
            [
                [entry["url"] for entry in history["entries"]],
                await self.page.evaluate("Promise.all([caches.keys(), indexedDB.databases(), name])"),
                await self.page.evaluate(
                    "[{...localStorage}, {...sessionStorage}, location.href, history.state, document.cookie]"
                ),
                await self.context.storage_state(),
            ]
        )


def opened(ballot: Ballot, trustee: int) -> list[list[int]]:
    """Decrypt a ballot's bits with the only trustee's secret, to see whether it held what was pressed."""
    meanings = {base_times(bit): bit for bit in (0, 1)}
    return [
        [meanings[minus(choice.beta, times(trustee, choice.alpha))] for choice in answer.choices]
        for answer in ballot.answers
    ]
