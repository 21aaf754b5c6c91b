"""Stories of voting: from /vote to the receipt, and every way back to it."""

import copy
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from town import Letter, Town, receipt_in

from bot.edge.letters import letter_of
from bot.edge.telegram import process
from bot.inbox.inbox import Claimed
from bot.sandbox import Fault
from voting import schema
from voting.codes import codes
from voting.codes.codes import Kind, generate, printed
from voting.model import How
from voting.store.database import Database
from voting.votes.wrong_codes import WRONG_VOTE_CODES_MAX

pytestmark = pytest.mark.filterwarnings("ignore:.*PTB_TIMEDELTA:telegram.warnings.PTBDeprecationWarning")

LEASE_SECONDS = 30.0  # a row that a crash cut off waits for its lease


async def test_a_member_reads_the_rule_gives_both_codes_chooses_and_gets_a_receipt(town: Town) -> None:
    ada = town.member("ada")

    receipt = await ada.votes("North Quay")

    lock = await town.lock_of("ada")
    assert lock is not None
    assert lock.receipt == receipt
    assert await town.count("North Quay") == 1
    assert await town.count("South Quay") == 0


@pytest.mark.parametrize(
    ("engine_name", "webhooks"),
    [("sqlite", True), ("postgresql", False), ("postgresql", True)],
    ids=["sqlite, webhooks", "postgresql, polling", "postgresql, webhooks"],
)
async def test_the_same_story_by_webhooks_and_on_either_engine(
    database: Database, tmp_path: Path, *, webhooks: bool
) -> None:
    async with Town(database, tmp_path, webhooks=webhooks) as town:
        await town.member("ada").votes("South Quay")

        assert await town.count("South Quay") == 1


async def test_in_welsh_every_word_and_button_is_welsh(town: Town) -> None:
    sian = town.member("sian", language_code="cy")

    await sian.types("/vote")
    await sian.hears("Cyn i chi bleidleisio")
    assert sian.buttons == ["Rwy'n deall", "Ddim nawr"]
    await sian.presses("Rwy'n deall")
    await sian.hears("Teipiwch y cod pecyn")
    await sian.types(sian.pack.pack_code)
    await sian.hears(f"Y gair sydd wedi'i argraffu ynddo yw {sian.pack.word}")
    await sian.types(sian.pack.vote_code)
    await sian.hears("Dyma eich papur pleidleisio")
    assert sian.buttons == ["North Quay", "South Quay", "Ddim nawr"]
    await sian.presses("South Quay")
    await sian.hears("Dewisoch South Quay")
    assert sian.buttons == ["Bwrw fy mhleidlais", "Newid"]
    await sian.presses("Bwrw fy mhleidlais")

    locked = await sian.hears("Mae eich pleidlais wedi'i chloi")
    lock = await town.lock_of("sian")
    assert lock is not None
    assert lock.receipt == receipt_in(locked.words)


@pytest.mark.parametrize("order", ["pack first", "vote first", "vote and pack in one message", "lower case, run on"])
async def test_codes_come_in_any_order_and_shape(town: Town, order: str) -> None:
    ada = town.member("ada")
    pack = ada.pack

    if order == "pack first":
        await ada.gives_codes(pack.pack_code)
        await ada.hears(pack.word)
        await ada.types(pack.vote_code)
    elif order == "vote first":
        await ada.gives_codes(pack.vote_code)
        await ada.hears("that is a vote code")
        await ada.types(pack.pack_code)
    elif order == "vote and pack in one message":
        await ada.gives_codes(f"{pack.vote_code}\n{pack.pack_code}")
    else:
        await ada.gives_codes(pack.codes.replace("-", "").lower())

    await ada.hears("This is your voting paper")


async def test_a_vote_code_that_waits_is_not_in_the_database(town: Town) -> None:
    ada = town.member("ada")
    await ada.gives_codes(ada.pack.vote_code)
    await ada.hears("that is a vote code")

    async with town.database.reading() as connection:
        from bot.schema import chat

        facts = str((await connection.execute(chat.select())).one().facts)
    plain = ada.pack.vote_code.replace("-", "")
    assert plain not in facts
    assert ada.pack.vote_code not in facts


