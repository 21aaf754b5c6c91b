"""Stories of everything but voting: where is my pack, linking, missing packs, language, texts, privacy, help."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select
from staff_stories import until
from town import Town

from bot.chat import members_menu
from bot.member import privacy
from bot.schema import chat, missing_pack
from messages.reach import BY_MEMBER, State, channels_of
from messages.schema import delivery, one_time_code
from voting import schema
from voting.model import By, Phase, StaffRules
from voting.refusals import PollStillOpen
from voting.roll import roll
from voting.store.database import Database

pytestmark = pytest.mark.filterwarnings("ignore:.*PTB_TIMEDELTA:telegram.warnings.PTBDeprecationWarning")

AFTER_WINDOW = datetime(2022, 8, 8, 10, tzinfo=UTC)
EARLY, LATE = date(2022, 8, 1), date(2022, 8, 10)


# -- /start, /help, menus ----------------------------------------------------------------


async def test_the_letter_s_qr_code_opens_with_what_to_do(town: Town) -> None:
    ada = town.member("ada")

    await ada.opens(f"https://t.me/{town.sandbox.telegram.bot_username}?start=pack")

    await ada.hears("You have your voting pack")
    assert ada.buttons == ["Vote", "Check my codes", "Link this chat to me", "Where is my pack?", "Help"]


@pytest.mark.parametrize(("spoken", "first"), [("en", "Begin"), ("cy", "Dechrau"), (None, "Begin"), ("fr", "Begin")])
async def test_the_commands_menu_is_in_the_reader_s_language(town: Town, spoken: str | None, first: str) -> None:
    person = town.stranger(language_code=spoken)

    assert [command.command for command in person.commands] == list(members_menu.COMMANDS)
    assert person.commands[0].description.startswith(first)


@pytest.mark.parametrize(
    ("spoken", "heard"), [("en", "Hello"), ("cy", "Helô"), ("cy-GB", "Helô"), ("pl", "Hello"), (None, "Hello")]
)
async def test_the_client_s_language_is_spoken_until_one_is_chosen(town: Town, spoken: str, heard: str) -> None:
    person = town.stranger(language_code=spoken)

    await person.types("/start")

    await person.hears(heard)


async def test_the_commands_menu_follows_the_language_chosen(town: Town) -> None:
    """The app speaks English still; the menu is this chat's own from now on, and nobody else's."""
    ada, bob = town.member("ada"), town.member("bob")
    await ada.asks(ada.types("/language"))
    await ada.asks(ada.presses("Cymraeg"), "Byddaf yn defnyddio'r Gymraeg")
    await town.settles()

    assert [command.command for command in ada.commands] == list(members_menu.COMMANDS)
    assert ada.commands[0].description.startswith("Dechrau")
    assert bob.commands[0].description.startswith("Begin")


async def test_who_is_on_the_staff_keeps_their_menu_when_they_choose(town: Town) -> None:
    gwen = await town.staff("gwen")

    async def menu_of_staff() -> bool:
        return gwen.commands[0].command == "staff"

    await until(menu_of_staff)
    await gwen.asks(gwen.types("/language"))
    await gwen.asks(gwen.presses("English"), "I speak English here")
    await town.settles()

    assert await menu_of_staff()


async def test_a_language_once_chosen_stays(town: Town) -> None:
    ada = town.member("ada")
    await ada.types("/language")
    await ada.hears("Which language")
    assert ada.buttons == ["English", "Cymraeg"]

    await ada.presses("Cymraeg")
    await ada.hears("Byddaf yn defnyddio'r Gymraeg")
    await ada.types("/help")
    await ada.hears("Sut mae pleidleisio")


async def test_help_says_how_to_vote_and_reaches_the_staff(town: Town) -> None:
    ada = town.member("ada")
    await ada.types("/help")
    await ada.hears("How to vote")

    await ada.presses("Ask the staff for help")

    await ada.hears("They do not know yet who you are")


@pytest.mark.parametrize(
    ("language_code", "heard"),
    [
        pytest.param("en", "You can also reach the staff here: help@boathouse.example", id="English"),
        pytest.param("cy", "Gallwch hefyd gysylltu â'r staff yma: help@boathouse.example", id="Welsh"),
    ],
)
async def test_help_names_the_staffs_contact_where_the_poll_has_one(
    database: Database, tmp_path: Path, language_code: str, heard: str
) -> None:
    async with Town(database, tmp_path, staff=StaffRules(contact="help@boathouse.example")) as town:
        ada = town.member("ada", language_code=language_code)
        await ada.types("/help")
        await ada.hears(heard)


@pytest.mark.parametrize("typed", ["hello", "/unknown", "what?", "1234"])
async def test_words_we_do_not_know_are_answered_with_what_we_do(town: Town, typed: str) -> None:
    ada = town.member("ada")

    await ada.types(typed)

    await ada.hears("Sorry, I did not understand")
    assert "Vote" in ada.buttons


async def test_pictures_and_files_are_answered_and_one_sent_for_codes_is_deleted(town: Town) -> None:
    ada = town.member("ada")
    await ada.types("/start")
    await ada.sends_photo(b"jpeg")
    await ada.hears("I can only read words")
    await ada.gives_codes("/verify")

    photo = await ada.sends_photo(b"a letter")

    await ada.hears("I can only read words")
    assert photo.message_id not in [message.message_id for message in ada.messages]


async def test_an_edited_message_is_not_read_again_when_nothing_is_asked_for_but_codes_in_it_go(town: Town) -> None:
    ada = town.member("ada")
    sent = await ada.types("hello")
    await ada.hears("Sorry")

    await ada.edits(sent, ada.pack.codes)

    await town.settles()
    assert ada.pack.pack_code not in " ".join(message.words for message in ada.messages)


@pytest.mark.parametrize("asked", ["/vote", "/verify"])
async def test_who_edits_an_older_message_after_the_codes_were_right_is_told_nothing(town: Town, asked: str) -> None:
    """What was asked for is done: a word mended in an old message is no question."""
    ada = town.member("ada")
    sent = await ada.types("helo")
    await ada.hears("Sorry")
    if asked == "/vote":
        await ada.votes("North Quay")
    else:
        await ada.gives_codes(ada.pack.codes, purpose="verify")
        await ada.hears("Your codes are good")
    await town.settles()
    before = [(message.message_id, message.words) for message in ada.messages if message.sender == "bot"]

    await ada.edits(sent, "hello")

    await town.settles()
    assert [(one.message_id, one.words) for one in ada.messages if one.sender == "bot"] == before


async def test_codes_edited_into_an_older_message_after_the_vote_get_the_truth_and_go(town: Town) -> None:
    ada = town.member("ada")
    sent = await ada.types("hello")
    await ada.hears("Sorry")
    await ada.votes("North Quay")

    await ada.asks(ada.edits(sent, ada.pack.codes), "locked")

    await town.settles()
    assert ada.pack.pack_code not in " ".join(message.words for message in ada.messages)


async def test_a_group_is_met_with_silence(town: Town) -> None:
    ada, bob = town.member("ada"), town.member("bob")
    group = town.sandbox.telegram.group("Club", members=[ada.person, bob.person], bot_sees_all=True)

    await ada.types("/vote", chat=group)
    await ada.types(ada.pack.codes, chat=group)
    await town.settles()

    assert [message.sender for message in group.messages if message.sender == "bot"] == []


# -- /status -----------------------------------------------------------------------------


async def test_an_unlinked_chat_hears_dates_the_rule_and_how_to_link(town: Town) -> None:
    ada = town.member("ada")

    await ada.types("/status")

    said = await ada.hears("I do not know yet which member you are")
    assert "Voting closes at 5:00 pm on Friday 2 September 2022 (BST)" in said.words
    assert "One vote." in said.words
    assert ada.buttons == ["Link this chat to me"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"dispatched_on": None}, "has not been posted yet"),
        ({"dispatched_on": date(2022, 8, 2)}, "was posted on Tuesday 2 August 2022"),
        ({"dispatched_on": date(2022, 8, 2), "delivered_on": LATE}, "was delivered on Wednesday 10 August 2022"),
        ({"returned_on": date(2022, 8, 4)}, "came back to us on Thursday 4 August 2022"),
    ],
    ids=["not posted", "posted", "delivered", "returned"],
)
async def test_status_says_where_the_pack_is(town: Town, values: dict[str, object], said: str) -> None:
    ada = town.member("ada")
    await town.changes_pack("ada", **values)
    await ada.links()

    await ada.types("/status")

    heard = await ada.hears(said)
    assert "You have not voted yet" in heard.words
    assert "Voting closes at" in heard.words
    assert "One vote." in heard.words


async def test_status_says_that_a_pack_is_a_new_one(town: Town) -> None:
    ada = town.member("ada")
    await town.changes_pack("ada", state="replaced")
    async with town.database.writing() as connection:
        member_id = (await roll.find(connection, ada.member_no)).id
        second = {"member_id": member_id, "serial": 2, "pack_hash": b"h" * 32, "state": "live"}
        await connection.execute(insert(schema.pack).values(**second, issued_at=town.clock()))
    await ada.links()

    await ada.types("/status")

    await ada.hears("It is a new pack")


async def test_status_says_until_when_the_pack_comes_and_that_the_days_changed(town: Town) -> None:
    ada = town.member("ada")
    await ada.links()
    await town.moves_window(EARLY, LATE, "added security")

    await ada.types("/status")

    said = await ada.hears("It should arrive between 1 and 10 August")
    assert "These dates have changed. Before: 1–5 August 2022. Reason: added security" in said.words


async def test_status_in_welsh(town: Town) -> None:
    sian = town.member("sian", language_code="en")
    await sian.links()

    await sian.types("/status")

    said = await sian.hears("Dylai gyrraedd rhwng 1 a 5 Awst")
    assert "Un bleidlais." in said.words
    assert sian.buttons == ["Pleidleisio", "Gwirio fy nghodau"]


async def test_status_says_that_one_has_voted_how_and_when_never_what(town: Town) -> None:
    ada = town.member("ada")
    receipt = await ada.votes("North Quay")
    await ada.types("/status")
    assert receipt in (await ada.hears("It was cast here at 11:00 am")).words
    await ada.links()

    await ada.types("/status")

    said = await ada.hears("Your vote is locked")
    assert receipt in said.words
    assert "Quay" not in said.words
    assert ada.buttons == ["This was not me"]


async def test_who_cannot_vote_hears_why_and_who_helps(town: Town) -> None:
    newt = town.member("newt")
    await newt.links()

    await newt.types("/status")

    await newt.hears("you joined after the last day for this ballot")
    assert newt.buttons == ["Ask the staff for help"]


# -- linking -----------------------------------------------------------------------------


async def test_somebody_else_s_number_links_nothing(town: Town) -> None:
    ada, mallory = town.member("ada"), town.stranger()

    for owner in (ada.id, 0):
        await mallory.shares_contact(phone=ada.number, owner_id=owner)
        await mallory.hears("That is somebody else's number")

    assert await linked_chats(town) == 0


async def test_the_button_that_shares_the_number_goes_once_it_is_shared(town: Town) -> None:
    ada = town.member("ada")
    await ada.types("/status")
    await ada.hears("do not know yet")
    await ada.presses("Link this chat to me")
    await ada.hears("Share my phone number")

    await ada.presses("Share my phone number")

    await ada.hears("this chat is linked to member")
    assert ada.chat.keyboard is None


async def test_members_who_share_a_number_are_told_apart_by_member_number(town: Town) -> None:
    bob, bea = town.member("bob"), town.member("bea")
    await bob.shares_contact(phone=bob.number)
    await bob.hears("More than one member has this number")
    await bob.types("999999")
    await bob.hears("not the number of a member with this phone")

    await bob.types(bea.member_no)

    await bob.hears(f"linked to member {bea.member_no}")


async def test_a_member_number_and_the_code_sent_to_the_phone_link_a_chat(town: Town) -> None:
    ada, other_phone = town.member("ada"), town.stranger("ada2")
    await begin_by_number(other_phone, ada.member_no)
    sms = await ada.phone.hears("is your code")

    await other_phone.types("000000" if not sms.body.startswith("000000") else "111111")
    await other_phone.hears("That is not the code we sent")
    await other_phone.types(sms.body.split()[0])

    await other_phone.hears(f"linked to member {ada.member_no}")


async def test_a_member_number_that_does_not_exist_gets_the_same_answers(town: Town) -> None:
    ada, mallory, guesser = town.member("ada"), town.stranger(), town.stranger("guesser")
    real = await begin_by_number(mallory, ada.member_no)
    unreal = await begin_by_number(guesser, "999999")
    assert real.words == unreal.words
    code = (await ada.phone.hears("is your code")).body.split()[0]
    wrong = [digits for digits in ("000000", "111111", "222222", "333333", "444444", "555555") if digits != code]

    for digits in wrong[:5]:
        heard = []
        for person in (mallory, guesser):
            await person.types(digits)
            heard.append((await person.heard_any("That is not the code", "too many wrong codes")).words)
        assert heard[0] == heard[1]
    assert "too many" in heard[0]
    assert await linked_chats(town) == 0


async def test_a_code_is_sent_at_most_three_times_a_day_to_a_member(town: Town) -> None:
    ada = town.member("ada")
    for turn in range(5):
        await begin_by_number(town.stranger(f"guesser{turn}"), ada.member_no)
    await town.settles()

    async with town.database.reading() as connection:
        assert await connection.scalar(select(func.count()).select_from(one_time_code)) == 3


async def test_a_code_that_is_too_old_links_nothing(town: Town) -> None:
    ada, other_phone = town.member("ada"), town.stranger("ada2")
    await begin_by_number(other_phone, ada.member_no)
    code = (await ada.phone.hears("is your code")).body.split()[0]
    town.clock.put(town.clock() + timedelta(minutes=11))

    await other_phone.types(code)

    await other_phone.hears("or it is too old")


async def begin_by_number(person: object, member_no: str):  # type: ignore[no-untyped-def]  # noqa: ANN201 - a Message
    await person.types("/status")
    await person.hears("do not know yet")
    await person.presses("Link this chat to me")
    await person.hears("type your member number")
    await person.types(member_no)
    return await person.hears("Please type the code here")


async def linked_chats(town: Town) -> int:
    async with town.database.reading() as connection:
        return int(await connection.scalar(select(func.count()).where(chat.c.member_id.is_not(None))) or 0)


async def test_blocking_and_coming_back_are_states_of_the_channel(town: Town) -> None:
    ada = town.member("ada")
    await ada.links()
    for act, state, reason in ((ada.blocks, State.BLOCKED, BY_MEMBER), (ada.unblocks, State.ON, None)):
        await act()
        await town.settles()
        async with town.database.reading() as connection:
            member = await roll.find(connection, ada.member_no)
            found = (await channels_of(connection, member.id))[0]
        assert (found.state, found.reason) == (state, reason)


# -- /missing ----------------------------------------------------------------------------


async def test_before_the_window_ends_missing_is_a_kind_answer_with_the_dates(town: Town) -> None:
    ada = town.member("ada")
    await ada.links()

    await ada.types("/missing")

    said = await ada.hears("Your pack can still come")
    assert "between 1 and 5 August" in said.words
    assert await reported(town) == 0


async def test_after_the_window_a_missing_pack_is_reported_once(town: Town) -> None:
    ada = town.member("ada")
    await ada.links()
    town.clock.put(AFTER_WINDOW)

    await ada.types("/missing")
    await ada.hears("The staff know now")
    await ada.types("/missing")
    await ada.hears("the staff are seeing to it")
    await ada.types("/status")
    await ada.hears("that it is missing or damaged")

    assert await reported(town) == 1


async def test_a_damaged_pack_is_reported_at_any_time(town: Town) -> None:
    ada = town.member("ada")
    await ada.links()
    await ada.types("/missing")
    await ada.hears("can still come")

    await ada.presses("It came, but damaged")

    await ada.hears("The staff know now")
    assert await reported(town) == 1


async def test_who_has_voted_needs_no_pack(town: Town) -> None:
    ada = town.member("ada")
    await ada.links()
    await ada.votes("North Quay")

    await ada.types("/missing")

    await ada.hears("you do not need a pack any more")


async def test_an_unlinked_chat_is_asked_to_link_first(town: Town) -> None:
    ada = town.member("ada")
    await ada.types("/missing")
    await ada.hears("Link this chat to yourself")


async def reported(town: Town) -> int:
    async with town.database.reading() as connection:
        return int(await connection.scalar(select(func.count()).select_from(missing_pack)) or 0)


# -- /sms --------------------------------------------------------------------------------


async def test_texts_are_turned_off_and_on_again(town: Town) -> None:
    ada = town.member("ada")
    await ada.links()
    await ada.types("/sms")
    await ada.hears("ending in 201 are on")

    await ada.presses("Turn text messages off")
    await ada.hears("are off")
    assert await sms_state(town, "ada") is State.OPTED_OUT
    await ada.presses("Turn text messages on")
    await ada.hears("are on")
    assert await sms_state(town, "ada") is State.ON


async def test_a_shared_number_is_said_to_be_shared(town: Town) -> None:
    bob, bea = town.member("bob"), town.member("bea")
    await bob.shares_contact(phone=bob.number)
    await bob.hears("More than one")
    await bob.types(bea.member_no)
    await bob.hears("linked to member")

    await bob.types("/sms")

    await bob.hears("Another member has the same number")


async def sms_state(town: Town, name: str) -> State:
    async with town.database.reading() as connection:
        member = await roll.find(connection, town.member_nos[name])
        return next(found.state for found in await channels_of(connection, member.id) if found.kind == "sms")


# -- /privacy ----------------------------------------------------------------------------


async def test_privacy_says_what_is_kept_and_hands_it_out(town: Town) -> None:
    ada = town.member("ada")
    await ada.links()
    receipt = await ada.votes("North Quay")
    await ada.types("/privacy")
    said = await ada.hears("What is kept about you")
    assert "ends in 201" in said.words
    assert "Telegram and our service can" in said.words

    await ada.presses("Send me my data")

    sent = await ada.hears("This is all that is kept")
    assert sent.document is not None
    data = json.loads(sent.document[1])
    assert data["member"]["phone"] == ada.number
    assert data["votes_locked_from_this_chat"][0]["receipt"] == receipt
    assert "Quay" not in sent.document[1].decode()


async def test_forgetting_removes_the_chat_and_the_number_never_the_lock(town: Town) -> None:
    ada = town.member("ada")
    await ada.links()
    await ada.votes("North Quay")
    await ada.types("/privacy")
    await ada.hears("What is kept")
    await ada.presses("Forget this chat and my number")
    await ada.hears("Shall I forget")
    await ada.presses("Yes, forget them")
    await ada.hears("are forgotten here")

    async with town.database.reading() as connection:
        member = await roll.find(connection, ada.member_no)
        assert member.phone is None
        assert await channels_of(connection, member.id) == []
        assert await connection.scalar(select(func.count()).select_from(chat)) == 0
    assert await town.lock_of("ada") is not None


async def test_after_the_poll_everything_personal_is_forgotten_at_once(town: Town) -> None:
    ada = town.member("ada")
    await ada.links()
    await ada.votes("North Quay")
    await town.settles()
    with pytest.raises(PollStillOpen):
        await privacy.forget(town.database, by=By("Gwen", "command line", town.clock()))
    await town.closes_poll()

    forgotten = await privacy.forget(town.database, by=By("Gwen", "command line", town.clock()))
    again = await privacy.forget(town.database, by=By("Gwen", "command line", town.clock()))

    assert (forgotten.chats, forgotten.phones) == (1, 5)
    assert not any((again.chats, again.phones, again.channels, again.deliveries, again.inbox))
    assert await nothing_personal(town.database)
    assert await town.locks() == 1
    assert town.poll.phase is Phase.CLOSED


async def nothing_personal(database: Database) -> bool:
    async with database.reading() as connection:
        phones = await connection.scalar(select(func.count(schema.member.c.phone)))
        addresses = await connection.scalar(select(func.count()).where(delivery.c.address != ""))
        return phones == 0 and addresses == 0
