"""The voting page when things go wrong: refusals, reload and Back, two tabs, no line, lost answers, a vote before."""

import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest
from page_server import Letter, PageServer, page_server, serving
from page_visitor import READY, Visitor
from playwright.async_api import Browser, expect

from voting.ballots.ballot import ballot_mark, read_ballot
from voting.codes.codes import Kind, printed
from voting.model import Phase

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

Steps = Callable[[Visitor, Letter], Awaitable[None]]


async def to_pack(visitor: Visitor, _: Letter) -> None:
    await visitor.begins()


async def to_word(visitor: Visitor, letter: Letter) -> None:
    await visitor.begins()
    await visitor.gives_pack(letter)
    await visitor.reads("Is this the word in your letter?")


async def to_vote_code(visitor: Visitor, letter: Letter) -> None:
    await to_word(visitor, letter)
    await visitor.presses("Yes, the same word")


async def to_question(visitor: Visitor, letter: Letter) -> None:
    await visitor.begins()
    await visitor.gives_codes(letter)
    await visitor.reads("Your voting paper")


async def to_review(visitor: Visitor, letter: Letter) -> None:
    await visitor.comes_to_review(letter)


LATE_STEPS: Final[dict[str, Steps]] = {
    "word": to_word,
    "vote code": to_vote_code,
    "question": to_question,
    "review": to_review,
}
FOR_STAFF: Final = {"pack_locked_out", "session_locked_out", "not_eligible", "already_voted"}
late_steps = pytest.mark.parametrize("steps", LATE_STEPS.values(), ids=LATE_STEPS)


# -- refusals -------------------------------------------------------------------------------


async def test_a_pack_code_that_is_not_ours_can_be_typed_again(browser: Browser, server: PageServer) -> None:
    letter = server.letter()
    visitor = await Visitor.opens(browser, server)
    await visitor.begins()
    del server.letters[letter.pack_code]
    await visitor.gives_pack(letter)
    await expect(visitor.wrong).to_have_text("That pack code is not one of ours.")
    await expect(visitor.field).to_be_focused()
    server.letters[letter.pack_code] = letter
    await visitor.page.keyboard.press("Enter")
    await visitor.reads("Is this the word in your letter?")


async def test_a_wrong_vote_code_can_be_typed_again_and_the_right_one_votes(
    browser: Browser, server: PageServer
) -> None:
    letter, other = server.letter(), server.letter()
    visitor = await Visitor.opens(browser, server)
    await to_vote_code(visitor, letter)
    await visitor.field.fill(other.vote_code)
    await visitor.page.keyboard.press("Enter")
    await expect(visitor.wrong).to_have_text("That vote code does not belong to this pack code.")
    await visitor.field.fill(letter.vote_code)
    await visitor.page.keyboard.press("Enter")
    await visitor.chooses("North")
    await visitor.presses("Cast my vote")

    assert await visitor.receipt() == ballot_mark(read_ballot(server.ballots[0]))


@pytest.mark.parametrize("act", ["pack", "codes"])
@pytest.mark.parametrize(
    ("refusal", "heading"),
    [
        ("pack_locked_out", "This pack is held"),
        ("session_locked_out", "Please wait"),
        ("not_eligible", "You cannot vote in this ballot"),
        ("poll_not_open", "Voting is not open"),
        ("already_voted", "A vote is already locked"),
        ("init_data_wrong", "Please open the page again"),
        ("rule_unread", "Please read the rule"),
    ],
)
async def test_a_refusal_of_a_code_is_said_and_ends_the_way(
    browser: Browser, server: PageServer, act: str, refusal: str, heading: str
) -> None:
    letter = server.letter()
    visitor = await Visitor.opens(browser, server)
    await to_pack(visitor, letter)
    server.refuse(act, 409, refusal, "So it is said.")
    if act == "pack":
        await visitor.gives_pack(letter)
    else:
        await visitor.gives_codes(letter)

    await visitor.reads(heading)
    await visitor.sees("So it is said.")
    reach = visitor.page.get_by_text("Your letter says how you reach them.", exact=True)
    await expect(reach).to_have_count(1 if refusal in FOR_STAFF else 0)
    assert await visitor.faults() == []


