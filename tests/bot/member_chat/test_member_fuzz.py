"""Whatever people and clients send: no unhandled error, no state spoiled, an answer or a silence on purpose."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text
from structlog.testing import capture_logs
from town import Town, Townsperson

from bot.edge.letters import letter_of
from bot.inbox.inbox import Envelope, store
from bot.member.chats import Step
from bot.schema import chat, inbox
from voting.store.database import Database

pytestmark = pytest.mark.filterwarnings("ignore:.*PTB_TIMEDELTA:telegram.warnings.PTBDeprecationWarning")

NAUGHTY = {
    "nothing but spaces": "   \u00a0 \u2003 ",
    "control characters": "\x01\x02\x07\x1b[31m\x7f",
    "a null": "abc\x00def",
    "right to left": "\u202eABC-DEF-GHJ\u202c مرحبا",
    "zero width": "A\u200bB\u200cC\u200d-\ufeffDEF",
    "full width": "ＡＢＣ－ＤＥＦ－ＧＨＪ",
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈🇬🇧" * 20,
    "zalgo": "V̷̡̛o̸̢͝t̵̨̕e̶̢͠",
    "as long as can be": "A1" * 2048,
    "longer than can be": "x" * 5000,
    "groups for ever": "ABC-" * 1000,
    "SQL": "'; DROP TABLE lock; --",
    "HTML": "<b>bold</b><script>alert(1)</script>&amp;&lt;",
    "unclosed HTML": "<b><i>",
    "a template": "{title} {0} %s %(x)s ${x} {{7*7}}",
    "a path": "../../etc/passwd\\..\\",
    "JSON": '{"a": [1, null, "\\u0000"]}',
    "a link": "https://t.me/x?start=staff_abc",
    "a number": "9" * 400,
    "a negative number": "-1",
    "a float": "NaN",
    "digits of elsewhere": "١٢٣٤٥٦",
    "superscripts": "²³¹⁴⁵⁶",
    "six digits": "123456",
    "Turkish": "İIıi ŞşĞğ",
    "a lone surrogate pair": "𝕬𝕭𝕮",
    "new lines": "\n\n\r\n\u2028\u2029A\n",
    "a command with a tail": "/vote now please",
    "a command of another bot": "/vote@another_bot",
    "an empty command": "/",
    "a strange start": "/start \u202e" + "x" * 70,
}

# Each kind of content a message can have beside words; https://core.telegram.org/bots/api#message
FILE = {"file_id": "f", "file_unique_id": "u", "file_size": 1}
USER = {"id": 7, "is_bot": False, "first_name": "Eve"}
CONTENT: dict[str, dict[str, Any]] = {
    "animation": {"animation": {**FILE, "width": 1, "height": 1, "duration": 1}},
    "audio": {"audio": {**FILE, "duration": 1}},
    "document": {"document": FILE, "caption": "<b>&"},
    "photo": {"photo": [{**FILE, "width": 1, "height": 1}]},
    "sticker": {
        "sticker": {**FILE, "type": "regular", "width": 1, "height": 1, "is_animated": False, "is_video": False}
    },
    "video": {"video": {**FILE, "width": 1, "height": 1, "duration": 1}},
    "video note": {"video_note": {**FILE, "length": 1, "duration": 1}},
    "voice": {"voice": {**FILE, "duration": 1}},
    "contact of nobody": {"contact": {"phone_number": "12", "first_name": "X"}},
    "contact of somebody else": {"contact": {"phone_number": "447700900201", "first_name": "X", "user_id": 99}},
    "contact without sense": {"contact": {"phone_number": "<b>'; --", "first_name": "X", "user_id": 0}},
    "dice": {"dice": {"emoji": "🎲", "value": 6}},
    "game": {"game": {"title": "g", "description": "d", "photo": []}},
    "poll": {
        "poll": {
            "id": "1",
            "question": "?",
            "options": [],
            "total_voter_count": 0,
            "is_closed": False,
            "is_anonymous": True,
            "type": "regular",
            "allows_multiple_answers": False,
            "allows_revoting": False,
            "members_only": False,
        }
    },
    "location": {"location": {"latitude": 51.5, "longitude": 0.1}},
    "venue": {"venue": {"location": {"latitude": 51.5, "longitude": 0.1}, "title": "t", "address": "a"}},
    "invoice": {
        "invoice": {"title": "t", "description": "d", "start_parameter": "s", "currency": "GBP", "total_amount": 1}
    },
    "forwarded": {"text": "hi", "forward_origin": {"type": "hidden_user", "date": 1, "sender_user_name": "x"}},
    "a reply to what is gone": {
        "text": "hi",
        "reply_to_message": {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}},
    },
}
SERVICE: dict[str, dict[str, Any]] = {
    "web app data": {"web_app_data": {"data": "x", "button_text": "y"}},
    "pinned": {"pinned_message": {"message_id": 1, "date": 0, "chat": {"id": 1, "type": "private"}}},
    "timer": {"message_auto_delete_timer_changed": {"message_auto_delete_time": 60}},
    "write access": {"write_access_allowed": {}},
    "new members": {"new_chat_members": [USER]},
    "left": {"left_chat_member": USER},
}
# Every other kind of update; https://core.telegram.org/bots/api#update
OTHER: dict[str, dict[str, Any]] = {
    "inline_query": {"id": "1", "from": USER, "query": "x", "offset": ""},
    "chosen_inline_result": {"result_id": "1", "from": USER, "query": "x"},
    "shipping_query": {
        "id": "1",
        "from": USER,
        "invoice_payload": "x",
        "shipping_address": {
            "country_code": "GB",
            "state": "",
            "city": "",
            "street_line1": "",
            "street_line2": "",
            "post_code": "",
        },
    },
    "pre_checkout_query": {"id": "1", "from": USER, "currency": "GBP", "total_amount": 1, "invoice_payload": "x"},
    "poll": CONTENT["poll"]["poll"],
    "poll_answer": {"poll_id": "1", "user": USER, "option_ids": [], "option_persistent_ids": []},
    "chat_join_request": {
        "chat": {"id": -1, "type": "supergroup", "title": "g"},
        "from": USER,
        "user_chat_id": 7,
        "date": 0,
    },
    "chat_member": {
        "chat": {"id": -1, "type": "supergroup", "title": "g"},
        "from": USER,
        "date": 0,
        "old_chat_member": {"user": USER, "status": "left"},
        "new_chat_member": {"user": USER, "status": "member"},
    },
    "channel_post": {"message_id": 1, "date": 0, "chat": {"id": -2, "type": "channel", "title": "c"}, "text": "/vote"},
    "edited_channel_post": {
        "message_id": 1,
        "date": 0,
        "edit_date": 1,
        "chat": {"id": -2, "type": "channel", "title": "c"},
        "text": "/vote",
    },
    "message_reaction": {
        "chat": {"id": 7, "type": "private", "first_name": "Eve"},
        "message_id": 1,
        "user": USER,
        "date": 0,
        "old_reaction": [],
        "new_reaction": [{"type": "emoji", "emoji": "👍"}],
    },
    "business_connection": {"id": "1", "user": USER, "user_chat_id": 7, "date": 0, "is_enabled": True},
    "something of the future": {"id": "1"},
}


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


@pytest.fixture
async def town(database: Database, tmp_path: Path) -> AsyncIterator[Town]:
    async with Town(database, tmp_path) as town:
        yield town


@pytest.fixture(autouse=True)
def _nothing_went_wrong() -> Iterator[None]:
    with capture_logs() as lines:
        yield
    assert [line for line in lines if line["log_level"] in ("error", "critical")] == []


async def put_in_step(person: Townsperson, step: Step) -> None:
    await person.asks(person.types("/start"))
    if step is Step.VOTE_CODES:
        await person.gives_codes("ABC")
        await person.hears("code")
    elif step is Step.VERIFY_CODES:
        await person.types("/verify")
        await person.hears("check your codes")
    elif step in (Step.MEMBER_NUMBER, Step.ONE_TIME_CODE):
        await person.types("/status")
        await person.hears("which member")
        await person.presses("Link this chat to me")
        await person.hears("member number")
        if step is Step.ONE_TIME_CODE:
            await person.types("555")
            await person.hears("Please type the code here")


@pytest.mark.parametrize("step", list(Step))
async def test_naughty_words_are_answered_at_every_step(town: Town, step: Step) -> None:
    ada = town.member("ada")
    await put_in_step(ada, step)

    for name, naughty in NAUGHTY.items():
        before = len(ada.history)
        sent = await ada.types(naughty)
        await town.settles()
        answered = [message for message in ada.history[before:] if message.sender == "bot" and not message.deleted]
        assert answered or sent is None, name

    assert await all_is_sound(town)
    await ada.votes("North Quay")


@pytest.mark.parametrize("step", [Step.IDLE, Step.VOTE_CODES, Step.MEMBER_NUMBER])
async def test_every_kind_of_content_is_answered(town: Town, step: Step) -> None:
    ada = town.member("ada")
    await put_in_step(ada, step)

    for number, (name, content) in enumerate(CONTENT.items()):
        before = len(ada.history)
        await hand_over(town, "message", private(ada, 10_000 + number, content))
        assert any(message.sender == "bot" for message in ada.history[before:]), name

    await ada.votes("North Quay")


async def test_service_messages_and_updates_of_every_other_kind_meet_silence(town: Town) -> None:
    ada = town.member("ada")
    await ada.types("/start")
    await ada.hears("Hello")
    before = len(ada.history)

    for number, content in enumerate(SERVICE.values()):
        await hand_over(town, "message", private(ada, 20_000 + number, content))
    for number, content in enumerate(CONTENT.values()):
        await hand_over(town, "edited_message", {**private(ada, 30_000 + number, content), "edit_date": 1})
    for kind, payload in OTHER.items():
        await hand_over(town, kind.replace(" ", "_"), payload)

    assert len(ada.history) == before
    assert await all_is_sound(town)


async def test_forged_presses_of_any_shape_do_nothing(town: Town) -> None:
    ada = town.member("ada")
    paper = await ada.opens_paper()
    chance = random.Random(7)
    real = [button.callback_data for row in paper.buttons for button in row]
    letters = "abcXYZ019_-.:=pg\u202e\x00é🙂"

    for _ in range(100):
        payload = list(chance.choice(real)) if chance.random() < 0.5 else [""] * chance.randrange(70)
        for _ in range(chance.randrange(1, 4)):
            if payload:
                payload[chance.randrange(len(payload))] = chance.choice(letters)
        if (forged := "".join(payload)) not in real:
            await ada.press_data(forged, message=paper)
    await town.settles()

    assert await town.locks() == 0
    assert await all_is_sound(town)
    await ada.presses("North Quay")
    await ada.hears("You chose North Quay")


async def test_a_press_on_a_message_that_telegram_no_longer_shows_is_answered(town: Town) -> None:
    ada = town.member("ada")
    paper = await ada.opens_paper()
    press = {
        "id": "123",
        "from": ada.user.as_json(),
        "chat_instance": "x",
        "data": paper.buttons[0][0].callback_data,
        "message": {"message_id": paper.message_id, "date": 0, "chat": ada.chat.as_json()},  # inaccessible
    }

    await hand_over(town, "callback_query", press)

    await ada.hears("You chose North Quay")


async def test_a_conversation_in_any_order_spoils_nothing(database: Database, tmp_path: Path) -> None:
    async with Town(database, tmp_path) as town:
        ada = town.member("ada")
        chance = random.Random(11)
        lines = [
            "/vote",
            "/verify",
            "/status",
            "/missing",
            "/sms",
            "/privacy",
            "/language",
            "/help",
            "/start pack",
            ada.pack.pack_code,
            ada.pack.vote_code,
            ada.pack.codes,
            "123456",
            ada.member_no,
            "thanks",
        ]
        for _ in range(80):
            labels = [label for label in ada.buttons if label not in ("Cast my vote", "Yes, forget them")]
            if labels and chance.random() < 0.5:
                await ada.presses(chance.choice(labels))
            else:
                await ada.types(chance.choice(lines))
            if chance.random() < 0.3:
                await town.settles()
        await town.settles()

        assert await town.locks() == 0
        assert await town.attempts() == 0
        assert await all_is_sound(town)


def private(person: Townsperson, message_id: int, content: dict[str, Any]) -> dict[str, Any]:
    return {
        "message_id": message_id,
        "date": 1_659_520_800,
        "chat": person.chat.as_json(),
        "from": person.user.as_json(),
        **content,
    }


async def hand_over(town: Town, kind: str, payload: dict[str, Any]) -> None:
    """Put an update straight into the inbox, also of a kind that nobody asked Telegram for."""
    assert town.service is not None
    hand_over.number += 1  # type: ignore[attr-defined]
    update = {"update_id": hand_over.number, kind: payload}  # type: ignore[attr-defined]
    async with town.database.writing() as connection:
        await store(connection, Envelope(town.secrets.hours), [letter_of(update)], town.clock())
    town.service.reader.wake()
    async with asyncio.timeout(10):
        while not await town.service.reader.idle():  # noqa: ASYNC110 - the reader has no event for it
            await asyncio.sleep(0.005)


hand_over.number = 1_000_000  # type: ignore[attr-defined]


async def all_is_sound(town: Town) -> bool:
    """Nothing failed in the inbox, every chat is in a known step, and the tables are still there."""
    async with town.database.reading() as connection:
        failed = await connection.scalar(select(func.count()).where(inbox.c.state == "failed"))
        steps = set((await connection.execute(select(chat.c.step))).scalars())
        await connection.execute(text("SELECT count(*) FROM lock"))
    return failed == 0 and steps <= set(Step)
