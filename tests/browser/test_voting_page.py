"""The voting page in a real Chromium: the whole way in both languages, codes as people give them, access for all."""

import asyncio
import json
import re
from pathlib import Path
from typing import Final

import pytest
from page_server import PageServer, page_server, serving
from page_visitor import READY, Visitor, opened
from playwright.async_api import Browser, expect
from sealed import ANY, BLANK_OR_SOME, ONE_OF_TWO, TRUSTEE
from windows import NARROW, WIDE

from voting.ballots.ballot import ballot_mark, read_ballot, seal_code
from voting.ballots.group import read_point
from voting.ballots.seal import seal
from voting.ballots.tested import read_tested
from voting.codes.codes import Kind, printed

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

TINY: Final = {"width": 320, "height": 256}  # 1280 x 1024 at 400 %


@pytest.mark.parametrize("size", [WIDE, NARROW, TINY], ids=["wide", "narrow", "at 400 per cent"])
@pytest.mark.parametrize(
    ("language", "labels"),
    [
        ("English", ["I understand", "Yes, the same word", "Cast my vote", "Your vote is locked"]),
        ("Cymraeg", ["Rwy'n deall", "Ie, yr un gair", "Bwrw fy mhleidlais", "Mae eich pleidlais wedi'i chloi"]),
    ],
    ids=["English", "Welsh"],
)
async def test_the_whole_way(
    browser: Browser, server: PageServer, language: str, labels: list[str], size: dict[str, int]
) -> None:
    """Every step is clean to axe in the light and in the dark, and fits its screen.

    The ballot is right and holds what was pressed.
    """
    letter = server.letter()
    visitor = await Visitor.opens(browser, server, viewport=size)
    await visitor.reads("Which language? / Pa iaith?")
    found = {"language": await visitor.faults_in_light_and_dark()}
    await visitor.presses(language)
    found["rule"] = await visitor.faults_in_light_and_dark()
    await visitor.presses(labels[0])
    await visitor.field.fill("0")
    await expect(visitor.wrong).not_to_be_empty()
    found["pack code"] = await visitor.faults_in_light_and_dark()
    await visitor.gives_pack(letter)
    await expect(visitor.page.locator("p.word")).to_have_text("heron")
    found["word"] = await visitor.faults_in_light_and_dark()
    await visitor.presses(labels[1])
    await visitor.field.fill(letter.vote_code)
    found["vote code"] = await visitor.faults_in_light_and_dark()
    await visitor.page.keyboard.press("Enter")
    await visitor.page.get_by_label("South").check()
    found["question"] = await visitor.faults_in_light_and_dark()
    await visitor.page.locator("#page button[type=submit]").click()
    await expect(visitor.page.locator("p.mark")).to_have_text(READY)
    await visitor.page.locator("summary").click()
    found["review"] = await visitor.faults_in_light_and_dark()
    await visitor.page.locator("details button").click()
    await expect(visitor.page.locator("a[download]")).to_be_visible()
    found["tested"] = await visitor.faults_in_light_and_dark()
    await visitor.page.locator("#page .acts button").first.click()
    await expect(visitor.page.locator("p.mark")).to_have_text(READY)
    await visitor.presses(labels[2])
    await visitor.reads(labels[3])
    found["locked"] = await visitor.faults_in_light_and_dark()

    ballot = read_ballot(server.ballots[-1])
    assert await visitor.page.locator("p.mark").inner_text() == ballot_mark(ballot)
    assert await visitor.page.locator("p.good").count() == 1
    assert await visitor.page.locator(".qr path").get_attribute("d")
    assert (
        await visitor.page.evaluate("document.documentElement.lang") == {"English": "en-GB", "Cymraeg": "cy"}[language]
    )
    assert opened(ballot, TRUSTEE) == [[0, 1]]
    assert {step: faults for step, faults in found.items() if faults} == {}
    assert visitor.complaints == []


async def test_each_step_takes_the_focus_to_its_heading_and_names_the_tab(browser: Browser, server: PageServer) -> None:
    visitor = await Visitor.opens(browser, server)
    await visitor.begins()

    assert await visitor.page.evaluate("document.activeElement.textContent") == "Your pack code"
    assert await visitor.page.title() == "Your pack code – The leader ballot"


