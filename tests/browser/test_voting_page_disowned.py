"""Where a vote is found locked, the page offers "This was not me": in Chromium, in both languages."""

import json
from collections.abc import Awaitable, Callable

import pytest
from page_server import Letter, PageServer
from page_visitor import Visitor
from playwright.async_api import Browser, expect
from windows import NARROW, WIDE

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PRESS = "This was not me"


async def after_the_pack_code(visitor: Visitor, letter: Letter) -> None:
    await visitor.begins()
    await visitor.gives_pack(letter)
    await visitor.reads("A vote is already locked")


async def after_both_codes(visitor: Visitor, letter: Letter) -> None:
    await after_the_pack_code(visitor, letter)
    await visitor.page.get_by_text("I want to go on all the same").click()
    await visitor.presses("Give the vote code all the same")
    await visitor.presses("Yes, the same word")
    await visitor.field.fill(letter.vote_code)
    await visitor.page.keyboard.press("Enter")
    await visitor.sees("this try was noted")


async def after_a_check(visitor: Visitor, letter: Letter) -> None:
    await visitor.presses("English")
    await visitor.presses("Just check my codes")
    await visitor.gives_codes(letter)
    await visitor.reads("Your codes are good")


@pytest.mark.parametrize("way", ["online", "post"])
@pytest.mark.parametrize("steps", [after_the_pack_code, after_both_codes, after_a_check])
async def test_who_finds_a_vote_that_is_not_theirs_tells_the_staff_with_one_press(
    browser: Browser, server: PageServer, steps: Callable[[Visitor, Letter], Awaitable[None]], way: str
) -> None:
    letter = server.letter()
    server.cast_elsewhere(letter, way=way, warns=steps is not after_a_check)
    visitor = await Visitor.opens(browser, server)
    await steps(visitor, letter)
    assert await visitor.faults() == []
    await visitor.presses(PRESS)
    await visitor.reads("Thank you for telling us")
    await visitor.sees("The staff have been told that this vote was not yours.")

    assert await visitor.page.evaluate("document.activeElement.textContent") == "Thank you for telling us"
    assert server.disowned == [letter]
    assert await visitor.faults() == []
    assert letter.vote_code not in json.dumps([body.decode() for _, body in server.heard])


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_in_welsh_too(browser: Browser, server: PageServer, size: dict[str, int]) -> None:
    letter = server.letter()
    server.cast_elsewhere(letter, warns=True)
    visitor = await Visitor.opens(browser, server, viewport=size, locale="cy")
    await visitor.begins("Cymraeg", "Rwy'n deall")
    await visitor.gives_pack(letter)
    await visitor.presses("Nid fi oedd hyn")
    await visitor.reads("Diolch am ddweud wrthym")

    assert await visitor.faults() == []
    assert server.disowned == [letter]


async def test_a_ballot_that_comes_after_somebody_else_s_vote_leads_there_also_after_a_reload(
    browser: Browser, server: PageServer
) -> None:
    """The refusal comes when the page holds no code any more: the note of the paper is enough."""
    letter = server.letter()
    visitor = await Visitor.opens(browser, server)
    await visitor.comes_to_review(letter)
    server.away["ballot"] = 1
    await visitor.presses("Cast my vote")
    await visitor.sees("No answer yet.")
    server.refuse("ballot", 409, "already_voted", "It was locked online.")
    await visitor.page.reload()
    await visitor.reads("A vote is already locked")
    await visitor.sees("It was locked online.")
    await visitor.presses(PRESS)
    await visitor.reads("Thank you for telling us")

    assert server.disowned == [letter]


async def test_a_receipt_that_this_tab_did_not_make_can_be_disowned_and_one_of_its_own_cannot(
    browser: Browser, server: PageServer
) -> None:
    letter = server.letter()
    one = await Visitor.opens(browser, server)
    await one.comes_to_review(letter, "North")
    other = await one.another_tab()
    await other.gives_codes(letter)
    await other.chooses("South")
    await one.presses("Cast my vote")
    await one.receipt()
    await expect(one.button(PRESS)).to_have_count(0)
    await other.presses("Cast my vote")
    receipt = await other.receipt()
    await other.presses(PRESS)
    await other.reads("Thank you for telling us")
    await other.page.go_back()

    assert await other.receipt() == receipt
    assert server.disowned == [letter]


async def test_a_press_whose_answer_is_lost_is_sent_again_and_offline_it_is_said_at_once(
    browser: Browser, server: PageServer
) -> None:
    letter = server.letter()
    server.cast_elsewhere(letter, warns=True)
    server.lost["not_mine"] = 1
    visitor = await Visitor.opens(browser, server)
    await after_the_pack_code(visitor, letter)
    await visitor.context.set_offline(True)
    await visitor.presses(PRESS)
    await expect(visitor.wrong).to_contain_text("This device is not online, so nothing was sent.")
    await visitor.context.set_offline(False)
    await visitor.presses(PRESS)
    await visitor.reads("Thank you for telling us")

    sent = [body for act, body in server.heard if act == "not_mine"]
    assert len(sent) == 2
    assert sent[0] == sent[1]


async def test_a_note_that_is_too_old_asks_for_the_code_again(browser: Browser, server: PageServer) -> None:
    letter = server.letter()
    server.cast_elsewhere(letter, warns=True)
    visitor = await Visitor.opens(browser, server)
    await after_the_pack_code(visitor, letter)
    server.refuse("not_mine", 409, "unknown_intent", "Please type your codes once more.")
    await visitor.presses(PRESS)

    await visitor.reads("Your pack code")
    await visitor.sees("Please type your codes once more.")
    assert server.disowned == []