async def test_messages_with_codes_are_gone_and_the_choice_is_gone_after_the_lock(town: Town) -> None:
    ada = town.member("ada")
    await ada.votes("North Quay")

    shown = " ".join(message.words for message in ada.messages)
    labels = " ".join(label for message in ada.messages for label in message.labels)
    assert ada.pack.pack_code not in shown
    assert ada.pack.vote_code not in shown
    assert "Quay" not in shown + labels


async def test_no_notification_previews_a_choice_or_a_code_and_no_payload_names_an_option(town: Town) -> None:
    """Only new messages notify; edits do not."""
    ada = town.member("ada")
    await ada.votes("North Quay")

    arrived = [message for message in ada.history if message.sender == "bot" and not message.edited]
    assert not any("You chose" in message.words or "Quay" in message.words for message in arrived)
    assert not any(ada.pack.vote_code in message.words for message in arrived)
    payloads = [button.callback_data for message in ada.history for row in message.buttons for button in row]
    assert payloads
    for payload in payloads:
        assert len(payload.encode()) <= 64
        assert "quay" not in payload.lower()
        assert "north" not in payload.lower()


async def test_a_vote_costs_six_calls_that_count_against_the_limit(town: Town) -> None:
    ada = town.member("ada")
    await town.settles()
    meter = town.sandbox.telegram.meter
    before = meter.counted + meter.by_method["deleteMessage"]

    await ada.votes("North Quay")

    assert meter.counted + meter.by_method["deleteMessage"] - before <= 6


async def test_one_can_change_ones_mind_before_casting(town: Town) -> None:
    ada = town.member("ada")
    await ada.opens_paper()
    await ada.presses("North Quay")
    await ada.hears("You chose North Quay")
    await ada.presses("Change")
    await ada.hears("This is your voting paper")
    await ada.presses("South Quay")
    await ada.hears("You chose South Quay")
    await ada.presses("Cast my vote")
    await ada.hears("Your vote is locked")

    assert (await town.count("North Quay"), await town.count("South Quay")) == (0, 1)


async def test_not_now_casts_nothing_and_says_how_to_come_back(town: Town) -> None:
    ada = town.member("ada")
    await ada.types("/vote")
    await ada.hears("Before you vote")
    await ada.presses("Not now")
    await ada.hears("nothing has been cast")
    await ada.opens_paper()
    await ada.presses("Not now")
    await ada.hears("Send /vote whenever you are ready")

    assert await town.locks() == 0
    await ada.votes("North Quay")


# -- replays and old keyboards -----------------------------------------------------------


async def test_a_press_sent_again_by_the_client_gets_the_same_receipt_and_is_no_attempt(town: Town) -> None:
    ada = town.member("ada")
    receipt = await ada.votes("North Quay")

    for same in (True, False, False):
        await ada.resends_last_press(same_query_id=same)
    await town.settles()

    assert receipt in ada.last.words
    assert (await town.locks(), await town.attempts()) == (1, 0)


async def test_every_button_of_an_old_paper_leads_to_the_receipt(town: Town) -> None:
    ada = town.member("ada")
    old = await ada.opens_paper()
    receipt = await ada.votes("North Quay")

    for label in ("South Quay", "Not now"):
        await ada.presses(label, message=old)
        await town.settles()
        assert receipt in ada.last.words

    assert (await town.count("South Quay"), await town.attempts()) == (0, 0)


async def test_a_second_paper_of_the_same_chat_gets_the_receipt_of_the_first_vote(town: Town) -> None:
    ada = town.member("ada")
    await ada.opens_paper()
    await ada.presses("South Quay")
    chosen = await ada.hears("You chose South Quay")
    receipt = await ada.votes("North Quay")

    await ada.presses("Cast my vote", message=chosen)

    assert receipt in (await ada.hears("Your vote is locked")).words
    assert (await town.count("North Quay"), await town.count("South Quay")) == (1, 0)
    assert await town.attempts() == 0


