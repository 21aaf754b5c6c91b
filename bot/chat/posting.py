"""How anything is said at Telegram: a message sent, changed or answered, its words in HTML and its buttons below.

Everybody who speaks through the bot itself goes through here. What Telegram refuses is raised as python-telegram-bot
raises it, with one exception: changing a message into what it is already is no error.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from telegram import (
    Bot,
    KeyboardButton,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)
from telegram.constants import ParseMode
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter

from bot.chat.said import Said
from messages.channels.telegram_channel import NO_PREVIEW, keyboard
from messages.channels.telegram_request import call

Sent = TypeVar("Sent")

NOT_MODIFIED: Final = "not modified"  # of Telegram's description of a 400
NO_TOPIC: Final = ("thread not found", "topic_closed", "topic_deleted")
_NO_KEYS: Final = ReplyKeyboardRemove().to_json()
TOAST_CHARACTERS_MAX: Final = 200  # https://core.telegram.org/bots/api#answercallbackquery


async def send(bot: Bot, said: Said, chat_id: int, *, topic_id: int | None = None) -> int:
    """Send a message and give its id; where the topic is closed or gone, to the group's general topic."""

    async def send_to(topic: int | None) -> int:
        sent = await _say(
            bot, "sendMessage", said.html, _keyboard(said), chat_id=chat_id, message_thread_id=topic, secret=said.secret
        )
        return int(sent["message_id"])

    return await _to_topic(send_to, topic_id)


async def edit(bot: Bot, said: Said, chat_id: int, message_id: int) -> None:
    """Put this in place of what a message says; BadRequest when the message is gone or cannot be changed."""
    try:
        await _say(bot, "editMessageText", said.html, keyboard(said.rows), chat_id=chat_id, message_id=message_id)
    except BadRequest as refused:
        if NOT_MODIFIED not in refused.message.lower():
            raise


async def remove(bot: Bot, chat_id: int, message_id: int) -> None:
    """Take a message out of a chat; BadRequest when it is gone already, or too old."""
    await call(bot, "deleteMessage", {"chat_id": str(chat_id), "message_id": str(message_id)})


async def send_file(
    bot: Bot, name: str, content: bytes, chat_id: int, *, caption: str = "", secret: bool = False
) -> None:
    """Send a file; `caption` is HTML, a `secret` file cannot be passed on."""
    await bot.send_document(
        chat_id,
        content,
        filename=name,
        caption=caption or None,
        parse_mode=ParseMode.HTML,
        protect_content=secret or None,
    )


async def send_photo(bot: Bot, content: bytes, caption: str, chat_id: int, *, topic_id: int | None = None) -> None:
    """Send a picture, as `send` a message; `caption` is HTML."""

    async def send_to(topic: int | None) -> None:
        await bot.send_photo(chat_id, content, caption=caption, parse_mode=ParseMode.HTML, message_thread_id=topic)

    await _to_topic(send_to, topic_id)


async def answer_press(bot: Bot, query_id: str, words: str | None = None, *, alert: bool = False) -> bool:
    """Stop a button's spinning, with a line to read if there is one; False if Telegram has forgotten the press."""
    short = None if words is None else words[:TOAST_CHARACTERS_MAX]
    try:
        await call(bot, "answerCallbackQuery", _wire(callback_query_id=query_id, text=short, show_alert=alert))
    except BadRequest:
        return False
    except (NetworkError, RetryAfter, Forbidden):
        return True  # it may have been shown; to say it again would cost more than it is worth
    return True


async def _to_topic(send_to: Callable[[int | None], Awaitable[Sent]], topic_id: int | None) -> Sent:
    try:
        return await send_to(topic_id)
    except BadRequest as refused:
        if topic_id is None or not any(why in refused.message.lower() for why in NO_TOPIC):
            raise
        return await send_to(None)


async def _say(bot: Bot, method: str, html: str, keys: str | None, *, secret: bool = False, **where: int | None) -> Any:  # noqa: ANN401 - as Telegram gives it
    words = {"text": html, "parse_mode": ParseMode.HTML, "link_preview_options": NO_PREVIEW, "reply_markup": keys}
    return await call(bot, method, _wire(**where, **words, protect_content=secret))


def _wire(**values: str | int | None) -> dict[str, str]:
    """Write parameters as they go on the wire, without those that say nothing."""
    said = {name: value for name, value in values.items() if value is not None and value is not False}
    return {name: "true" if value is True else str(value) for name, value in said.items()}


def _keyboard(said: Said) -> str | None:
    if said.contact_key is not None:
        key = KeyboardButton(said.contact_key, request_contact=True)
        return ReplyKeyboardMarkup([[key]], resize_keyboard=True, one_time_keyboard=True).to_json()
    return _NO_KEYS if said.removes_keys else keyboard(said.rows)