@pytest.mark.parametrize(("refusal", "status"), [("pack_void", 409), ("too_many", 429), ("request_wrong", 400)])
async def test_a_refusal_that_passes_leaves_the_field_as_it_was(
    browser: Browser, server: PageServer, refusal: str, status: int
) -> None:
    letter = server.letter()
    visitor = await Visitor.opens(browser, server)
    await to_pack(visitor, letter)
    server.refuse("pack", status, refusal, "So it is said.")
    await visitor.gives_pack(letter)

    await expect(visitor.wrong).to_have_text("So it is said.")
    await expect(visitor.field).to_have_value(printed(Kind.PACK, letter.pack_code))


@pytest.mark.parametrize(
    ("refusal", "heading", "next_words"),
    [
        ("rule_unread", "The rule has changed", "Nothing was cast."),
        ("poll_not_open", "Voting is not open", ""),
        ("not_eligible", "You cannot vote in this ballot", ""),
        ("already_voted", "A vote is already locked", ""),
        ("unknown_intent", "Please start again", "Nothing was cast."),
        ("ballot_wrong", "Your vote was not taken", "Nothing was cast. Please load the page again"),
        ("init_data_wrong", "Please open the page again", "open it anew from the chat"),
        ("request_wrong", "You cannot vote here now", ""),
    ],
)
async def test_a_refusal_of_the_ballot_is_said_and_nothing_is_sent_again(
    browser: Browser, server: PageServer, refusal: str, heading: str, next_words: str
) -> None:
    visitor = await Visitor.opens(browser, server)
    await visitor.comes_to_review(server.letter())
    server.refuse("ballot", 409, refusal, "So it is said.")
    await visitor.presses("Cast my vote")
    await visitor.reads(heading)
    await visitor.sees("So it is said.")
    await visitor.sees(next_words)
    await visitor.reloads()

    assert await visitor.faults() == []
    assert [act for act, _ in server.heard].count("ballot") == 1


async def test_a_busy_service_gets_the_same_ballot_again_after_a_while(browser: Browser, server: PageServer) -> None:
    visitor = await Visitor.opens(browser, server)
    await visitor.comes_to_review(server.letter())
    server.refuse("ballot", 429, "too_many", "Too many people vote just now.")
    await visitor.presses("Cast my vote")
    await visitor.sees("Too many people vote just now.")
    await visitor.page.get_by_role("button", name="Try now").click()
    await visitor.receipt()

    sent = [body for act, body in server.heard if act == "ballot"]
    assert len(sent) == 2
    assert sent[0] == sent[1]


# -- reload, Back, two tabs -----------------------------------------------------------------


@late_steps
async def test_a_reload_keeps_what_is_not_secret_and_votes_nothing(
    browser: Browser, server: PageServer, steps: Steps
) -> None:
    letter = server.letter()
    visitor = await Visitor.opens(browser, server)
    await steps(visitor, letter)
    await visitor.reloads()
    await visitor.reads("Your pack code")
    await visitor.sees("The page was loaded anew. Nothing was cast.")
    await expect(visitor.field).to_have_value("")
    await visitor.gives_codes(letter)
    await visitor.chooses("South")
    await visitor.presses("Cast my vote")
    await visitor.receipt()

    assert len(server.ballots) == 1


async def test_back_goes_one_step_back_and_forward_again(browser: Browser, server: PageServer) -> None:
    letter = server.letter()
    visitor = await Visitor.opens(browser, server)
    await visitor.comes_to_review(letter, "South")
    await visitor.page.go_back()
    await visitor.reads("Your voting paper")
    await expect(visitor.page.get_by_label("South")).to_be_checked()
    for heading in ("Your vote code", "Is this the word in your letter?", "Your pack code", "Please read the rule"):
        await visitor.page.go_back()
        await visitor.reads(heading)
    for heading in ("Your pack code", "Is this the word in your letter?"):
        await visitor.page.go_forward()
        await visitor.reads(heading)

    assert server.ballots == []


