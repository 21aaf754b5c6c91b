"""The voting page as a Mini App: what Telegram writes into the fragment, who may frame it, how it closes."""

import json
from urllib.parse import quote, urlencode

import pytest
from page_server import PageServer
from page_visitor import Visitor
from playwright.async_api import Browser, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

INIT_DATA = urlencode(
    {
        "query_id": "AAH",
        "user": json.dumps({"id": 7, "language_code": "cy"}),
        "auth_date": "1661000000",
        "hash": "c0ffee",
    }
)
FRAME = """<!doctype html><title>Telegram</title><iframe src="/vote#{fragment}" width="390" height="800"></iframe>
<script>window.events = []; addEventListener('message', (event) => events.push(event.data));</script>"""


def fragment(background: str = "#17212b") -> str:
    theme = json.dumps({"bg_color": background})
    return f"tgWebAppData={quote(INIT_DATA, safe='')}&tgWebAppVersion=8.0&tgWebAppThemeParams={quote(theme, safe='')}"


async def framed(visitor: Visitor) -> Page:
    """Open a page of another kind that frames ours, as Telegram's web client does."""
    page = await visitor.context.new_page()
    body = FRAME.replace("{fragment}", fragment())
    await page.route("**/telegram", lambda route: route.fulfill(body=body, content_type="text/html"))
    await page.goto(f"{visitor.server.url}/telegram")
    return page


@pytest.mark.parametrize(("background", "scheme"), [("#17212b", "dark"), ("#ffffff", "light")])
async def test_language_and_light_are_taken_over_and_the_fragment_goes_at_once(
    browser: Browser, server: PageServer, background: str, scheme: str
) -> None:
    visitor = await Visitor.opens(browser, server, f"#{fragment(background)}", color_scheme="light")
    await visitor.reads("Darllenwch y rheol")
    colours = await visitor.page.evaluate("getComputedStyle(document.documentElement).colorScheme")

    assert colours == scheme
    assert await visitor.page.evaluate("location.href") == f"{server.url}/vote"
    assert await visitor.page.evaluate("history.length") == 2
    assert await visitor.faults() == []


async def test_what_telegram_signed_goes_with_every_post_even_after_a_reload(
    browser: Browser, server: PageServer
) -> None:
    letter = server.letter()
    visitor = await Visitor.opens(browser, server, f"#{fragment()}")
    await visitor.reloads()
    await visitor.presses("Rwy'n deall")
    await visitor.gives_codes(letter)
    await visitor.chooses("North")
    await visitor.presses("Bwrw fy mhleidlais")
    await visitor.reads("Mae eich pleidlais wedi'i chloi")

    assert [json.loads(body)["init_data"] for _, body in server.heard] == [INIT_DATA] * 3
    assert [json.loads(body)["language"] for _, body in server.heard] == ["cy"] * 3


async def test_outside_telegram_no_such_data_is_sent(browser: Browser, server: PageServer) -> None:
    visitor = await Visitor.opens(browser, server)
    await visitor.votes(server.letter())

    assert [json.loads(body).get("init_data") for _, body in server.heard] == [None] * 3
    await expect(visitor.button("Close")).to_have_count(0)


async def test_in_its_frame_the_page_votes_and_closes_by_the_documented_event(
    browser: Browser, server: PageServer
) -> None:
    server.api_url = server.url
    letter = server.letter()
    visitor = await Visitor.opens(browser, server)
    outer = await framed(visitor)
    inside = Visitor(server, outer, [])
    frame = outer.frame_locator("iframe")
    await frame.get_by_role("button", name="Rwy'n deall").click()
    await frame.locator("#code").fill(letter.pack_code)
    await frame.locator("#code").press("Enter")
    await frame.get_by_role("button", name="Ie, yr un gair").click()
    await frame.locator("#code").fill(letter.vote_code)
    await frame.locator("#code").press("Enter")
    await frame.get_by_label("North").check()
    await frame.locator("button[type=submit]").click()
    await frame.get_by_role("button", name="Bwrw fy mhleidlais").click()
    await frame.get_by_role("button", name="Cau").click()
    await inside.page.wait_for_function("events.length >= 3")
    events = await outer.evaluate("events.map((event) => JSON.parse(event).eventType)")

    assert events == ["web_app_ready", "web_app_expand", "web_app_close"]
    assert len(server.ballots) == 1


async def test_nobody_else_may_frame_it(browser: Browser, server: PageServer) -> None:
    server.api_url = "https://api.telegram.org"
    visitor = await Visitor.opens(browser, server)
    outer = await framed(visitor)

    await expect(outer.frame_locator("iframe").locator("#page")).to_have_count(0)
    assert not [frame.url for frame in outer.frames if frame.url.startswith(f"{server.url}/vote")]
