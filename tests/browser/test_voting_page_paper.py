"""A paper with several questions in a real Chromium: every kind of question, both languages, each member's order."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from opened import all_choices_of
from page_server import PageServer, page_server, serving
from page_visitor import READY, Visitor, opened
from playwright.async_api import Browser, expect
from prepared import asked
from sealed import TRUSTEE
from town import Letter, Resident, Town
from windows import NARROW, WIDE

from voting.ballots.ballot import read_ballot
from voting.model import Order, Question
from voting.store.database import Database

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.filterwarnings("ignore:.*PTB_TIMEDELTA:telegram.warnings.PTBDeprecationWarning"),
]


def said(english: str, welsh: str) -> dict[str, str]:
    return {"en-GB": english, "cy": welsh}


LEADER: Final = Question(said("Who leads?", "Pwy sy'n arwain?"), (said("North", "Gogledd"), said("South", "De")))
COMMITTEE: Final = Question(
    said("Who shall sit on the committee?", "Pwy ddylai eistedd ar y pwyllgor?"),
    tuple(said(name, f"{name} (cy)") for name in ("Ada", "Ben", "Carys", "Dev")),
    least=0,
    most=2,
    seats=2,
)
RULES: Final = Question(
    said("Shall the new rules stand?", "A ddylai'r rheolau newydd sefyll?"),
    (said("Yes", "Ie"), said("No", "Na")),
    blank=True,
)
LETTERS: Final = "ABCDE"
ROTATED: Final = asked("Which letter?", *LETTERS, order=Order.ROTATED)


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


@pytest_asyncio.fixture(loop_scope="session")
async def server() -> AsyncIterator[PageServer]:
    async with serving(page_server(questions=(LEADER, COMMITTEE, RULES))) as running:
        yield running


async def options(visitor: Visitor) -> list[str]:
    """What can be chosen, from the top down."""
    await expect(visitor.page.locator(".option").first).to_be_visible()
    return await visitor.page.locator(".option").all_inner_texts()


async def comes_to_paper(visitor: Visitor, letter: Any, language: str = "English") -> None:
    understood = {"English": "I understand", "Cymraeg": "Rwy'n deall"}[language]
    await visitor.begins(language, understood)
    await visitor.gives_codes(letter)


async def votes(visitor: Visitor, server: PageServer, option: str) -> list[list[int]]:
    """From the paper to the receipt; what the ballot holds."""
    await visitor.chooses(option)
    await visitor.presses("Cast my vote")
    await visitor.receipt()
    return opened(read_ballot(server.ballots[-1]), TRUSTEE)


# -- every kind of question -----------------------------------------------------------------

ENGLISH: Final = {
    "answers": ("South", "Ada", "Ben", "Dev", "Blank vote: none of these"),
    "which": "Question 2 of 3",
    "counts": ("0 of at most 2 chosen.", "3 of at most 2 chosen.", "2 of at most 2 chosen."),
    "too many": "Who shall sit on the committee? That is too many: choose up to 2.",
    "change": "Change question 2",
    "cast": "Cast my vote",
    "locked": "Your vote is locked",
}
WELSH: Final = {
    "answers": ("De", "Ada (cy)", "Ben (cy)", "Dev (cy)", "Pleidlais wag: dim un o'r rhain"),
    "which": "Cwestiwn 2 o 3",
    "counts": ("Dewiswyd 0 o hyd at 2.", "Dewiswyd 3 o hyd at 2.", "Dewiswyd 2 o hyd at 2."),
    "too many": "Pwy ddylai eistedd ar y pwyllgor? Mae hynny'n ormod: dewiswch hyd at 2.",
    "change": "Newid cwestiwn 2",
    "cast": "Bwrw fy mhleidlais",
    "locked": "Mae eich pleidlais wedi'i chloi",
}


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize(("language", "says"), [("English", ENGLISH), ("Cymraeg", WELSH)], ids=["English", "Welsh"])
async def test_one_answer_several_and_a_blank_vote_back_and_forth(
    browser: Browser, server: PageServer, language: str, says: dict[str, Any], size: dict[str, int]
) -> None:
    visitor = await Visitor.opens(browser, server, viewport=size)
    await comes_to_paper(visitor, server.letter(), language)
    leader, ada, ben, dev, blank = (visitor.page.get_by_label(name, exact=True) for name in says["answers"])
    submit, count = visitor.page.locator("#page button[type=submit]"), visitor.page.locator(".count")
    await expect(visitor.page.locator("legend").nth(1)).to_contain_text(says["which"])
    await expect(count).to_have_text([says["counts"][0]])
    await leader.check()
    for option in (ada, ben, dev):
        await option.check()
    await blank.check()
    await expect(count).to_have_text([says["counts"][1]])
    assert await visitor.faults() == []
    await submit.click()
    await expect(visitor.wrong).to_have_text(says["too many"])
    await ben.uncheck()
    await expect(count).to_have_text([says["counts"][2]])
    await expect(visitor.wrong).to_be_empty()
    await submit.click()
    await expect(visitor.page.locator("p.mark")).to_have_text(READY)
    assert await visitor.page.locator(".answers dd:not(.change)").all_inner_texts() == [
        says["answers"][place] for place in (0, 1, 3, 4)
    ]
    assert await visitor.faults() == []

    await visitor.presses(says["change"])
    assert says["which"] in await visitor.page.evaluate("document.activeElement.textContent")
    await expect(leader).to_be_checked()
    await expect(blank).to_be_checked()
    await ada.uncheck()
    await submit.click()
    await expect(visitor.page.locator("p.mark")).to_have_text(READY)
    await visitor.page.go_back()
    await ben.check()
    await visitor.page.go_forward()
    await expect(visitor.page.locator("p.mark")).to_have_text(READY)
    assert await visitor.page.locator(".answers dd:not(.change)").all_inner_texts() == [
        says["answers"][place] for place in (0, 2, 3, 4)
    ]
    await visitor.presses(says["cast"])
    await visitor.reads(says["locked"])

    assert opened(read_ballot(server.ballots[-1]), TRUSTEE) == [[0, 1], [0, 1, 0, 1], [1, 0, 0]]
    assert visitor.complaints == []


async def test_a_question_that_allows_none_may_be_left_alone(browser: Browser, server: PageServer) -> None:
    visitor = await Visitor.opens(browser, server)
    await comes_to_paper(visitor, server.letter())
    await visitor.page.get_by_label("North", exact=True).check()

    assert await votes(visitor, server, "No") == [[1, 0], [0, 0, 0, 0], [0, 0, 1]]


async def test_another_language_in_the_middle_keeps_what_was_marked(browser: Browser, server: PageServer) -> None:
    visitor = await Visitor.opens(browser, server)
    await comes_to_paper(visitor, server.letter())
    for name in ("South", "Carys", "Yes"):
        await visitor.page.get_by_label(name, exact=True).check()
    await visitor.page.locator("#languages").get_by_role("button", name="Cymraeg").click()

    for name in ("De", "Carys (cy)", "Ie"):
        await expect(visitor.page.get_by_label(name, exact=True)).to_be_checked()
    await expect(visitor.page.locator(".count")).to_have_text("Dewiswyd 1 o hyd at 2.")


async def test_a_reload_in_the_middle_asks_for_the_codes_again_and_kept_no_mark(
    browser: Browser, server: PageServer
) -> None:
    visitor = await Visitor.opens(browser, server)
    letter = server.letter()
    await comes_to_paper(visitor, letter)
    await visitor.page.get_by_label("South", exact=True).check()
    await visitor.reloads()
    await visitor.gives_codes(letter)

    await expect(visitor.page.locator(".option").first).to_be_visible()
    assert await visitor.page.locator(":checked").count() == 0


async def test_where_there_is_room_the_whole_paper_is_seen_at_once(browser: Browser, server: PageServer) -> None:
    visitor = await Visitor.opens(browser, server, viewport=WIDE)
    await comes_to_paper(visitor, server.letter())
    await expect(visitor.page.locator(".option")).to_have_count(9)

    boxes = [await part.bounding_box() for part in await visitor.page.locator(".option, button[type=submit]").all()]
    assert all(box is not None and box["y"] + box["height"] <= WIDE["height"] for box in boxes)


# -- the member's order ---------------------------------------------------------------------


async def test_the_page_shows_the_chat_s_order_and_seals_in_the_poll_s(
    browser: Browser, database: Database, tmp_path: Path
) -> None:
    """Five members: the same order in the chat, on the page, and once more after a reload; the count has the option."""
    names = [f"member {number}" for number in range(5)]
    fixed = asked("Where shall the boathouse stand?", "North Quay", "South Quay")
    questions = (ROTATED, fixed)
    residents = [Resident(name, None) for name in names]
    async with Town(database, tmp_path, residents=residents, questions=questions) as town:
        firsts = []
        for name in names:
            chat = town.member(name)
            await chat.opens_paper()
            visitor = await Visitor.opens(browser, town)
            await visitor.begins()
            await gives_codes(visitor, chat.pack)
            seen = await options(visitor)
            assert seen == [*chat.person.buttons[:5], "North Quay", "South Quay"]
            await visitor.reloads()
            await gives_codes(visitor, chat.pack)
            assert await options(visitor) == seen
            await visitor.page.get_by_label("D", exact=True).check()
            await visitor.chooses("South Quay")
            await visitor.presses("Cast my vote")
            await visitor.receipt()
            firsts.append(seen[0])
            await visitor.context.close()

        assert len(set(firsts)) > 1
        assert await all_choices_of(town.database, town.poll, town.dealt) == [((0, 0, 0, 1, 0), (0, 1))] * 5


async def gives_codes(visitor: Visitor, letter: Letter) -> None:
    await visitor.field.fill(letter.pack_code)
    await visitor.page.keyboard.press("Enter")
    await expect(visitor.page.locator("p.word")).to_have_text(letter.word)
    await visitor.page.locator("#page .acts button").first.click()
    await visitor.field.fill(letter.vote_code)
    await visitor.page.keyboard.press("Enter")


@pytest.mark.parametrize(
    ("shifts", "first"),
    [
        ([2], "C"),
        ([7], "C"),
        ([0], "A"),
        ([4, 4, 4], "E"),
        (None, "A"),
        ([], "A"),
        ([-1], "A"),
        ([1.5], "A"),
        (["3"], "A"),
        ([1e300], "A"),
        ({"0": 3}, "D"),
        ("33", "A"),
    ],
    ids=str,
)
async def test_whatever_order_the_service_says_the_option_that_was_pressed_is_sealed(
    browser: Browser, shifts: Any, first: str
) -> None:
    async with serving(page_server(questions=(ROTATED,))) as server:
        server.shifts = shifts
        visitor = await Visitor.opens(browser, server)
        await comes_to_paper(visitor, server.letter())

        seen = await options(visitor)
        assert (seen[0], sorted(seen)) == (first, list(LETTERS))
        assert await votes(visitor, server, "B") == [[0, 1, 0, 0, 0]]
        assert visitor.complaints == []


async def test_where_the_order_is_fixed_the_service_cannot_turn_it(browser: Browser) -> None:
    async with serving(page_server(questions=(asked("Which letter?", *LETTERS),))) as server:
        server.shifts = [3]
        visitor = await Visitor.opens(browser, server)
        await comes_to_paper(visitor, server.letter())

        assert await options(visitor) == list(LETTERS)


async def test_a_blank_vote_stays_last_where_options_rotate(browser: Browser) -> None:
    question = asked("Which letter?", *LETTERS, order=Order.ROTATED, blank=True)
    async with serving(page_server(questions=(question,))) as server:
        server.shifts = [3]
        visitor = await Visitor.opens(browser, server)
        await comes_to_paper(visitor, server.letter())

        assert await options(visitor) == [*"DEABC", "Blank vote: none of these"]
        assert await votes(visitor, server, "A") == [[0, 1, 0, 0, 0, 0]]


async def test_the_largest_paper_is_sealed_and_taken_by_the_service(
    browser: Browser, database: Database, tmp_path: Path
) -> None:
    """16 questions, 64 options, each with a blank vote and the longest proofs: more than 64 KiB of ballot."""
    largest = tuple(
        asked(f"Question {number}?", "A", "B", "C", "D", least=0, most=4, blank=True) for number in range(16)
    )
    async with Town(database, tmp_path, residents=[Resident("ada", None)], questions=largest) as town:
        visitor = await Visitor.opens(browser, town)
        await visitor.begins()
        await gives_codes(visitor, town.member("ada").pack)
        await expect(visitor.page.locator(".option")).to_have_count(80)
        await visitor.page.get_by_label("D", exact=True).first.check()
        await visitor.page.get_by_label("Blank vote: none of these").last.check()
        async with visitor.page.expect_request("**/vote/ballot") as sent:
            await visitor.page.locator("#page button[type=submit]").click()
            await visitor.presses("Cast my vote")
        await visitor.receipt()

        assert len((await sent.value).post_data or "") > 65_536
        held = await all_choices_of(town.database, town.poll, town.dealt)
        assert held == [((0, 0, 0, 0, 1), *[(0,) * 5] * 14, (1, 0, 0, 0, 0))]
        assert visitor.complaints == []
