"""What python-telegram-bot makes of an update: objects of what a handler asks for, and of nothing else."""

import pytest
from telegram import Bot, Update

from bot.edge.telegram import asked_for

ADA = {"id": 7, "is_bot": False, "first_name": "Ada"}
CHAT = {"id": 7, "type": "private", "first_name": "Ada"}
OURS = {
    "message_id": 5,
    "date": 1,
    "chat": CHAT,
    "from": {"id": 1, "is_bot": True, "first_name": "Ballotline"},
    "text": "Your voting paper",
    "reply_markup": {"inline_keyboard": [[{"text": "North Quay", "callback_data": "p1.x"}]]},
}


@pytest.mark.parametrize(
    ("pressed", "kept"),
    [
        pytest.param(OURS, {"message_id": 5, "date": 1, "chat": CHAT}, id="a message of ours"),
        pytest.param({"message_id": 5, "date": 0, "chat": CHAT}, None, id="one that can no longer be seen"),
        pytest.param(OURS | {"is_topic_message": True, "message_thread_id": 9}, None, id="one in a topic"),
    ],
)
async def test_of_a_pressed_message_it_is_kept_which_it_is_and_where(
    bot: Bot, pressed: dict[str, object], kept: dict[str, object] | None
) -> None:
    press = {"id": "3", "from": ADA, "chat_instance": "1", "data": "p1.x", "message": pressed}
    made = asked_for({"update_id": 9, "callback_query": press})

    message = made["callback_query"]["message"]
    assert message == (kept or {name: part for name, part in pressed.items() if name in message})
    assert "reply_markup" not in message
    update = Update.de_json(made, bot)
    assert update.callback_query is not None
    assert update.callback_query.message is not None
    assert (update.callback_query.data, update.callback_query.message.message_id) == ("p1.x", 5)
    assert update.effective_chat is not None
    assert update.effective_chat.id == 7
    assert getattr(update.callback_query.message, "message_thread_id", None) == pressed.get("message_thread_id")


def test_what_somebody_answers_is_left_out_and_what_they_say_is_not() -> None:
    message = {"message_id": 6, "date": 2, "chat": CHAT, "from": ADA, "text": "/vote"}

    made = asked_for({"update_id": 9, "message": message | {"reply_to_message": OURS}})

    assert made == {"update_id": 9, "message": message}


@pytest.mark.parametrize(
    "update",
    [
        {"update_id": 9},
        {"update_id": 9, "message": "no message"},
        {"update_id": 9, "callback_query": {"id": "3", "message": "no message"}},
    ],
)
def test_what_is_no_update_of_ours_is_left_to_the_library(update: dict[str, object]) -> None:
    assert asked_for(update) == update
