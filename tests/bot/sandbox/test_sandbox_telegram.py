"""The local Telegram, spoken to by the unmodified python-telegram-bot over HTTP."""

import asyncio
import csv
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeAllPrivateChats,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    Update,
)
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.request import HTTPXRequest

from bot.demo.roll import write_roll
from bot.sandbox import Fault, Person, Sandbox
from bot.sandbox.meter import Meter
from bot.sandbox.telegram.markup import parse_html, to_html

# The library announces a change of type of RetryAfter.retry_after each time it is read.
pytestmark = pytest.mark.filterwarnings("ignore:.*PTB_TIMEDELTA:telegram.warnings.PTBDeprecationWarning")

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"


@pytest.fixture
async def bot(sandbox: Sandbox) -> AsyncIterator[Bot]:
    async with bot_of(sandbox) as bot:
        yield bot


@pytest.fixture
async def ada(sandbox: Sandbox) -> Person:
    """Somebody who has pressed Start."""
    person = sandbox.telegram.person("Ada")
    await person.types("/start")
    return person


def bot_of(sandbox: Sandbox, token: str | None = None) -> Bot:
    return Bot(
        token or sandbox.telegram.token,
        base_url=f"{sandbox.telegram.api_url}/bot",
        base_file_url=f"{sandbox.telegram.api_url}/file/bot",
        request=HTTPXRequest(connection_pool_size=64, read_timeout=2),
        get_updates_request=HTTPXRequest(read_timeout=2),
    )


def keyboard(*labels: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton(label, callback_data=f"do:{label}") for label in labels]])


# -- updates by polling ------------------------------------------------------------------