async def test_a_forged_or_foreign_button_does_nothing_and_says_what_to_do(town: Town) -> None:
    ada, mallory = town.member("ada"), town.stranger()
    paper = await ada.opens_paper()
    stolen = paper.buttons[0][0].callback_data
    await mallory.types("/start")
    hers = await mallory.hears("Hello")

    for payload in (stolen, "pforged.xxxx", "", "g:.", "x" * 64):
        await mallory.press_data(payload, message=hers)
        await mallory.sees_alert("/start")

    assert await town.locks() == 0


async def test_a_paper_that_was_deleted_is_answered_with_a_new_message(town: Town) -> None:
    ada = town.member("ada")
    await ada.opens_paper()
    await ada.presses("North Quay")
    await ada.hears("You chose")
    town.sandbox.faults.telegram.add(Fault("error", method="editMessageText", code=400))

    await ada.presses("Cast my vote")

    await ada.hears("Your vote is locked")


@pytest.mark.parametrize("kind", ["5xx_before", "drop_before", "drop_after", "429"])
async def test_a_receipt_that_could_not_be_shown_follows_as_a_message(town: Town, kind: str) -> None:
    ada = town.member("ada")
    await ada.opens_paper()
    await ada.presses("North Quay")
    await ada.hears("You chose")
    town.sandbox.faults.telegram.add(Fault(kind, method="editMessageText", chat_id=ada.id))

    await ada.presses("Cast my vote")

    await ada.hears("Your vote is locked", timeout_seconds=10)
    await town.settles()
    assert await town.attempts() == 0


async def test_a_press_that_expired_at_telegram_is_acted_on_all_the_same(town: Town) -> None:
    ada = town.member("ada")
    await ada.opens_paper()
    town.sandbox.faults.telegram.add(Fault("error", method="answerCallbackQuery", code=400, count=None))

    await ada.presses("North Quay")

    await ada.hears("You chose North Quay")


async def test_the_service_may_restart_anywhere_in_the_conversation(town: Town) -> None:
    ada = town.member("ada")
    await ada.gives_codes(ada.pack.pack_code)
    await ada.hears(ada.pack.word)
    await town.stops()
    await ada.types(ada.pack.vote_code)
    await town.starts()
    await ada.hears("This is your voting paper", timeout_seconds=LEASE_SECONDS)
    await ada.presses("North Quay")
    await ada.hears("You chose", timeout_seconds=LEASE_SECONDS)
    await town.stops()
    await ada.presses("Cast my vote")
    await town.starts()

    await ada.hears("Your vote is locked", timeout_seconds=LEASE_SECONDS)
    assert await town.count("North Quay") == 1


# -- after the lock ----------------------------------------------------------------------


async def test_vote_after_the_lock_says_so_with_the_receipt_and_warns(town: Town) -> None:
    ada = town.member("ada")
    receipt = await ada.votes("North Quay")

    await ada.types("/vote")

    warned = await ada.hears("that is recorded and reported")
    assert receipt in warned.words
    assert await town.attempts() == 0


async def test_codes_again_after_the_warning_are_refused_and_recorded_once_per_conversation(town: Town) -> None:
    ada = town.member("ada")
    await ada.votes("North Quay")
    await ada.types("/vote")
    await ada.hears("that is recorded and reported")

    await ada.types(ada.pack.codes)
    await ada.hears("has already been used")
    await ada.types(ada.pack.codes)
    await ada.hears("has already been used")

    case = await town.case_of("ada")
    assert case is not None
    assert [attempt.kind for attempt in case.attempts] == ["repeat"]
    assert await town.count("North Quay") == 1


async def test_codes_again_without_a_warning_are_answered_with_the_warning(town: Town) -> None:
    """Somebody who sends the codes twice by mistake is told, not reported."""
    ada = town.member("ada")
    await ada.votes("North Quay")

    await ada.types(ada.pack.codes)

    await ada.hears("from now on that is recorded")
    assert await town.attempts() == 0
    await ada.types(ada.pack.codes)
    await ada.hears("the staff can see it")
    assert await town.attempts() == 1


