"""Mini Apps of the local Telegram: what is taken, what a phone opens, and that we believe what it signs."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    MenuButtonCommands,
    MenuButtonDefault,
    MenuButtonWebApp,
    WebAppInfo,
)
from telegram.error import BadRequest
from telegram.request import HTTPXRequest

from bot.page.init_data import read_init_data
from bot.page.refusals import InitDataWrong
from bot.sandbox import Person, Sandbox

PAGE = "https://ballot.example/vote"


@pytest.fixture
async def bot(sandbox: Sandbox) -> AsyncIterator[Bot]:
    request = HTTPXRequest(connection_pool_size=4)
    async with Bot(sandbox.telegram.token, base_url=f"{sandbox.telegram.api_url}/bot", request=request) as bot:
        yield bot


@pytest.fixture
async def ada(sandbox: Sandbox) -> Person:
    person = sandbox.telegram.person("Ada", language_code="cy")
    sandbox.show(person)
    await person.types("/start")
    return person


def opening(url: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton("Open", web_app=WebAppInfo(url))]])


async def asks_for(sandbox: Sandbox, person: Person, url: str, *, dark: bool = False) -> httpx.Response:
    async with httpx.AsyncClient(base_url=sandbox.url, trust_env=False) as http:
        return await http.post(f"/api/person/{person.id}/app", json={"url": url, "dark": dark})


async def test_a_button_s_page_is_told_who_opens_it_and_when_as_telegram_signs_it(
    sandbox: Sandbox, bot: Bot, ada: Person
) -> None:
    sent = await bot.send_message(ada.id, "Vote", reply_markup=opening(PAGE))
    answer = await asks_for(sandbox, ada, PAGE, dark=True)
    parts = urlsplit(answer.json()["url"])
    given = {name: values[0] for name, values in parse_qs(parts.fragment).items()}

    assert sent.reply_markup is not None
    assert sent.reply_markup.inline_keyboard[0][0].web_app == WebAppInfo(PAGE)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == PAGE
    assert read_init_data(given["tgWebAppData"], sandbox.telegram.token, datetime.now(UTC)) == ada.id
    assert '"language_code":"cy"' in parse_qs(given["tgWebAppData"])["user"][0]
    assert "#17212b" in given["tgWebAppThemeParams"]
    with pytest.raises(InitDataWrong):
        read_init_data(given["tgWebAppData"], "1:other", datetime.now(UTC))


async def test_pressing_it_tells_the_bot_nothing(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    await bot.send_message(ada.id, "Vote", reply_markup=opening(PAGE))
    before = len(sandbox.telegram.updates)

    assert await ada.presses("Open") is None
    assert len(sandbox.telegram.updates) == before


async def test_a_page_whose_button_is_not_there_is_not_opened(sandbox: Sandbox, ada: Person) -> None:
    assert (await asks_for(sandbox, ada, PAGE)).status_code == 404


@pytest.mark.parametrize("url", ["http://ballot.example/vote", "ballot.example", ""])
async def test_a_page_without_https_is_refused_as_telegram_refuses_it(bot: Bot, ada: Person, url: str) -> None:
    with pytest.raises(BadRequest, match="only https links are allowed"):
        await bot.send_message(ada.id, "Vote", reply_markup=opening(url))


async def test_the_menu_button_opens_it_too_until_it_is_taken_back(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    assert isinstance(await bot.get_chat_menu_button(), MenuButtonCommands)
    button = MenuButtonWebApp("Vote", WebAppInfo("http://127.0.0.1:8080/vote"))
    await bot.set_chat_menu_button(menu_button=button)

    assert await bot.get_chat_menu_button() == button
    assert (await asks_for(sandbox, ada, "http://127.0.0.1:8080/vote")).status_code == 200

    await bot.set_chat_menu_button(menu_button=MenuButtonDefault())
    assert isinstance(await bot.get_chat_menu_button(), MenuButtonCommands)
    assert (await asks_for(sandbox, ada, "http://127.0.0.1:8080/vote")).status_code == 404