async def test_the_whole_way_with_the_keyboard_alone(browser: Browser, server: PageServer) -> None:
    letter = server.letter()
    visitor = await Visitor.opens(browser, server)
    keys = visitor.page.keyboard

    async def tabs_to(name: str) -> None:
        for _ in range(12):
            await keys.press("Tab")
            if name in await visitor.page.evaluate("document.activeElement.textContent || document.activeElement.id"):
                return
        pytest.fail(f"{name} cannot be reached by the Tab key")

    for name in ("English", "I understand", "code"):
        await tabs_to(name)
        await keys.press("Enter")
    await keys.type(letter.pack_code.lower())
    await keys.press("Enter")
    await visitor.reads("Is this the word in your letter?")
    await tabs_to("Yes, the same word")
    await keys.press("Enter")
    await tabs_to("code")
    await keys.type(printed(Kind.VOTE, letter.vote_code))
    await keys.press("Enter")
    await visitor.reads("Your voting paper")
    for _ in range(6):
        await keys.press("Tab")
        if await visitor.page.evaluate("document.activeElement.type") == "radio":
            break
    await keys.press("ArrowDown")
    await tabs_to("Look at my vote")
    await keys.press("Enter")
    await expect(visitor.page.locator("p.mark")).to_have_text(READY)
    await tabs_to("Cast my vote")
    await keys.press("Enter")

    assert await visitor.receipt() == ballot_mark(read_ballot(server.ballots[0]))
    assert opened(read_ballot(server.ballots[0]), TRUSTEE) == [[0, 1]]


# -- codes as people give them --------------------------------------------------------------


async def test_a_slip_in_a_code_is_told_while_it_is_typed_and_nothing_is_sent(
    browser: Browser, server: PageServer
) -> None:
    letter = server.letter()
    visitor = await Visitor.opens(browser, server)
    await visitor.begins()
    last = letter.pack_code[-1]
    slips = {
        letter.pack_code[:-1] + ("3" if last == "2" else "2"): "There is a slip in that code",
        letter.pack_code[:3]
        + "O": "Codes never have these in them: O. Please look again: on paper it is perhaps one of D, Q",
        letter.pack_code[:3] + "Ŵ": "a character in that code which codes never have",
        letter.pack_code + "2": "too long: it should have 9 characters",
        letter.vote_code: "That is the vote code",
    }
    for typed, words in slips.items():
        await visitor.field.fill(typed)
        await expect(visitor.wrong).to_contain_text(words)
        await expect(visitor.field).to_have_attribute("aria-invalid", "true")
    await visitor.field.fill(letter.pack_code[:4])
    await expect(visitor.wrong).to_be_empty()
    await visitor.page.keyboard.press("Enter")
    await expect(visitor.wrong).to_contain_text("too short: it should have 9 characters")

    assert server.heard == []


@pytest.mark.parametrize(
    "write",
    [
        lambda pack, vote: f"Pack code: {pack}\nVote code: {vote}",
        lambda pack, vote: f"{vote} {pack}",
        lambda pack, vote: (pack + vote).replace("-", "").lower(),
        lambda pack, vote: f"Dyma fy nghodau: {pack.replace('-', ' ')}, {vote.replace('-', ' ')}",
    ],
    ids=["as printed", "the other way round", "run together", "with spaces"],
)
async def test_both_codes_pasted_at_once_are_taken_as_both(browser: Browser, server: PageServer, write: object) -> None:
    letter = server.letter()
    visitor = await Visitor.opens(browser, server)
    await visitor.begins()
    pasted = write(printed(Kind.PACK, letter.pack_code), printed(Kind.VOTE, letter.vote_code))  # type: ignore[operator]
    await visitor.field.fill(pasted)
    await visitor.page.keyboard.press("Enter")
    await visitor.presses("Yes, the same word")

    await expect(visitor.field).to_have_value(printed(Kind.VOTE, letter.vote_code))
    assert json.loads(server.heard[0][1])["pack_code"] == letter.pack_code
    assert letter.vote_code not in server.heard[0][1].decode()