async def test_a_stranger_with_used_codes_is_refused_kindly_and_a_case_opens(town: Town) -> None:
    ada, mallory = town.member("ada"), town.stranger()
    receipt = await ada.votes("North Quay")

    refused = await mallory.insists(ada.pack.codes)
    assert receipt not in refused.words
    case = await town.case_of("ada")
    assert case is not None
    assert [attempt.kind for attempt in case.attempts] == ["foreign"]
    assert await town.count("North Quay") == 1


async def test_a_wrong_letter_at_the_same_table_is_told_so_and_nobody_is_reported(town: Town) -> None:
    """Bob opens Ada's letter by mistake; told so, he takes his own and votes."""
    ada, bob = town.member("ada"), town.member("bob")
    await ada.votes("North Quay")

    await bob.asks(bob.gives_codes(ada.pack.codes), "Then take your own")
    await bob.asks(bob.types(bob.pack.codes), "This is your voting paper")
    await bob.asks(bob.presses("South Quay"), "You chose")
    await bob.asks(bob.presses("Cast my vote"), "Your vote is locked")

    assert (await town.locks(), await town.attempts()) == (2, 0)


async def test_a_warning_about_one_letter_is_none_about_another(town: Town) -> None:
    """Who was warned of Ada's vote and then types Sian's codes is told once more before anything counts."""
    ada, sian, bob = town.member("ada"), town.member("sian"), town.stranger("bob")
    await ada.votes("North Quay")
    await sian.votes("North Quay")
    await bob.asks(bob.gives_codes(ada.pack.codes), "somebody else's letter")

    await bob.asks(bob.types(sian.pack.codes), "somebody else's letter")
    assert await town.attempts() == 0
    await bob.asks(bob.types(sian.pack.codes), "the staff can see it")
    assert await town.attempts() == 1


async def test_a_pack_code_alone_after_the_vote_warns_before_the_vote_code_is_typed(town: Town) -> None:
    ada, mallory = town.member("ada"), town.stranger()
    await ada.votes("North Quay")

    await mallory.asks(mallory.gives_codes(ada.pack.pack_code), "somebody else's letter")
    assert await town.attempts() == 0
    await mallory.asks(mallory.types(ada.pack.vote_code), "the staff can see it")
    assert await town.attempts() == 1


async def test_a_thief_refused_at_an_open_paper_leaves_a_trace_that_staff_see(town: Town) -> None:
    gwen = await town.staff("gwen")
    ada, thief = town.member("ada"), town.stranger("thief")
    await thief.asks(thief.gives_codes(ada.pack.codes), "voting paper")
    await thief.asks(thief.presses("South Quay"), "You chose")
    await ada.votes("North Quay")

    await thief.asks(thief.presses("Cast my vote"), "already")

    assert await town.attempts() == 0
    await gwen.types(f"/member {ada.member_no}")
    await gwen.hears("tried to cast it")


async def test_whose_vote_was_stolen_has_a_way_to_say_so(town: Town) -> None:
    ada, thief = town.member("ada"), town.stranger("thief")
    thief.pack = ada.pack  # type: ignore[attr-defined]
    await thief.gives_codes(ada.pack.codes)
    await thief.hears("This is your voting paper")
    await thief.presses("South Quay")
    await thief.hears("You chose")
    await thief.presses("Cast my vote")
    await thief.hears("Your vote is locked")

    await ada.gives_codes(ada.pack.codes)
    await ada.hears("has already been used")
    await ada.presses("This was not me")

    await ada.hears("The staff have been told that this vote was not yours")
    case = await town.case_of("ada")
    assert case is not None
    assert case.disputed_at is not None


