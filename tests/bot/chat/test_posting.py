"""Messages as they arrive on a phone: said, changed in place, answered; and what Telegram's refusals come to."""

import pytest
from telegram import Bot
from telegram.error import BadRequest, Forbidden

from bot.chat import posting
from bot.chat.said import Said, plainly
from bot.sandbox import Person, Sandbox

BUTTONS = ((("Yes", "gyes:.x"), ("Read", "https://ballot.example/")), ())


@pytest.fixture
async def ada(sandbox: Sandbox) -> Person:
    ada = sandbox.telegram.person("Ada")
    await ada.types("/start")
    return ada


async def test_a_message_arrives_with_its_words_in_html_and_its_buttons(bot: Bot, ada: Person) -> None:
    message_id = await posting.send(bot, Said("<b>Cast</b> it?", BUTTONS), ada.id)

    assert ada.last.message_id == message_id
    assert ada.last.html == "<b>Cast</b> it?"
    assert [(button.text, button.callback_data, button.url) for button in ada.last.buttons[0]] == [
        ("Yes", "gyes:.x", None),
        ("Read", None, "https://ballot.example/"),
    ]
    assert len(ada.last.buttons) == 1  # an empty row is no row


async def test_plain_words_are_read_as_they_were_written(bot: Bot, ada: Person) -> None:
    await posting.send(bot, plainly('"5 < 6" & <b>'), ada.id)

    assert ada.last.text == '"5 < 6" & <b>'


async def test_a_changed_message_stays_where_it_is_and_loses_buttons_it_is_not_given(bot: Bot, ada: Person) -> None:
    message_id = await posting.send(bot, Said("One", BUTTONS), ada.id)

    await posting.edit(bot, Said("Two"), ada.id, message_id)

    assert [(one.message_id, one.text, one.labels) for one in ada.messages if one.sender == "bot"] == [
        (message_id, "Two", [])
    ]


async def test_a_message_that_says_it_already_is_no_trouble(bot: Bot, ada: Person) -> None:
    message_id = await posting.send(bot, Said("One", BUTTONS), ada.id)

    await posting.edit(bot, Said("One", BUTTONS), ada.id, message_id)

    assert not ada.last.edited


async def test_a_message_that_is_gone_is_told_to_who_wanted_to_change_it(bot: Bot, ada: Person) -> None:
    with pytest.raises(BadRequest):
        await posting.edit(bot, Said("One"), ada.id, 4711)


async def test_somebody_who_blocked_the_bot_is_told_to_who_wanted_to_write(bot: Bot, ada: Person) -> None:
    await ada.blocks()

    with pytest.raises(Forbidden):
        await posting.send(bot, Said("One"), ada.id)


async def test_a_press_too_old_needs_no_answer_and_a_long_one_is_cut(bot: Bot, ada: Person) -> None:
    await posting.send(bot, Said("One", BUTTONS), ada.id)
    press = await ada.presses("Yes")
    assert press is not None

    await posting.answer_press(bot, "4711", "Nobody reads this.")
    await posting.answer_press(bot, press.id, "x" * 300)

    assert ada.alerts == ["x" * posting.TOAST_CHARACTERS_MAX]


async def test_the_key_that_shares_one_s_number_comes_and_goes(bot: Bot, ada: Person) -> None:
    await posting.send(bot, Said("Who?", contact_key="Share my number"), ada.id)
    assert ada.buttons == ["Share my number"]

    await posting.send(bot, Said("Thank you", removes_keys=True), ada.id)
    assert ada.buttons == []