async def test_the_letter_s_link_fills_in_the_pack_code_and_leaves_the_address_at_once(
    browser: Browser, server: PageServer
) -> None:
    letter = server.letter()
    visitor = await Visitor.opens(browser, server, f"#{printed(Kind.PACK, letter.pack_code)}")
    assert letter.pack_code not in (await visitor.kept()).replace("-", "")
    await visitor.begins()

    await expect(visitor.field).to_have_value(printed(Kind.PACK, letter.pack_code))


async def test_another_word_stops_the_way_before_the_vote_code(browser: Browser, server: PageServer) -> None:
    visitor = await Visitor.opens(browser, server)
    await visitor.begins()
    await visitor.gives_pack(server.letter())
    await visitor.presses("No, it is another")

    await visitor.sees("Do not type your vote code on this page")
    await expect(visitor.field).to_have_count(0)


async def test_just_checking_the_codes_is_the_same_way_without_a_question(browser: Browser, server: PageServer) -> None:
    letter = server.letter()
    visitor = await Visitor.opens(browser, server)
    await visitor.presses("English")
    await visitor.presses("Just check my codes")
    await visitor.sees("This is not voting")
    await visitor.gives_codes(letter)
    await visitor.reads("Your codes are good")

    asked = [json.loads(body) for _, body in server.heard]
    assert [one.get("rule_version", "none") for one in asked] == [None, "none"]
    assert asked[1]["purpose"] == "check"
    assert await visitor.faults() == []


# -- the seal -------------------------------------------------------------------------------


async def test_a_tested_ballot_opens_as_it_was_sealed_and_is_never_signed(
    browser: Browser, server: PageServer, tmp_path: Path
) -> None:
    letter = server.letter()
    visitor = await Visitor.opens(browser, server)
    await visitor.comes_to_review(letter, "South")
    shown = await visitor.page.locator("p.mark").inner_text()
    await visitor.page.get_by_text("Check how my vote is sealed").click()
    await visitor.presses("Open this one to check it")
    async with visitor.page.expect_download() as download:
        await visitor.page.get_by_role("link", name="Save it as a file").click()
    await (await download.value).save_as(tmp_path / "tested.json")
    test = json.loads((tmp_path / "tested.json").read_text())

    sealed = seal(
        server.election, read_point(test["credential"], "credential"), test["choices"], [*map(int, test["draws"])]
    )
    assert list(test) == ["format", "uuid", "election_hash", "credential", "choices", "draws", "seal_code"]
    assert (test["format"], test["choices"]) == ("ballotline tested 1", [[0, 1]])
    assert (test["uuid"], test["election_hash"]) == (server.election.uuid, server.election.hash)
    assert seal_code(sealed) == test["seal_code"] == shown
    again = read_tested((tmp_path / "tested.json").read_bytes(), server.election)
    assert (again.held, again.seal_code) == ((("South",),), shown)

    await visitor.presses("Seal my vote again")
    await expect(visitor.page.locator("p.mark")).to_have_text(READY)
    assert await visitor.page.locator("p.mark").inner_text() != shown
    assert [act for act, _ in server.heard] == ["pack", "codes"]
    await visitor.presses("Cast my vote")
    await visitor.receipt()
    assert not {str(draw) for draw in test["draws"]} & set(re.findall(r"\d{30,}", server.ballots[0].decode()))


# -- other papers ---------------------------------------------------------------------------