async def test_a_household_votes_from_one_chat_without_a_case(town: Town) -> None:
    bob, bea = town.member("bob"), town.member("bea")
    await bob.votes("North Quay")
    await bob.types("/vote")
    await bob.hears("Your vote is locked")
    await bob.presses("Another member votes here")
    await bob.hears("Before you vote")
    await bob.presses("I understand")
    await bob.hears("type the pack code")

    await bob.types(bea.pack.codes)

    await bob.hears("This is your voting paper")
    await bob.presses("South Quay")
    await bob.hears("You chose")
    await bob.presses("Cast my vote")
    await bob.hears("Your vote is locked")
    assert (await town.locks(), await town.attempts()) == (2, 0)


async def test_an_old_rule_pressed_after_the_lock_warns_nobody_and_reports_nobody(town: Town) -> None:
    ada = town.member("ada")
    await ada.types("/vote")
    rule = await ada.hears("Before you vote")
    await ada.presses("I understand")
    await ada.hears("type the pack code")
    await ada.types(ada.pack.codes)
    await ada.hears("voting paper")
    await ada.presses("North Quay")
    await ada.hears("You chose")
    await ada.presses("Cast my vote")
    await ada.hears("Your vote is locked")

    await ada.presses("I understand", message=rule)

    await ada.hears("Your vote is locked. It was cast here")
    assert await town.attempts() == 0


# -- what does not open a paper ----------------------------------------------------------


async def test_before_the_poll_opens_dates_are_given(database: Database, tmp_path: Path) -> None:
    early = datetime(2022, 7, 20, 9, tzinfo=UTC)
    async with Town(database, tmp_path, opened=False, moment=early) as town:
        ada = town.member("ada")
        await ada.types("/vote")
        await ada.hears("It opens at 9:00 am on Monday 1 August 2022 (BST)")


@pytest.mark.parametrize(
    ("early", "heard", "locks"),
    [(timedelta(microseconds=1), "Your vote is locked", 1), (timedelta(0), "Voting is not open now", 0)],
    ids=["a moment before the close", "on the closing bell"],
)
async def test_a_press_counts_from_when_it_was_received_however_late_it_is_handled(
    town: Town, early: timedelta, heard: str, locks: int
) -> None:
    ada = town.member("ada")
    await ada.asks(ada.gives_codes(ada.pack.codes), "voting paper")
    await ada.asks(ada.presses("North Quay"), "You chose")
    await town.settles()
    cast = next(key.callback_data for row in ada.last.buttons for key in row if key.text == "Cast my vote")
    late = copy.deepcopy(town.sandbox.telegram.updates[-1])
    late["update_id"] += 1000
    late["callback_query"] |= {"data": cast, "id": "late"}
    letter = letter_of(late)
    received_at = town.poll.closes_at - early
    row = Claimed(1, letter.source, letter.key, letter.queue, letter.payload, 1, received_at)
    town.clock.put(town.poll.closes_at + timedelta(minutes=5))
    assert town.service is not None
    assert town.service.application is not None

    await ada.asks(process(town.service.application, row), heard)

    assert await town.locks() == locks


async def test_after_the_close_dates_are_given_and_an_old_paper_is_refused(town: Town) -> None:
    ada = town.member("ada")
    await ada.opens_paper()
    await ada.presses("North Quay")
    await ada.hears("You chose")
    town.clock.put(datetime(2022, 9, 2, 16, 0, tzinfo=UTC))

    await ada.presses("Cast my vote")
    await ada.hears("Voting is not open now")
    await ada.types("/vote")
    await ada.hears("Voting closed at 5:00 pm on Friday 2 September 2022 (BST)")

    assert await town.locks() == 0


async def test_a_rule_accepted_is_not_shown_again_until_it_changes(town: Town) -> None:
    ada = town.member("ada")
    await ada.types("/vote")
    await ada.hears("Before you vote")
    await ada.presses("I understand")
    await ada.hears("type the pack code")
    await ada.types("/vote")
    await ada.hears("type the pack code")

    async with town.database.writing() as connection:
        await connection.execute(update(schema.poll).values(rule_version=2))
    await ada.types("/vote")
    await ada.hears("Before you vote")