async def test_after_the_lock_back_and_reload_show_the_receipt(browser: Browser, server: PageServer) -> None:
    visitor = await Visitor.opens(browser, server)
    receipt = await visitor.votes(server.letter())
    await visitor.page.go_back()
    assert await visitor.receipt() == receipt
    await visitor.reloads()
    assert await visitor.receipt() == receipt
    await visitor.presses("Another member votes here")
    await visitor.reads("Your pack code")
    await expect(visitor.field).to_have_value("")

    assert len(server.ballots) == 1


async def test_two_tabs_cast_one_vote_and_the_second_says_so(browser: Browser, server: PageServer) -> None:
    letter = server.letter()
    one = await Visitor.opens(browser, server)
    await one.comes_to_review(letter, "North")
    other = await one.another_tab()
    await other.gives_codes(letter)
    await other.chooses("South")
    await one.presses("Cast my vote")
    receipt = await one.receipt()
    await other.presses("Cast my vote")

    assert await other.receipt() == receipt
    await other.sees("An earlier vote was locked, but this tab did not make it.")
    await expect(other.page.locator("p.good")).to_have_count(0)
    assert await other.faults() == []
    assert len(server.ballots) == 1


async def test_the_language_can_change_at_every_step_and_nothing_typed_is_lost(
    browser: Browser, server: PageServer
) -> None:
    letter = server.letter()
    visitor = await Visitor.opens(browser, server)
    await visitor.begins()
    await visitor.field.fill(letter.pack_code)
    bar = visitor.page.get_by_role("navigation")
    await bar.get_by_role("button", name="Cymraeg").click()
    await visitor.reads("Eich cod pecyn")
    await expect(visitor.field).to_have_value(letter.pack_code)
    await bar.get_by_role("button", name="English").click()
    await visitor.reads("Your pack code")
    await visitor.gives_codes(letter)
    await visitor.page.get_by_label("South").check()
    await bar.get_by_role("button", name="Cymraeg").click()
    await visitor.reads("Eich papur pleidleisio")
    await expect(visitor.page.get_by_label("South")).to_be_checked()


# -- no line, no answer ---------------------------------------------------------------------


@pytest.mark.parametrize("steps", [to_pack, to_vote_code, to_question, to_review])
async def test_without_a_line_it_is_said_at_once_and_nothing_is_sent(
    browser: Browser, server: PageServer, steps: Steps
) -> None:
    letter = server.letter()
    visitor = await Visitor.opens(browser, server)
    await steps(visitor, letter)
    sent = len(server.heard)
    await visitor.context.set_offline(True)
    if await visitor.field.count():
        code = letter.pack_code if steps is to_pack else letter.vote_code
        await visitor.field.fill(code)
        await visitor.page.keyboard.press("Enter")
    elif steps is to_question:
        await visitor.page.get_by_label("North").check()
        await visitor.page.locator("#page button[type=submit]").click()
    else:
        await visitor.presses("Cast my vote")

    await expect(visitor.wrong).to_have_text(
        "This device is not online, so nothing was sent. Please try again when it is."
    )
    assert len(server.heard) == sent


@pytest.mark.parametrize("act", ["pack", "codes", "ballot"])
async def test_a_lost_answer_is_asked_for_again_with_the_same_bytes(
    browser: Browser, server: PageServer, act: str
) -> None:
    """As when the service is killed between the lock and its answer."""
    server.lost[act] = 2
    visitor = await Visitor.opens(browser, server)
    receipt = await visitor.votes(server.letter())
    sent = [body for heard, body in server.heard if heard == act]

    assert len(sent) == 3
    assert len(set(sent)) == 1
    assert receipt == ballot_mark(read_ballot(server.ballots[0]))
    await expect(visitor.page.locator("p.good")).to_have_text("This device made the same mark.")
    assert len(server.ballots) == 1


async def test_while_there_is_no_answer_the_page_says_when_it_tries_again(browser: Browser, server: PageServer) -> None:
    visitor = await Visitor.opens(browser, server)
    await visitor.comes_to_review(server.letter())
    server.away["ballot"] = 3
    await visitor.presses("Cast my vote")
    await visitor.reads("Your vote is on its way")
    await visitor.sees("No answer yet. The page tries again in 2 seconds. Nothing is lost.")
    assert await visitor.faults() == []
    await visitor.page.get_by_role("button", name="Try now").click()
    await visitor.receipt()


