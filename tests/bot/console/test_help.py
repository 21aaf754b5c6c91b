"""The handbook in the console: found from each page, all of it there, its links and pictures with it."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from console_house import ConsoleHouse, console_house

from bot.console import handbook
from bot.console.pages import environment
from bot.console.routes import table
from bot.console.snapshot import Snapshots
from bot.console.visit import Console
from messages.words.texts import languages
from voting.store.database import Database


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> AsyncIterator[ConsoleHouse]:
    async with console_house(database, tmp_path) as house:
        yield house


def anchors(name: str, language: str = "en-GB") -> set[str]:
    return set(re.findall(r'id="([^"]+)"', handbook.rendered(name, language)[1]))


@pytest.mark.parametrize("language", languages())
def test_every_page_of_the_handbook_is_a_page_of_the_console(language: str) -> None:
    there = {path.stem for path in handbook.folder(language).glob("handbook/*.md")}

    assert there == {name for name, path in handbook.PAGES.items() if path.startswith("handbook/")}
    assert [name for name in handbook.PAGES if not handbook.file(name, language).is_file()] == []


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("name", handbook.PAGES)
def test_links_and_pictures_of_a_page_lead_to_what_is_there(name: str, language: str) -> None:
    heading, text = handbook.rendered(name, language)

    assert heading
    assert "<h1" not in text  # the console's page has it
    for target in re.findall(r'<a href="([^"]*)"', text):
        if target.startswith("http"):
            continue
        page, _, anchor = target.removeprefix(f"{handbook.ADDRESS}/").partition("#")
        assert (page or name) in handbook.PAGES, target
        assert not anchor or anchor in anchors(page or name, language), target
    assert not re.search(r'href="[^"]*">[\w-]+\.md</a>', text)  # a page is called by its heading
    for source in re.findall(r'<img src="([^"]*)"', text):
        tag, _, picture = source.removeprefix(f"{handbook.PICTURES}/").partition("/")
        assert tag == language
        assert handbook.picture(picture, tag), source


def test_a_page_lets_no_markup_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "page.md").write_text("# Page\n\n<script>alert(1)</script> [x](javascript:alert)\n")
    monkeypatch.setattr(handbook, "DOCS", tmp_path)
    monkeypatch.setattr(handbook, "PAGES", {"page": "page.md"})
    handbook.rendered.cache_clear()

    _, text = handbook.rendered("page")
    handbook.rendered.cache_clear()

    assert "<script" not in text
    assert "href" not in text


@pytest.mark.parametrize("name", ["../README.md", "none.webp", "", "phones.png"])
def test_nothing_but_pictures_is_given_as_a_picture(name: str) -> None:
    assert [handbook.picture(name, language) for language in (*languages(), "..", "fr")] == [None] * 4


async def test_each_page_of_the_console_has_its_part_of_the_handbook(house: ConsoleHouse) -> None:
    screens, _ = table(Console(house.house, house, environment(), Snapshots(house.house)))
    for screen in screens:
        place = screen.path.strip("/").partition("/")[0]
        page, _, anchor = (
            handbook.part_for(f"/console{screen.path}").removeprefix(f"{handbook.ADDRESS}/").partition("#")
        )
        assert anchor in anchors(page), screen.path
        assert place in handbook.PARTS or place in {"help", "live", "turnout.svg"}, screen.path
    async with house.visitor("Gwen") as gwen:
        assert 'href="/console/help/comms#notices"' in (await gwen.looks("/notices")).text
        assert 'href="/console/help/README#the-overview"' in (await gwen.looks("/")).text


async def test_the_handbook_is_read_in_the_console_by_staff_alone(house: ConsoleHouse) -> None:
    async with house.visitor("Sam") as sam, house.visitor() as nobody:
        index, page = await sam.looks("/help"), await sam.looks("/help/support")
        picture = await sam.looks("/help/pictures/en-GB/case.webp")
        assert [(await sam.looks(f"/help/{missing}")).status_code for missing in ("x", "pictures/cy/x")] == [404, 404]
        refused = await nobody.looks("/help/support")

    assert "members-helper" in index.text
    assert '<h2 id="cases">Cases</h2>' in page.text
    assert (picture.headers["content-type"], picture.content[8:12]) == ("image/webp", b"WEBP")
    assert refused.status_code == 401


async def test_a_page_is_shown_in_the_reader_s_language_and_keeps_its_addresses(house: ConsoleHouse) -> None:
    async with house.visitor("Sam") as sam:
        await sam.does("/language", language="cy", again="/console/")
        page, alone = (await sam.looks("/help/support")).text, (await sam.looks("/help/ballots")).text
        pictures = re.findall(r'<img src="/console(/help/pictures/[^"]+)"', page)
        answers = [await sam.looks(picture) for picture in pictures]

    assert '<h2 id="cases">Achosion</h2>' in page
    assert '<article class="card handbook">' in page
    assert len(pictures) == 3
    assert all(picture.startswith("/help/pictures/cy/") for picture in pictures)
    assert {answer.status_code for answer in answers} == {200}
    assert '<article class="card handbook" lang="en-GB">' in alone  # and a Welsh sentence says so
    assert "Yn Saesneg yn unig" in alone


def test_on_a_narrow_screen_each_cell_can_say_what_stands_over_it_and_boxes_can_be_seen() -> None:
    _, table = handbook.rendered("retention", "cy")
    _, sheet = handbook.rendered("incident", "cy")

    assert '<table class="cards">' in table
    assert '<td data-label="am bobl">enwau staff</td>' in table
    assert sheet.count("<li>☐ ") == 5
    assert "[ ]" not in sheet