async def test_codes_out_of_the_blue_are_deleted_and_not_looked_at(town: Town) -> None:
    ada, mallory = town.member("ada"), town.stranger()
    await ada.votes("North Quay")

    await mallory.types(ada.pack.codes)

    await mallory.hears("What would you like to do with it?")
    assert mallory.buttons == ["Vote", "Check my codes"]
    assert ada.pack.vote_code not in " ".join(message.words for message in mallory.messages)
    assert await town.attempts() == 0


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda _: shortened(), "too short"),
        (lambda pack: pack.pack_code[:-1] + "0", "Codes never have these in them: 0"),
        (lambda pack: swapped(pack.pack_code), "There is a slip"),
        (lambda _: "hello there", "cannot find a code"),
    ],
    ids=["a character missing", "a zero", "two swapped", "no code at all"],
)
async def test_a_slip_is_explained_and_does_not_count(town: Town, spoil: object, said: str) -> None:
    ada = town.member("ada")

    await ada.gives_codes(spoil(ada.pack))  # type: ignore[operator]

    await ada.hears(said)
    await ada.types(ada.pack.codes)
    await ada.hears("This is your voting paper")


def shortened() -> str:
    """Leave a character out of a code, so that what is left looks like one: "KGJ-GFB-55" and "AB-CDE-FGH" do not."""
    while True:
        code = printed(Kind.PACK, generate(Kind.PACK, "any poll"))
        shorter = code[1:]
        if codes.contains_code(shorter):
            return shorter


def swapped(code: str) -> str:
    """Swap two different characters next to each other."""
    for at in range(len(code) - 1):
        if code[at] != code[at + 1] and "-" not in code[at : at + 2]:
            return code[:at] + code[at + 1] + code[at] + code[at + 2 :]
    raise AssertionError("all the same")


async def test_the_vote_code_of_another_letter_is_explained_and_the_pack_is_remembered(town: Town) -> None:
    ada, bob = town.member("ada"), town.member("bob")

    await ada.gives_codes(f"{ada.pack.pack_code} {bob.pack.vote_code}")
    await ada.hears("does not go with this pack code")
    await ada.types(ada.pack.vote_code)

    await ada.hears("This is your voting paper")


async def test_too_many_wrong_vote_codes_hold_the_pack_and_say_who_helps(town: Town) -> None:
    ada = town.member("ada")
    others = [town.letters[number] for name, number in town.member_nos.items() if name not in ("ada", "newt")]
    wrong = [letter.vote_code for letter in others]
    await ada.gives_codes(ada.pack.pack_code)
    await ada.hears(ada.pack.word)
    for code in wrong:
        await ada.types(code)
        await ada.heard_any("does not go with this pack code", "is held for safety")
    while True:
        await ada.types(printed(Kind.VOTE, generate(Kind.VOTE, town.poll.id)))
        heard = await ada.heard_any("does not go with this pack code", "is held for safety")
        if "held" in heard.words:
            break

    await ada.types(ada.pack.vote_code)
    await ada.hears("is held for safety")


async def test_the_last_wrong_vote_code_beside_its_pack_code_is_still_called_wrong(town: Town) -> None:
    """As it is when the codes come one after the other; only the next is told that the pack is held."""
    ada = town.member("ada")
    await ada.asks(ada.types("/vote"))
    await ada.asks(ada.presses("I understand"))
    for _ in range(WRONG_VOTE_CODES_MAX):
        wrong = printed(Kind.VOTE, generate(Kind.VOTE, town.poll.id))
        await ada.asks(ada.types(f"{ada.pack.pack_code} {wrong}"), "does not go with this pack code")

    await ada.asks(ada.types(ada.pack.codes), "is held for safety")


async def test_an_ineligible_member_s_pack_opens_no_paper(town: Town) -> None:
    ada = town.member("ada")
    async with town.database.writing() as connection:
        await connection.execute(
            update(schema.member)
            .where(schema.member.c.member_no == ada.member_no)
            .values(eligible=False, ineligible_reason="lapsed")
        )

    await ada.gives_codes(ada.pack.codes)

    await ada.hears("you cannot vote in this ballot")