async def test_a_reload_while_the_ballot_is_on_its_way_sends_the_same_ballot(
    browser: Browser, server: PageServer
) -> None:
    visitor = await Visitor.opens(browser, server)
    await visitor.comes_to_review(server.letter())
    server.away["ballot"] = 2
    await visitor.presses("Cast my vote")
    await visitor.sees("No answer yet.")
    await visitor.page.reload()
    receipt = await visitor.receipt()
    sent = {json.dumps(json.loads(body)["ballot"]) for act, body in server.heard if act == "ballot"}

    assert len(sent) == 1
    assert receipt == ballot_mark(read_ballot(server.ballots[0]))


async def test_a_line_that_goes_on_the_way_comes_back_and_the_vote_is_locked(
    browser: Browser, server: PageServer
) -> None:
    visitor = await Visitor.opens(browser, server)
    await visitor.comes_to_review(server.letter())
    server.away["ballot"] = 1
    await visitor.presses("Cast my vote")
    await visitor.sees("No answer yet.")
    await visitor.context.set_offline(True)
    await visitor.sees("This device is not online. The page tries again when it is. Nothing is lost.")
    await visitor.context.set_offline(False)
    await visitor.receipt()

    assert len(server.ballots) == 1


# -- a vote before --------------------------------------------------------------------------


async def test_the_same_letter_again_on_the_same_phone_shows_the_receipt_before_anything_counts(
    browser: Browser, server: PageServer
) -> None:
    letter = server.letter()
    visitor = await Visitor.opens(browser, server)
    receipt = await visitor.votes(letter)
    letter.warns = True
    await visitor.presses("Another member votes here")
    await visitor.gives_pack(letter)

    assert await visitor.receipt() == receipt
    await visitor.sees("It was cast here at 1:00 pm on Saturday 20 August 2022 (BST).")
    await visitor.sees("Please do not give the vote code again: that is recorded and reported to the staff.")
    await expect(visitor.field).to_have_count(0)
    assert await visitor.faults() == []


@pytest.mark.parametrize(
    ("way", "words"),
    [("online", "It was cast online at"), ("post", "It came by post and was taken in at")],
)
async def test_a_letter_that_voted_elsewhere_is_warned_first_and_noted_only_on_purpose(
    browser: Browser, server: PageServer, way: str, words: str
) -> None:
    letter = server.letter()
    server.cast_elsewhere(letter, way=way, warns=True)
    visitor = await Visitor.opens(browser, server)
    await visitor.begins()
    await visitor.gives_pack(letter)
    await visitor.reads("A vote is already locked")
    await visitor.sees(words)
    await visitor.sees("Your letter says how you reach them.")
    await expect(visitor.page.get_by_text("You can also vote in the other ways")).to_have_count(0)
    assert [act for act, _ in server.heard] == ["pack"]
    await visitor.page.get_by_text("I want to go on all the same").click()
    await visitor.presses("Give the vote code all the same")
    await visitor.presses("Yes, the same word")
    await visitor.field.fill(letter.vote_code)
    await visitor.page.keyboard.press("Enter")

    await visitor.sees("As the rule says, this try was noted and the staff can see it.")
    assert json.loads(server.heard[-1][1])["purpose"] == "vote"
    assert server.ballots == []


async def test_checking_the_codes_of_a_letter_that_voted_says_since_when(browser: Browser, server: PageServer) -> None:
    letter = server.letter()
    server.cast_elsewhere(letter)
    visitor = await Visitor.opens(browser, server)
    await visitor.presses("English")
    await visitor.presses("Just check my codes")
    await visitor.gives_codes(letter)

    await visitor.reads("Your codes are good")
    await visitor.sees("A vote with this pack is locked since 1:00 pm on Saturday 20 August 2022 (BST).")