async def test_a_text_waits_until_the_offset_confirms_it(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    (first,) = await bot.get_updates()
    (again,) = await bot.get_updates()

    assert first.update_id == again.update_id
    assert first.message.text == "/start"
    assert first.message.entities[0].type == "bot_command"
    assert await bot.get_updates(offset=first.update_id + 1) == ()


async def test_a_long_poll_ends_as_soon_as_something_happens(sandbox: Sandbox, bot: Bot) -> None:
    ada = sandbox.telegram.person("Ada")
    poll = asyncio.create_task(bot.get_updates(timeout=20))

    await ada.types("hello")

    (update,) = await asyncio.wait_for(poll, 2)
    assert update.message.text == "hello"
    assert update.message.from_user.id == ada.id == update.message.chat.id


async def test_a_negative_offset_drops_all_but_the_newest(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    await ada.types("one")
    await ada.types("two")

    (newest,) = await bot.get_updates(offset=-1)

    assert newest.message.text == "two"
    assert sandbox.telegram.pending == 1


async def test_a_second_poller_is_a_conflict_for_the_first(sandbox: Sandbox, bot: Bot) -> None:
    first = asyncio.create_task(bot.get_updates(timeout=20))
    while not first.done():
        async with bot_of(sandbox) as other:
            await other.get_updates()

    with pytest.raises(Conflict, match="terminated by other getUpdates"):
        await first


async def test_only_allowed_updates_are_kept(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    await bot.get_updates(offset=-1, allowed_updates=["message"])
    await ada.blocks()
    await ada.unblocks()
    await ada.types("still here")

    kinds = [next(iter(set(update.to_dict()) - {"update_id"})) for update in await bot.get_updates()]

    assert kinds == ["message", "message"]


async def test_a_redelivered_update_comes_again_with_the_same_id(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    (first,) = await bot.get_updates()
    await bot.get_updates(offset=first.update_id + 1)

    sandbox.telegram.redeliver(first.update_id)

    (again,) = await bot.get_updates(offset=first.update_id + 1)
    assert again.to_dict() == first.to_dict()
    assert await bot.get_updates(offset=first.update_id + 1) == ()


@pytest.mark.parametrize(
    ("token", "status"), [("8000000001:wrong", 401), ("nonsense", 404)], ids=["unknown", "malformed"]
)
async def test_a_wrong_token_is_invalid(
    sandbox: Sandbox, browser: aiohttp.ClientSession, token: str, status: int
) -> None:
    with pytest.raises(InvalidToken):
        async with bot_of(sandbox, token):
            pass  # entering asks getMe

    assert (await browser.get(f"/telegram/bot{token}/getMe")).status == status


async def test_any_other_kind_of_update_can_be_made(sandbox: Sandbox, bot: Bot) -> None:
    channel = {"id": -1001, "type": "channel", "title": "News"}
    sandbox.telegram.update("channel_post", {"message_id": 1, "date": 1, "chat": channel, "text": "Hi"})

    (update,) = await bot.get_updates()

    assert update.channel_post.text == "Hi"


# -- messages ----------------------------------------------------------------------------


async def test_a_message_arrives_with_its_marks_and_buttons(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    await bot.send_message(
        ada.id, "<b>Hello</b> 😀 <i>you &amp; me</i>", parse_mode="HTML", reply_markup=keyboard("Yes", "No")
    )

    message = await ada.hears("Hello")

    assert message.text == "Hello 😀 you & me"
    assert message.html == "<b>Hello</b> 😀 <i>you &amp; me</i>"
    assert ada.buttons == ["Yes", "No"]
    assert message.entities[1] == {"type": "italic", "offset": 9, "length": 8}


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("<blink>x</blink>", 'Unsupported start tag "blink" at byte offset 0'),
        ("é <x>", 'Unsupported start tag "x" at byte offset 3'),
        ("1 < 2", 'Unsupported start tag "" at byte offset 2'),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b><i>x</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
    ],
    ids=["unsupported", "offset in bytes", "bare less-than", "never closed", "never opened", "crossed"],
)
async def test_html_that_cannot_be_parsed_is_refused(
    sandbox: Sandbox, bot: Bot, ada: Person, source: str, reason: str
) -> None:
    with pytest.raises(BadRequest) as refused:
        await bot.send_message(ada.id, source, parse_mode="HTML")

    assert reason.lower() in str(refused.value).lower()


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("plain", "plain"),
        ("<b>a<i>b</i></b>c", "<b>a<i>b</i></b>c"),
        ("<b>a</b><i>b</i>", "<b>a</b><i>b</i>"),
        ("&lt;script&gt;&quot;", "&lt;script&gt;&quot;"),
        ("<code>1 &amp; 2</code>", "<code>1 &amp; 2</code>"),
        ("<a href='javascript:alert(1)'>x</a>", "x"),
        ("<span class='tg-spoiler'>s</span>", "s"),
        ("&eacute; &#233;", "&amp;eacute; é"),
    ],
    ids=["none", "nested", "touching", "escaped", "code", "script link", "spoiler", "references"],
)
def test_html_becomes_text_and_safe_html_again(source: str, shown: str) -> None:
    assert to_html(*parse_html(source)) == shown


async def test_an_edit_replaces_text_and_takes_buttons_away(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    sent = await bot.send_message(ada.id, "Sure?", reply_markup=keyboard("Yes"))

    await bot.edit_message_text("Done.", ada.id, sent.message_id)

    assert [message.text for message in ada.messages] == ["/start", "Done."]
    assert ada.last.edited
    assert ada.buttons == []
    assert [message.text for message in ada.history] == ["/start", "Sure?", "Done."]


async def test_buttons_alone_can_be_edited(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    sent = await bot.send_message(ada.id, "Sure?", reply_markup=keyboard("Yes"))

    await bot.edit_message_reply_markup(ada.id, sent.message_id, reply_markup=keyboard("Later"))

    assert (ada.last.text, ada.buttons) == ("Sure?", ["Later"])


async def test_the_bot_deletes_its_own_message_and_the_persons(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    codes = await ada.types("my secret codes")
    sent = await bot.send_message(ada.id, "Thanks")

    await bot.delete_message(ada.id, codes.message_id)
    await bot.delete_messages(ada.id, [sent.message_id, 999])

    assert [message.text for message in ada.messages] == ["/start"]
    assert [message.text for message in ada.history if message.deleted] == ["my secret codes", "Thanks"]


REFUSALS = {
    "same again": (lambda bot, at: bot.edit_message_text("Hi", *at), "is not modified"),
    "edit of nothing": (lambda bot, at: bot.edit_message_text("x", at[0], 99), "to edit not found"),
    "delete of nothing": (lambda bot, at: bot.delete_message(at[0], 99), "to delete not found"),
    "edit of theirs": (lambda bot, at: bot.edit_message_text("x", at[0], 1), "can't be edited"),
    "nobody": (lambda bot, _: bot.send_message(424242, "x"), "chat not found"),
    "empty": (lambda bot, at: bot.send_message(at[0], " \n "), "text is empty"),
    "4097 characters": (lambda bot, at: bot.send_message(at[0], "x" * 4097), "is too long"),
    "caption of 1025": (
        lambda bot, at: bot.send_photo(at[0], b"\x89PNG", caption="x" * 1025),
        "caption is too long",
    ),
    "65 bytes of data": (
        lambda bot, at: bot.send_message(
            at[0],
            "x",
            reply_markup={"inline_keyboard": [[{"text": "x", "callback_data": "é" * 32 + "x"}]]},
        ),
        "[Bb]utton_data_invalid",
    ),
    "a button that does nothing": (
        lambda bot, at: bot.send_message(at[0], "x", reply_markup={"inline_keyboard": [[{"text": "x"}]]}),
        "unallowed in the inline keyboard",
    ),
    "an unknown press": (lambda bot, _: bot.answer_callback_query("12345"), "[Qq]uery is too old"),
    "an unknown file": (lambda bot, _: bot.get_file("nothing"), "invalid file_id"),
}


@pytest.mark.parametrize(("ask", "reason"), REFUSALS.values(), ids=REFUSALS)
async def test_what_telegram_would_refuse_is_refused(
    sandbox: Sandbox,
    bot: Bot,
    ada: Person,
    ask: Callable[[Bot, tuple[int, int]], Awaitable[object]],
    reason: str,
) -> None:
    sent = await bot.send_message(ada.id, "Hi")

    with pytest.raises(BadRequest, match=f"(?i){reason}"):
        await ask(bot, (ada.id, sent.message_id))

    assert sandbox.telegram.meter.accepted == 2  # getMe and the first message


async def test_the_longest_text_data_and_caption_pass(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    """Whole, and counted as people see them: an entity is one character, a button's data is bytes."""
    await bot.send_message(ada.id, "x" * 4096)
    await bot.send_photo(ada.id, b"\x89PNG", caption="x" * 1024)
    markup = InlineKeyboardMarkup([[InlineKeyboardButton("x", callback_data="é" * 32)]])
    await bot.send_message(ada.id, "&lt;" * 4096, parse_mode="HTML", reply_markup=markup)

    text, picture, marked = ada.messages[-3:]
    assert (text.text, picture.caption, marked.text) == ("x" * 4096, "x" * 1024, "<" * 4096)
    assert [button.callback_data for row in marked.buttons for button in row] == ["é" * 32]


async def test_pictures_and_documents_travel_both_ways(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    await bot.send_photo(ada.id, b"\x89PNG-picture", caption="Turnout")
    sent = await bot.send_document(ada.id, b"a,b\n", filename="report.csv")
    await ada.sends_document("postal.csv", b"pack_code\n")

    picture, document = ada.messages[1:3]
    assert (picture.photo, picture.caption) == (b"\x89PNG-picture", "Turnout")
    assert document.document == ("report.csv", b"a,b\n")
    received = (await bot.get_updates())[-1].message.document
    assert received.file_name == "postal.csv"
    file = await bot.get_file(received.file_id)
    assert bytes(await file.download_as_bytearray()) == b"pack_code\n"
    await bot.send_document(ada.id, sent.document.file_id)
    assert ada.last.document == ("report.csv", b"a,b\n")


async def test_a_long_text_of_a_person_comes_in_pieces(sandbox: Sandbox, bot: Bot) -> None:
    ada = sandbox.telegram.person("Ada")

    await ada.types("x" * 5000)

    assert [len(update.message.text) for update in await bot.get_updates()] == [4096, 904]


async def test_control_characters_of_a_person_are_cleaned_away(sandbox: Sandbox, bot: Bot) -> None:
    ada = sandbox.telegram.person("Ada")

    assert await ada.types("\x00\x01 \u202e") is None
    await ada.types(" a\x00b\u202ec\r\nd ")

    (update,) = await bot.get_updates()
    assert update.message.text == "a bc\nd"


# -- presses -----------------------------------------------------------------------------


async def press_update(bot: Bot) -> Update:
    update = (await bot.get_updates(timeout=2))[-1]
    await bot.get_updates(offset=update.update_id + 1)
    return update


async def test_a_press_reaches_the_bot_and_the_answer_the_person(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    await bot.send_message(ada.id, "Sure?", reply_markup=keyboard("Cast my vote"))

    await ada.presses("Cast")

    query = (await press_update(bot)).callback_query
    assert (query.data, query.from_user.id, query.message.text) == ("do:Cast my vote", ada.id, "Sure?")
    await query.answer("Locked.")
    assert await ada.sees_alert("Locked") == "Locked."
    assert ada.alerts == ["Locked."]


async def test_a_stale_button_can_be_pressed_after_an_edit_and_after_a_deletion(
    sandbox: Sandbox, bot: Bot, ada: Person
) -> None:
    sent = await bot.send_message(ada.id, "Sure?", reply_markup=keyboard("Yes"))
    old = await ada.hears("Sure?")
    await bot.edit_message_text("Done.", ada.id, sent.message_id)

    await ada.presses("Yes", message=old)
    query = (await press_update(bot)).callback_query
    assert (query.data, query.message.text) == ("do:Yes", "Done.")

    await bot.delete_message(ada.id, sent.message_id)
    await ada.presses("Yes", message=old)
    query = (await press_update(bot)).callback_query
    assert (query.data, query.message.is_accessible) == ("do:Yes", False)


@pytest.mark.parametrize("same_query_id", [False, True], ids=["new query id", "same query id"])
async def test_a_resent_press_is_a_new_update(*, sandbox: Sandbox, bot: Bot, ada: Person, same_query_id: bool) -> None:
    await bot.send_message(ada.id, "Sure?", reply_markup=keyboard("Yes"))
    await ada.presses("Yes")
    first = await press_update(bot)

    await ada.resends_last_press(same_query_id=same_query_id)

    second = await press_update(bot)
    assert second.update_id > first.update_id
    assert second.callback_query.data == first.callback_query.data
    assert (second.callback_query.id == first.callback_query.id) is same_query_id


async def test_a_press_that_was_never_offered_can_be_forged(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    await bot.send_message(ada.id, "Sure?", reply_markup=keyboard("Yes"))

    await ada.press_data("admin:delete", message=ada.last)

    assert (await press_update(bot)).callback_query.data == "admin:delete"


async def test_a_press_too_old_cannot_be_answered(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    await bot.send_message(ada.id, "Sure?", reply_markup=keyboard("Yes"))
    await ada.presses("Yes")
    update = await press_update(bot)

    sandbox.telegram.press_lifetime_seconds = 0

    with pytest.raises(BadRequest, match="too old"):
        await update.callback_query.answer()


async def test_a_press_nobody_took_in_time_is_never_delivered(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    await bot.send_message(ada.id, "Sure?", reply_markup=keyboard("Yes"))
    await ada.presses("Yes")

    sandbox.telegram.press_lifetime_seconds = 0

    assert [update.message.text for update in await bot.get_updates()] == ["/start"]


async def test_a_button_that_is_not_there_is_told_with_the_chat(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    await bot.send_message(ada.id, "Sure?", reply_markup=keyboard("Yes"))

    with pytest.raises(AssertionError, match=r"(?s)no button with 'No'.*Ada: /start\nbot: Sure\? \[Yes\]"):
        await ada.presses("No", timeout_seconds=0)


async def test_a_press_waits_for_the_button_as_a_person_does(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    sent = await bot.send_message(ada.id, "Sure?")
    pressing = asyncio.ensure_future(ada.presses("Yes"))
    await asyncio.sleep(0)
    assert not pressing.done()

    await bot.edit_message_reply_markup(ada.id, sent.message_id, reply_markup=keyboard("Yes"))

    press = await pressing
    assert press is not None
    assert press.message.labels == ["Yes"]


async def test_a_reply_keyboard_types_shares_the_contact_and_goes(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    keys = ReplyKeyboardMarkup([["Status"], [KeyboardButton("Share my number", request_contact=True)]])
    await bot.send_message(ada.id, "Who are you?", reply_markup=keys)
    assert ada.buttons == ["Status", "Share my number"]

    await ada.presses("Status")
    await ada.presses("Share")

    typed, shared = (await bot.get_updates())[1:]
    assert typed.message.text == "Status"
    contact = shared.message.contact
    assert contact.user_id == ada.id
    assert f"+{contact.phone_number}" == ada.user.phone
    await bot.send_message(ada.id, "Thanks", reply_markup=ReplyKeyboardRemove())
    assert ada.buttons == []


@pytest.mark.parametrize(("owner_id", "seen"), [(77, 77), (0, None)], ids=["another user's", "of no user of Telegram"])
async def test_a_contact_can_be_somebody_elses(
    sandbox: Sandbox, bot: Bot, ada: Person, owner_id: int, seen: int | None
) -> None:
    await ada.shares_contact(phone="+447700900555", owner_id=owner_id)

    contact = (await bot.get_updates())[-1].message.contact
    assert (contact.phone_number, contact.user_id) == ("+447700900555", seen)


# -- who can be written to ---------------------------------------------------------------


async def test_nobody_is_written_to_before_they_start(sandbox: Sandbox, bot: Bot) -> None:
    ada = sandbox.telegram.person("Ada")

    with pytest.raises(Forbidden, match="can't initiate conversation"):
        await bot.send_message(ada.id, "Hello")


async def test_a_blocked_bot_hears_of_it_and_is_refused_until_unblocked(
    sandbox: Sandbox, bot: Bot, ada: Person
) -> None:
    await ada.blocks()

    change = (await bot.get_updates())[-1].my_chat_member
    assert (change.old_chat_member.status, change.new_chat_member.status) == ("member", "kicked")
    with pytest.raises(Forbidden, match="blocked by the user"):
        await bot.send_message(ada.id, "Hello")

    await ada.unblocks()
    await bot.send_message(ada.id, "Hello")


async def test_a_deleted_account_is_refused(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    ada.deactivated = True

    with pytest.raises(Forbidden, match="deactivated"):
        await bot.send_message(ada.id, "Hello")


async def test_a_group_that_became_a_supergroup_says_where_it_went(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    staff = sandbox.telegram.group("Staff", members=[ada])
    old = staff.chat_id

    new = staff.migrate()

    with pytest.raises(ChatMigrated) as moved:
        await bot.send_message(old, "Alert")
    assert moved.value.new_chat_id == new == staff.chat_id
    await bot.send_message(new, "Alert")
    assert (await ada.hears("Alert", chat=staff)).chat_id == new
    services = [update.message for update in await bot.get_updates() if update.message]
    assert [m.migrate_to_chat_id or m.migrate_from_chat_id for m in services[-2:]] == [new, old]


async def test_in_a_group_the_bot_hears_commands_and_mentions_only(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    staff = sandbox.telegram.group("Staff", members=[ada])

    await ada.types("just talking", chat=staff)
    await ada.types("/cases", chat=staff)
    await ada.types("@BallotlineBot hello", chat=staff, anonymously=True)

    added, *heard = (await bot.get_updates())[1:]
    assert added.my_chat_member.new_chat_member.status == "member"
    assert [update.message.text for update in heard] == ["/cases", "@BallotlineBot hello"]
    assert heard[0].message.from_user.id == ada.id
    assert heard[1].message.from_user.id == 1087968824
    assert heard[1].message.sender_chat.id == staff.chat_id


async def test_a_group_button_is_pressed_by_one_of_its_members(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    brian = sandbox.telegram.person("Brian")
    staff = sandbox.telegram.group("Staff", members=[ada, brian], topics=True)
    topic = await bot.create_forum_topic(staff.chat_id, "Cases")
    await bot.send_message(
        staff.chat_id, "A case", message_thread_id=topic.message_thread_id, reply_markup=keyboard("Mine")
    )

    await brian.presses("Mine", chat=staff)

    query = (await press_update(bot)).callback_query
    assert (query.from_user.id, query.message.chat.id) == (brian.id, staff.chat_id)
    assert (await bot.get_chat_member(staff.chat_id, ada.id)).status == "creator"
    assert (await bot.get_chat_member(staff.chat_id, brian.id)).status == "member"


async def test_a_bot_put_out_of_a_group_is_refused(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    staff = sandbox.telegram.group("Staff", members=[ada])
    staff.kicks_bot(ada)

    with pytest.raises(Forbidden, match="kicked from the group"):
        await bot.send_message(staff.chat_id, "Alert")


async def test_commands_are_shown_in_the_persons_language(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    nia = sandbox.telegram.person("Nia", language_code="cy")
    private = BotCommandScopeAllPrivateChats()
    await bot.set_my_commands([BotCommand("help", "Help")])
    await bot.set_my_commands([BotCommand("vote", "Vote")], scope=private)
    await bot.set_my_commands([BotCommand("vote", "Pleidleisio")], scope=private, language_code="cy")

    assert [line.description for line in ada.commands] == ["Vote"]
    assert [line.description for line in nia.commands] == ["Pleidleisio"]
    assert (await bot.get_my_commands())[0].command == "help"
    await bot.delete_my_commands(scope=private)
    assert [line.description for line in ada.commands] == ["Help"]


# -- hearing -----------------------------------------------------------------------------


async def test_hearing_waits_for_what_is_still_to_come(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    waiting = asyncio.create_task(ada.hears("later"))
    await bot.send_message(ada.id, "sooner")
    assert not waiting.done()

    await bot.send_message(ada.id, "and later")

    assert (await waiting).text == "and later"


async def test_an_old_answer_is_not_taken_for_the_answer_to_a_new_act(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    await bot.send_message(ada.id, "Welcome, Ada")
    assert await ada.hears("Welcome") is await ada.hears("Ada")

    await ada.types("/start")

    with pytest.raises(AssertionError, match="did not hear 'Welcome'"):
        await ada.hears("Welcome", timeout_seconds=0)
    await bot.send_message(ada.id, "Welcome again")
    assert (await ada.hears("Welcome")).text == "Welcome again"


async def test_what_came_and_went_since_was_heard(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    sent = await bot.send_message(ada.id, "Checking...")
    await bot.edit_message_text("Done.", ada.id, sent.message_id)

    assert (await ada.hears("Checking")).text == "Checking..."
    assert (await ada.hears("Done")).edited


# -- limits, faults, meter ---------------------------------------------------------------


async def test_over_the_limit_is_429_and_the_meter_sees_no_overshoot(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    sandbox.telegram.rate_per_second = 20

    answers = await asyncio.gather(
        *(bot.send_message(ada.id, f"{number}") for number in range(30)), return_exceptions=True
    )

    refused = [answer for answer in answers if isinstance(answer, RetryAfter)]
    assert 0 < len(refused) == sandbox.telegram.meter.refused_429
    assert len(ada.messages) == 1 + 30 - len(refused)
    assert sandbox.telegram.meter.max_in_window(1.0) == 20
    assert sandbox.telegram.meter.by_method["sendMessage"] == 30 - len(refused)


async def test_one_chat_has_its_own_limit(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    brian = sandbox.telegram.person("Brian")
    await brian.types("/start")
    sandbox.telegram.rate_per_chat = 0.01

    for number in range(3):
        await bot.send_message(ada.id, f"{number}")

    with pytest.raises(RetryAfter):
        await bot.send_message(ada.id, "one too many")
    await bot.send_message(brian.id, "another chat")


async def test_answers_and_deletions_do_not_count(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    sent = await bot.send_message(ada.id, "Sure?", reply_markup=keyboard("Yes"))
    await ada.presses("Yes")
    await (await press_update(bot)).callback_query.answer()
    await bot.edit_message_text("Done", ada.id, sent.message_id)
    await bot.delete_message(ada.id, sent.message_id)

    assert sandbox.telegram.meter.counted == 2
    assert sandbox.telegram.meter.accepted > 4


@pytest.mark.parametrize(
    ("moments", "most"),
    [([], 0), ([0, 0.5, 0.99], 3), ([0, 0.5, 1.0], 2), ([0, 2, 4], 1)],
    ids=["nothing", "one window", "on the second", "far apart"],
)
def test_the_meter_finds_the_fullest_second(moments: list[float], most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    meter = Meter()
    for moment in moments:
        monkeypatch.setattr(time, "monotonic", lambda moment=moment: moment)
        meter.record("send", weight=1)

    assert meter.max_in_window(1.0) == most


FAULTS = {
    "429": (Fault("429", retry_after=7), RetryAfter, 0),
    "5xx before": (Fault("5xx_before"), NetworkError, 0),
    "5xx after": (Fault("5xx_after"), NetworkError, 1),
    "dropped before": (Fault("drop_before"), NetworkError, 0),
    "dropped after": (Fault("drop_after"), NetworkError, 1),
    "too slow": (Fault("slow", delay_seconds=30), TimedOut, 1),
    "hangs": (Fault("hang"), TimedOut, 0),
    "hangs after": (Fault("hang_after"), TimedOut, 1),
    "any error": (Fault("error", code=403), Forbidden, 0),
}


@pytest.mark.parametrize(("fault", "error", "arrived"), FAULTS.values(), ids=FAULTS)
async def test_a_fault_strikes_once_and_says_nothing_of_what_arrived(
    *, sandbox: Sandbox, bot: Bot, ada: Person, fault: Fault, error: type[TelegramError], arrived: int
) -> None:
    sandbox.faults.telegram.add(Fault(**{**vars_of(fault), "method": "sendMessage"}))

    with pytest.raises(error):
        await bot.send_message(ada.id, "Hello", read_timeout=0.2)

    assert sum(message.text == "Hello" for message in ada.messages) == arrived
    assert sandbox.faults.telegram.played == {fault.kind: 1}
    await bot.send_message(ada.id, "Hello")
    assert sum(message.text == "Hello" for message in ada.messages) == arrived + 1


def vars_of(fault: Fault) -> dict[str, object]:
    return {name: getattr(fault, name) for name in Fault.__slots__}


async def test_a_fault_aimed_at_one_chat_spares_the_others(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    brian = sandbox.telegram.person("Brian")
    await brian.types("/start")
    sandbox.faults.telegram.add(Fault("5xx_before", chat_id=brian.id, count=None))

    await bot.send_message(ada.id, "Hello")
    for _ in range(2):
        with pytest.raises(NetworkError):
            await bot.send_message(brian.id, "Hello")
    sandbox.faults.telegram.clear()
    await bot.send_message(brian.id, "Hello")


async def test_faults_by_chance_come_the_same_for_the_same_seed() -> None:
    async def struck(seed: int) -> list[bool]:
        async with Sandbox(seed=seed) as sandbox, bot_of(sandbox) as bot:
            sandbox.faults.telegram.add(Fault("5xx_before", rate=0.5, count=None))
            answers = [await asyncio.gather(bot.get_me(), return_exceptions=True) for _ in range(20)]
            return [isinstance(answer[0], NetworkError) for answer in answers]

    first = await struck(1)
    assert first == await struck(1)
    assert first != await struck(2)
    assert 0 < sum(first) < 20


# -- webhook -----------------------------------------------------------------------------


class Hook:
    """A bot's webhook that answers as it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[int, str]] = []
        self.secrets: set[str | None] = set()
        self.answers: list[int] = []
        self.url = ""
        self._arrived = asyncio.Condition()

    async def handle(self, request: web.Request) -> web.Response:
        update = await request.json()
        self.secrets.add(request.headers.get(SECRET_HEADER))
        kind = next(name for name in update if name != "update_id")
        told = update[kind].get("text") or update[kind].get("data") or kind
        async with self._arrived:
            self.got.append((update["update_id"], told))
            self._arrived.notify_all()
        return web.Response(status=self.answers.pop(0) if self.answers else 200)

    async def has(self, count: int) -> list[str]:
        async with asyncio.timeout(5), self._arrived:
            await self._arrived.wait_for(lambda: len(self.got) >= count)
        return [told for _, told in self.got]


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    hook = Hook()
    app = web.Application()
    app.router.add_post("/telegram", hook.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hook.url = f"http://127.0.0.1:{runner.addresses[0][1]}/telegram"
    yield hook
    await runner.cleanup()


async def test_a_webhook_gets_updates_with_its_secret(sandbox: Sandbox, bot: Bot, hook: Hook) -> None:
    await bot.set_webhook(hook.url, secret_token="s3cret")
    ada = sandbox.telegram.person("Ada")

    await ada.types("one")
    await ada.types("two")

    assert await hook.has(2) == ["one", "two"]
    assert hook.secrets == {"s3cret"}
    with pytest.raises(Conflict, match="webhook is active"):
        await bot.get_updates()


async def test_what_waited_before_the_webhook_comes_first(sandbox: Sandbox, bot: Bot, hook: Hook, ada: Person) -> None:
    await bot.set_webhook(hook.url)
    assert await hook.has(1) == ["/start"]

    await bot.delete_webhook()
    await ada.types("for the poll")
    assert (await bot.get_updates())[-1].message.text == "for the poll"

    await bot.set_webhook(hook.url, drop_pending_updates=True)
    await ada.types("after")
    assert await hook.has(2) == ["/start", "after"]


async def test_anything_but_success_is_offered_again_and_blocks_its_queue_only(
    sandbox: Sandbox, bot: Bot, hook: Hook, ada: Person
) -> None:
    sandbox.telegram.retry_scale = 0.001
    await bot.set_webhook(hook.url)
    await hook.has(1)
    await bot.send_message(ada.id, "Sure?", reply_markup=keyboard("Yes"))
    hook.answers = [500, 302, 503]

    await ada.types("one")
    await ada.types("two")

    assert await hook.has(6) == ["/start", "one", "one", "one", "one", "two"]
    await ada.presses("Yes")
    assert (await hook.has(7))[-1] == "do:Yes"
    info = await bot.get_webhook_info()
    assert info.last_error_message == "Wrong response from the webhook: 503 Service Unavailable"


async def test_a_press_overtakes_a_text_that_is_not_accepted(
    sandbox: Sandbox, bot: Bot, hook: Hook, ada: Person
) -> None:
    await bot.set_webhook(hook.url)
    await hook.has(1)
    await bot.send_message(ada.id, "Sure?", reply_markup=keyboard("Yes"))
    hook.answers = [500, 500]

    await ada.types("stuck for two seconds")
    await hook.has(3)
    await ada.presses("Yes")

    assert (await hook.has(4))[-1] == "do:Yes"


async def test_a_redelivered_update_reaches_the_webhook_again(
    sandbox: Sandbox, bot: Bot, hook: Hook, ada: Person
) -> None:
    await bot.set_webhook(hook.url)
    await hook.has(1)

    sandbox.telegram.redeliver(hook.got[0][0])

    assert await hook.has(2) == ["/start", "/start"]
    assert hook.got[0] == hook.got[1]


async def test_a_public_address_is_mapped_to_this_machine(sandbox: Sandbox, bot: Bot, hook: Hook, ada: Person) -> None:
    sandbox.telegram.public_url["https://ballot.example"] = hook.url.removesuffix("/telegram")

    await bot.set_webhook("https://ballot.example/telegram")

    assert await hook.has(1) == ["/start"]
    assert (await bot.get_webhook_info()).url == "https://ballot.example/telegram"


async def test_an_address_elsewhere_is_never_called(sandbox: Sandbox, bot: Bot, ada: Person) -> None:
    sandbox.telegram.retry_scale = 1
    with pytest.raises(BadRequest, match=r"(?i)an https url must be provided"):
        await bot.set_webhook("http://ballot.example/telegram")

    await bot.set_webhook("https://ballot.example/telegram")

    while (info := await bot.get_webhook_info()).last_error_message is None:
        assert info.pending_update_count == 1
    assert "only addresses of this machine" in info.last_error_message


# -- the page's wire, and what it refuses --------------------------------------------------


@pytest.fixture
async def browser(sandbox: Sandbox) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(sandbox.url) as session:
        yield session


async def test_nobody_is_given_a_number_that_the_demo_s_members_have(sandbox: Sandbox, tmp_path: Path) -> None:
    """Else a text to a member lies on the phone of a member of staff too."""
    with write_roll(tmp_path / "roll.csv").open(encoding="utf-8", newline="") as roll:
        on_the_roll = {row["phone"].replace(" ", "")[-6:] for row in csv.DictReader(roll)}

    given = [sandbox.telegram.person(name).user.phone for name in ("Gwen", "Huw", "Nia", "Stranger")]

    assert len(set(given)) == 4
    assert {phone[-6:] for phone in given if phone} & on_the_roll == set()


async def test_the_page_shows_a_persons_phone_and_acts_on_it(
    sandbox: Sandbox, bot: Bot, ada: Person, browser: aiohttp.ClientSession
) -> None:
    sandbox.title = "Leader 2022"
    sandbox.show(ada, "member", member_no="1001", phone="+447700900123")
    sandbox.deliver_letter({"member_no": "1001", "name": "Ada", "word": "heron"})
    await bot.send_message(ada.id, "<b>Sure</b>?", parse_mode="HTML", reply_markup=keyboard("Yes"))

    state = await (await browser.get("/api/state")).json()
    shown = await (await browser.get(f"/api/person/{ada.id}")).json()

    expected = {"id": ada.id, "name": "Ada", "role": "member", "member_no": "1001", "phone": "+447700900123"}
    assert (state["title"], state["people"]) == ("Leader 2022", [expected])
    assert shown["letter"]["word"] == "heron"
    (chat,) = shown["chats"]
    assert [message["html"] for message in chat["messages"]] == ["/start", "<b>Sure</b>?"]
    assert chat["messages"][1]["buttons"] == [[{"text": "Yes", "data": "do:Yes"}]]

    press = asyncio.create_task(
        browser.post(
            f"/api/person/{ada.id}/press",
            json={"chat_id": ada.id, "message_id": chat["messages"][1]["id"], "data": "do:Yes"},
        )
    )
    update = (await bot.get_updates(offset=-1, timeout=2))[-1]
    while update.callback_query is None:
        update = (await bot.get_updates(offset=-1, timeout=2))[-1]
    await update.callback_query.answer("Locked.")
    assert await (await press).json() == {"alert": "Locked."}

    await browser.post(f"/api/person/{ada.id}/type", json={"chat_id": ada.id, "text": "thanks"})
    assert ada.messages[-1].text == "thanks"
    await browser.post(f"/api/person/{ada.id}/contact", json={"chat_id": ada.id})
    assert ada.messages[-1].contact["user_id"] == ada.id
    await browser.post(f"/api/person/{ada.id}/block", json={"blocked": True})
    blocked = await browser.post(f"/api/person/{ada.id}/type", json={"chat_id": ada.id, "text": "x"})
    assert blocked.status == 409


async def test_news_reach_the_page_as_they_happen(
    sandbox: Sandbox, bot: Bot, ada: Person, browser: aiohttp.ClientSession
) -> None:
    async with browser.get("/api/events") as events:
        assert await events.content.readline() == b": hello\n"
        await events.content.readline()

        await bot.send_message(ada.id, "Hello")

        line = await events.content.readline()
    news = {"type": "message", "person_id": ada.id, "chat_id": ada.id, "out": False}
    assert line == f"data: {json.dumps(news)}\n".encode()


async def test_a_stranger_can_be_given_a_phone(sandbox: Sandbox, browser: aiohttp.ClientSession) -> None:
    made = await (await browser.post("/api/person", json={"name": "Mallory"})).json()

    assert (made["name"], made["role"]) == ("Mallory", "stranger")
    assert sandbox.telegram.people[made["id"]].name == "Mallory"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost"}, 200),
        ({"Host": "evil.example"}, 421),
        ({"Host": "127.0.0.1.evil.example"}, 421),
        ({"Host": "127.0.0.1:80@evil.example"}, 421),
    ],
    ids=["own", "localhost", "another name", "a name that begins like it", "a name with an at sign"],
)
async def test_only_this_machines_names_are_answered(
    sandbox: Sandbox, browser: aiohttp.ClientSession, headers: dict[str, str], status: int
) -> None:
    assert (await browser.get("/api/state", headers=headers)).status == status


async def test_another_sites_page_cannot_act(sandbox: Sandbox, browser: aiohttp.ClientSession, ada: Person) -> None:
    answer = await browser.post(
        f"/api/person/{ada.id}/type", json={"text": "x"}, headers={"Origin": "https://evil.example"}
    )

    assert answer.status == 403
    assert [message.text for message in ada.messages] == ["/start"]


@pytest.mark.parametrize(
    "path",
    ["/static/../server.py", "/static/%2e%2e%2fserver.py", "/static/nothing.js", "/api/person/1", "/api/photo/x"],
)
async def test_what_is_not_the_pages_is_not_found(sandbox: Sandbox, browser: aiohttp.ClientSession, path: str) -> None:
    assert (await browser.get(path)).status == 404


async def test_a_link_is_drawn_as_a_code(browser: aiohttp.ClientSession) -> None:
    drawn = await browser.get("/api/qr", params={"text": "https://t.me/BallotlineBot?start=abc"})

    assert drawn.content_type == "image/svg+xml"
    assert "viewBox" in await drawn.text()
    assert (await browser.get("/api/qr")).status == 400


async def test_a_taken_port_is_an_error_and_leaves_nothing_behind(sandbox: Sandbox) -> None:
    other = Sandbox()

    with pytest.raises(OSError, match="in use"):
        await other.start(port=sandbox.port)

    await other.stop()


async def test_without_keeping_messages_only_the_newest_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.sandbox.telegram.world.MESSAGES_KEPT_MAX", 3)
    async with Sandbox(keep_messages=False) as sandbox, bot_of(sandbox) as bot:
        ada = sandbox.telegram.person("Ada")
        await ada.types("/start")
        for number in range(5):
            await bot.send_message(ada.id, f"{number}")
        sandbox.telegram.crowd = range(9_000_000, 9_000_010)
        await bot.send_message(9_000_005, "nobody in particular")

        assert [message.text for message in ada.messages] == ["3", "4"]
        assert ada.history == []
        assert sandbox.telegram.meter.counted == 6
