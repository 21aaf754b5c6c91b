"""Windows and broadcasts in the staff's chat: drafted, tried on, approved by another, sent, watched, reported."""

import pytest
from staff_stories import is_true, sends_with, until
from town import Town, Townsperson

from messages.notices import notices
from messages.notices.model import Notice
from voting.poll import window


async def notice_of(town: Town, notice_id: int = 1) -> Notice:
    async with town.database.reading() as connection:
        return await notices.show(connection, notice_id)


async def drafts_notice(person: Townsperson, kind: str = "Reminder", audience: str = "Everybody") -> None:
    await person.types("/broadcast")
    await person.hears("What shall members be told?")
    await person.presses(kind)
    await person.hears("to whom?")
    await person.presses(audience)
    await person.hears("Written by")


async def test_a_notice_goes_from_one_to_another_and_to_everybody(town: Town) -> None:
    gwen, mair = await town.staff("gwen"), await town.staff("mair", "comms")
    ada = town.member("ada")
    await ada.links()

    await drafts_notice(gwen)
    page = gwen.last.words
    assert "5 members" in page
    assert "1 by Telegram" in page
    assert "segment" in page
    assert "GBP" in page
    await gwen.presses("Send for approval")
    await gwen.hears("waits for approval")
    await mair.hears("Gwen asks you to look at this")
    await mair.presses("Approve")
    await mair.hears("Approved by Mair")
    await gwen.hears("Mair has approved notice 1")
    await gwen.presses("Send it now")

    await gwen.hears("told", timeout_seconds=20)
    await ada.hears("leader ballot", timeout_seconds=20)

    async def reported() -> bool:
        return any("Why not" in message.words for message in gwen.messages)

    await until(reported, 20)
    file = await gwen.hears("those it did not tell", timeout_seconds=20)
    assert file.document is not None
    name, content = file.document
    assert name == "notice-1-not-reached.csv"
    assert town.member_nos["carl"] in content.decode()
    assert town.member_nos["ada"] not in content.decode()


async def test_a_notice_comes_in_the_language_the_member_chose_in_the_chat(town: Town) -> None:
    gwen, mair = await town.staff("gwen"), await town.staff("mair", "comms")
    ada, sian = town.member("ada"), town.member("sian")
    for member, choice, heard in ((ada, "Cymraeg", "Byddaf yn defnyddio'r Gymraeg"), (sian, "English", "English")):
        await member.links()
        await member.asks(member.types("/language"))
        await member.asks(member.presses(choice), heard)

    await drafts_notice(gwen)
    await sends_with(gwen, mair)

    await ada.hears("ydych chi wedi pleidleisio?", timeout_seconds=20)
    await sian.hears("have you voted?", timeout_seconds=20)


async def test_nobody_approves_their_own_words(town: Town) -> None:
    gwen = await town.staff("gwen")
    await drafts_notice(gwen)

    assert "Approve" not in gwen.buttons
    assert "Send it now" not in gwen.buttons


async def test_a_test_comes_to_the_author_in_each_language(town: Town) -> None:
    gwen = await town.staff("gwen")
    await drafts_notice(gwen)

    await gwen.presses("Test to me")

    await gwen.sees_alert("On its way to you")
    before = (await notice_of(town)).state
    await until(lambda: is_true(sum(one.words.startswith("The leader ballot") for one in gwen.messages) == 2))
    assert before == "draft"


async def test_our_own_words_are_asked_for_in_every_language(town: Town) -> None:
    gwen = await town.staff("gwen", "comms")
    await gwen.types("/broadcast")
    await gwen.hears("What shall members be told?")
    await gwen.presses("Our own words")
    await gwen.hears("to whom?")
    await gwen.presses("Not voted")
    await gwen.hears("Write the words in English")
    await gwen.types("The helpline is open on Sunday & Monday.")
    await gwen.hears("Write the words in Welsh")
    await gwen.types("Mae'r llinell gymorth ar agor ddydd Sul.")

    page = await gwen.hears("Written by Gwen")
    assert "The helpline is open on Sunday & Monday." in page.words
    assert "ddydd Sul" in page.words
    assert (await notice_of(town)).content.audience == "not_voted"


async def test_an_area_is_typed_and_a_wrong_one_is_refused_with_what_there_is(town: Town) -> None:
    gwen = await town.staff("gwen", "comms")
    await gwen.types("/broadcast")
    await gwen.hears("What shall members be told?")
    await gwen.presses("Closing soon")
    await gwen.hears("to whom?")
    await gwen.presses("An area or a language")
    await gwen.hears("area:NAME")
    await gwen.types("Yorkshire")
    await gwen.hears("There is no audience called Yorkshire")
    await gwen.types("area:Yorkshire")

    await gwen.hears("Area Yorkshire")