@pytest.mark.parametrize(
    ("facts", "heading", "words", "checks"),
    [
        ({"phase": Phase.PREPARING}, "Voting is not open yet", "It should open soon", 1),
        ({"phase": Phase.CLOSED}, "Voting is over", "no more votes can be cast", 0),
    ],
)
async def test_a_poll_that_takes_no_vote_says_so_first(
    browser: Browser, facts: dict[str, Any], heading: str, words: str, checks: int
) -> None:
    server = page_server()
    server.poll = server.poll.__class__(**{**_fields(server.poll), **facts})
    async with serving(server):
        visitor = await Visitor.opens(browser, server)
        await visitor.presses("English")
        await visitor.reads(heading)
        await visitor.sees(words)
        await expect(visitor.button("Just check my codes")).to_have_count(checks)
        other_ways = visitor.page.get_by_text("You can also vote in the other ways")
        await expect(other_ways).to_have_count(checks)
        assert await visitor.faults() == []


def _fields(poll: Any) -> dict[str, Any]:
    return {name: getattr(poll, name) for name in poll.__dataclass_fields__}


@pytest.mark.parametrize(
    ("state", "words", "other_ways"),
    [
        ("not_open", "Voting has not opened yet", 1),
        ("closed", "Voting closed at 5:00 pm", 0),
        ("not_eligible", "this member cannot vote in this ballot", 0),
    ],
)
async def test_a_state_that_comes_with_the_pack_code_is_said_in_the_chat_s_words(
    browser: Browser, server: PageServer, state: str, words: str, other_ways: int
) -> None:
    """And who cannot vote at all is not told of other ways to vote."""
    letter = server.letter(state=state)
    visitor = await Visitor.opens(browser, server)
    await visitor.begins()
    await visitor.gives_pack(letter)

    await visitor.sees(words)
    await expect(visitor.field).to_have_count(0)
    await expect(visitor.page.get_by_text("You can also vote in the other ways")).to_have_count(other_ways)
    assert await visitor.faults() == []


# -- what is kept ---------------------------------------------------------------------------


async def test_nothing_secret_stays_in_the_browser_or_reaches_the_service(browser: Browser, server: PageServer) -> None:
    """At each step and after the lock: no code, no choice; and the service never hears the vote code or the choice."""
    letter = server.letter()
    kept = []
    visitor = await Visitor.opens(browser, server, f"#{printed(Kind.PACK, letter.pack_code)}")
    await visitor.begins()
    kept.append(await visitor.kept())
    await visitor.gives_codes(letter)
    kept.append(await visitor.kept())
    await visitor.chooses("South")
    kept.append(await visitor.kept())
    server.away["ballot"] = 1
    await visitor.presses("Cast my vote")
    kept.append(await visitor.kept())
    await visitor.receipt()
    kept.append(await visitor.kept())
    heard = b"".join(body for _, body in server.heard).decode().replace("-", "")

    stored = "".join(kept).replace("-", "")
    assert {"session", "language", "rule"} <= {word for word in ("session", "language", "rule") if word in stored}
    assert [secret for secret in (letter.pack_code, letter.vote_code, "South") if secret in stored] == []
    assert [secret for secret in (letter.vote_code, "South") if secret in heard] == []


async def test_an_answer_that_is_not_signed_is_told(browser: Browser, server: PageServer) -> None:
    server.wrong_signature = True
    visitor = await Visitor.opens(browser, server)
    await visitor.votes(server.letter())

    await visitor.sees("The answer is not signed as it should be.")
    assert await visitor.faults() == []


async def test_the_receipt_can_be_copied_with_what_proves_it(browser: Browser, server: PageServer) -> None:
    visitor = await Visitor.opens(browser, server, permissions=["clipboard-read", "clipboard-write"])
    receipt = await visitor.votes(server.letter())
    await visitor.presses("Copy")
    await visitor.sees("Copied.")
    copied = await visitor.page.evaluate("navigator.clipboard.readText()")
    lock = next(iter(server.letters.values())).lock

    assert READY.fullmatch(receipt)
    assert lock
    assert copied.split()[0] == receipt
    assert copied.endswith(lock["signature"])
    assert f"ballotline receipt 1|{server.election.uuid}|" in copied