async def test_several_questions_of_several_kinds(browser: Browser) -> None:
    async with serving(page_server((ONE_OF_TWO, BLANK_OR_SOME, ANY))) as server:
        visitor = await Visitor.opens(browser, server)
        await visitor.begins()
        await visitor.gives_codes(server.letter())
        submit = visitor.page.locator("#page button[type=submit]")
        await submit.click()
        await expect(visitor.wrong).to_have_text("Who leads? Please choose one.")
        await visitor.page.get_by_label("South").check()
        await submit.click()
        await expect(visitor.wrong).to_have_text('Which "two", or none? Please choose 1 to 2.')
        await visitor.page.get_by_label("Blank vote: none of these").check()
        for option in "ABC":
            await visitor.page.get_by_label(option, exact=True).check()
        await expect(visitor.page.get_by_label("Blank vote: none of these")).not_to_be_checked()
        await submit.click()
        await expect(visitor.wrong).to_have_text('Which "two", or none? Please choose 1 to 2.')
        await visitor.page.get_by_label("B", exact=True).uncheck()
        assert await visitor.faults() == []
        await submit.click()
        await expect(visitor.page.locator("p.mark")).to_have_text(READY)
        await expect(visitor.page.locator("dl.answers")).to_contain_text("Nothing chosen")
        await visitor.presses("Cast my vote")
        await visitor.receipt()

        assert opened(read_ballot(server.ballots[0]), TRUSTEE) == [[0, 1], [0, 1, 0, 1], [0, 0]]


async def test_a_blank_vote_takes_the_other_answers_away(browser: Browser) -> None:
    async with serving(page_server((BLANK_OR_SOME,))) as server:
        visitor = await Visitor.opens(browser, server)
        await visitor.begins()
        await visitor.gives_codes(server.letter())
        await visitor.page.get_by_label("A", exact=True).check()
        await visitor.chooses("Blank vote: none of these")
        await visitor.presses("Cast my vote")
        await visitor.receipt()

        assert opened(read_ballot(server.ballots[0]), TRUSTEE) == [[1, 0, 0, 0]]


# -- where it cannot run --------------------------------------------------------------------


async def test_without_a_script_one_sentence_says_the_other_ways(browser: Browser, server: PageServer) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{server.url}/vote")

    await expect(page.get_by_text("JavaScript is off, the browser is too old")).to_be_visible()
    await expect(page.get_by_text("JavaScript wedi'i ddiffodd")).to_be_visible()


async def test_where_the_browser_cannot_seal_the_page_says_so_and_takes_no_code(
    browser: Browser, server: PageServer
) -> None:
    context = await browser.new_context()
    page = await context.new_page()
    await page.add_init_script("Object.defineProperty(window, 'isSecureContext', { value: false })")
    await page.goto(f"{server.url}/vote")
    await page.wait_for_load_state("networkidle")

    await expect(page.get_by_text("or the link is not a safe one")).to_be_visible()
    await expect(page.get_by_role("button")).to_have_count(0)


async def test_a_paper_that_the_election_does_not_bind_stops_the_page(browser: Browser, server: PageServer) -> None:
    """A service that shows other options than those that are counted gets no code."""
    server.paper = server.paper.replace(b"North", b"Nord!")
    visitor = await Visitor.opens(browser, server)

    await visitor.reads("Please stop here / Stopiwch yma")
    await expect(visitor.page.get_by_text("This page does not fit this ballot")).to_be_visible()
    await expect(visitor.page.get_by_text("If nothing more comes up here")).to_be_hidden()
    assert await visitor.faults() == []
    await expect(visitor.page.get_by_role("button")).to_have_count(0)


async def test_sealing_is_quick_on_a_slow_phone(browser: Browser, server: PageServer) -> None:
    """Two options under a second in a Chromium slowed six times; the best of three, as others use this machine too."""
    visitor = await Visitor.opens(browser, server)
    debugger = await visitor.context.new_cdp_session(visitor.page)
    await debugger.send("Emulation.setCPUThrottlingRate", {"rate": 6})
    static = await visitor.page.evaluate("document.querySelector('script').src.replace('/app.js', '')")
    times_ms = []
    for _ in range(3):
        times_ms.append(
            await visitor.page.evaluate(
                """async ([path, written]) => {
                    const [group, election, seal] = await Promise.all(
                        ['group', 'election', 'seal'].map((name) => import(`${path}/${name}.js`)));
                    const read = election.readElection(written);
                    read.key = group.prepared(read.key);
                    const credential = group.writePoint(group.baseTimes(group.randomScalar()));
                    const began = performance.now();
                    seal.seal(read, credential, [[0, 1]], seal.drawRandomness(read));
                    return performance.now() - began;
                }""",
                [static, server.election.written.decode()],
            )
        )
        await asyncio.sleep(0)

    assert min(times_ms) < 1_000