# -- /verify -----------------------------------------------------------------------------


async def test_checking_codes_never_counts_and_says_whether_a_vote_is_locked(town: Town) -> None:
    ada, mallory = town.member("ada"), town.stranger()
    await ada.gives_codes(ada.pack.codes, purpose="verify")
    good = await ada.hears("Your codes are good")
    assert ada.pack.word in good.words
    assert "Nobody has voted" in good.words
    await ada.votes("North Quay")

    await mallory.gives_codes(ada.pack.codes, purpose="verify")

    await mallory.hears("A vote with this pack is locked")
    assert await town.attempts() == 0


async def test_a_half_finished_conversation_lapses_after_an_hour(town: Town) -> None:
    ada = town.member("ada")
    await ada.gives_codes(ada.pack.pack_code)
    await ada.hears(ada.pack.word)
    town.clock.put(town.clock() + timedelta(hours=1, minutes=1))

    await ada.types(ada.pack.vote_code)

    await ada.hears("What would you like to do with it?")


async def test_a_vote_by_post_is_explained(town: Town) -> None:
    ada = town.member("ada")
    async with town.database.writing() as connection:
        pack = (await connection.execute(schema.pack.select().order_by(schema.pack.c.id))).first()
        assert pack is not None
        await connection.execute(
            schema.lock.insert().values(member_id=pack.member_id, how=How.POST, at=town.clock(), pack_id=pack.id)
        )
    letter: Letter = ada.pack

    await ada.asks(ada.gives_codes(letter.codes), "a vote by post was taken in")
    assert await town.attempts() == 0
    await ada.asks(ada.types(letter.codes), "the staff can see it")
    case = await town.case_of("ada")
    assert case is not None
    assert [attempt.kind for attempt in case.attempts] == ["online_after_post"]


async def test_codes_corrected_by_editing_the_message_are_read(town: Town) -> None:
    """Who mistypes a code and mends it in place gets an answer, and the codes go from the chat."""
    ada = town.member("ada")
    wrong = ada.pack.codes[:-1] + ("2" if ada.pack.codes[-1] != "2" else "3")
    sent = await ada.gives_codes(wrong)
    await town.settles()

    await ada.asks(ada.edits(sent, ada.pack.codes), "your voting paper")

    await town.settles()
    assert ada.pack.pack_code not in " ".join(message.words for message in ada.messages)


async def test_codes_below_a_picture_are_read_and_deleted(town: Town) -> None:
    ada = town.member("ada")
    await ada.gives_codes("?")
    await town.settles()

    await ada.asks(ada.sends_photo(b"x", caption=ada.pack.codes), "your voting paper")

    await town.settles()
    assert all(ada.pack.pack_code not in (message.caption or "") for message in ada.messages)


@pytest.mark.parametrize("kind", ["poll", "venue"])
async def test_codes_in_a_poll_or_a_place_are_read_and_deleted(town: Town, kind: str) -> None:
    ada = town.member("ada")
    await ada.gives_codes("?")
    await town.settles()
    codes = ada.pack.codes.split()
    content = {
        "poll": {
            "id": "1",
            "question": codes[0],
            "options": [{"text": codes[1], "voter_count": 0, "persistent_id": "1"}],
            "total_voter_count": 0,
            "is_closed": False,
            "is_anonymous": True,
            "type": "regular",
            "allows_multiple_answers": False,
            "allows_revoting": False,
            "members_only": False,
        },
        "venue": {"title": codes[0], "address": codes[1], "location": {"latitude": 1.0, "longitude": 1.0}},
    }[kind]
    person = {"id": ada.id, "is_bot": False, "first_name": "Ada", "language_code": "en"}
    chat = {"id": ada.id, "type": "private", "first_name": "Ada"}

    async def sends() -> None:
        message = {"message_id": 99_000, "date": 1, "chat": chat, "from": person, kind: content}
        town.sandbox.telegram.update("message", message, chat_id=ada.id)

    await ada.asks(sends(), "your voting paper")