async def test_an_edit_by_one_voids_what_another_was_about_to_approve(town: Town) -> None:
    """Two at once: the slower one is told, nothing is lost."""
    gwen, mair = await town.staff("gwen"), await town.staff("mair", "comms")
    await drafts_notice(gwen)
    await gwen.presses("Send for approval")
    await mair.hears("Gwen asks you to look at this")
    await gwen.hears("waits for approval")
    await gwen.presses("Make it urgent")
    await gwen.hears("urgent")

    await mair.presses("Approve")

    await mair.sees_alert("was changed meanwhile")
    assert (await notice_of(town)).approved_by is None


async def test_texts_while_telegram_takes_nothing_are_a_press_and_a_price(town: Town) -> None:
    """Pressed again, the notice waits for Telegram; either voids an approval."""
    gwen = await town.staff("gwen")
    await town.member("ada").links()
    await drafts_notice(gwen)
    assert "takes nothing" not in gwen.last.words

    await gwen.presses("By text if Telegram is stuck")
    await gwen.hears("If Telegram takes nothing for over a minute: up to 1 more by text, at most")
    assert (await notice_of(town)).content.texts_when_held

    await gwen.presses("Wait if Telegram is stuck")

    async def waits() -> bool:
        return not (await notice_of(town)).content.texts_when_held

    await until(waits)
    assert (await notice_of(town)).version == 3


async def test_a_notice_canceled_by_one_is_not_sent_by_another(town: Town) -> None:
    gwen, mair = await town.staff("gwen"), await town.staff("mair", "comms")
    await drafts_notice(gwen)
    await gwen.presses("Send for approval")
    await mair.hears("Gwen asks you to look at this")
    await mair.presses("Approve")
    await gwen.hears("has approved notice 1")
    await mair.presses("Cancel the notice")
    await mair.hears("canceled")

    await gwen.presses("Send it now")

    await gwen.sees_alert("has ended")
    assert (await notice_of(town)).state == "canceled"


async def test_sending_pressed_twice_sends_once(town: Town) -> None:
    gwen, mair = await town.staff("gwen"), await town.staff("mair", "comms")
    ada = town.member("ada")
    await ada.links()
    await drafts_notice(gwen)
    await gwen.presses("Send for approval")
    await mair.hears("Gwen asks you to look at this")
    await mair.presses("Approve")
    await gwen.hears("has approved notice 1")
    await gwen.presses("Send it now")
    await gwen.resends_last_press()

    await ada.hears("leader ballot", timeout_seconds=20)

    async def done() -> bool:
        return (await notice_of(town)).state == "done"

    await until(done, 20)
    assert sum("leader ballot" in message.words for message in ada.messages[1:]) == 1


@pytest.mark.parametrize(
    "typed",
    ["2022-08-01 2022-08-10", "1/8/2022 - 10/8/2022", "from 2022-08-01 until 2022-08-10"],
    ids=["ISO", "as people write", "in a sentence"],
)
async def test_a_window_is_moved_and_members_are_offered_the_news(town: Town, typed: str) -> None:
    gwen = await town.staff("gwen", "comms")
    await gwen.types("/window")
    await gwen.hears("Send the new first and last day")
    await gwen.types(typed)
    await gwen.hears("Why?")
    await gwen.types("added security")
    await gwen.hears("1–10 August 2022")
    await gwen.presses("Set these days")
    await gwen.hears("Members have not been told yet")

    await gwen.presses("Tell members")

    await gwen.hears("The days changed: to whom?")
    async with town.database.reading() as connection:
        now = await window.current(connection)
    assert (now.version, now.reason, now.set_by) == (2, "added security", "Gwen")


async def test_a_window_in_one_line_is_confirmed_first(town: Town) -> None:
    gwen = await town.staff("gwen")

    await gwen.types("/window 2022-08-01 2022-08-10: added security")

    await gwen.hears("Reason: added security")
    async with town.database.reading() as connection:
        assert (await window.current(connection)).version == 1


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("tomorrow", "is not a day"),
        ("2022-08-10 2022-08-01", "must end on or after"),
        ("2022-13-01 2022-08-10", "is not a day"),
        ("2022-08-10", "is not a day"),
    ],
)
async def test_days_that_cannot_be_are_refused_and_asked_again(town: Town, typed: str, answer: str) -> None:
    gwen = await town.staff("gwen")
    await gwen.types("/window")
    await gwen.hears("Send the new first and last day")
    await gwen.types(typed)
    await gwen.hears(answer)

    await gwen.types("2022-08-01 2022-08-10")

    await gwen.hears("Why?")
