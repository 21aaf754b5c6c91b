"""`reply_markup` of the Bot API: parsed, and refused as Telegram refuses it."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bot.sandbox.addresses import is_loopback
from bot.sandbox.telegram.errors import bad_request
from bot.sandbox.telegram.model import Button, Json, ReplyKeyboard, Rows

CALLBACK_DATA_BYTES_MAX = 64  # Bot API, InlineKeyboardButton.callback_data: 1-64 bytes
BUTTONS_MAX = 100  # the server's limit for one inline keyboard
OTHER_INLINE_ACTIONS = ("login_url", "switch_inline_query", "switch_inline_query_current_chat", "copy_text")


@dataclass(frozen=True, slots=True)
class Markup:
    """What a message brings: its own buttons, or a change of the person's keyboard."""

    inline: Rows = ()
    keyboard: ReplyKeyboard | None = None
    removes_keyboard: bool = False


NO_MARKUP = Markup()


def parse_markup(given: object) -> Markup:
    """Read a reply_markup; ApiError 400 in Telegram's words if it cannot be."""
    if given is None:
        return NO_MARKUP
    if not isinstance(given, dict):
        raise bad_request("can't parse reply keyboard markup JSON object")
    if "inline_keyboard" in given:
        return Markup(inline=_inline(_rows(given["inline_keyboard"], "inline keyboard")))
    if "keyboard" in given:
        rows = tuple(tuple(_key(key) for key in row) for row in _rows(given["keyboard"], "keyboard"))
        return Markup(keyboard=ReplyKeyboard(rows, one_time=bool(given.get("one_time_keyboard"))))
    return Markup(removes_keyboard=bool(given.get("remove_keyboard")))


def inline_as_json(rows: Rows) -> Json:
    """Show inline buttons as the Bot API does inside a message."""
    return {"inline_keyboard": [[_button_as_json(button) for button in row] for row in rows]}


def app_url(given: Json) -> str:
    """Read a WebAppInfo; ApiError 400 unless its address is https, or on this machine, where we play."""
    url = str(given.get("url", ""))
    parts = urlsplit(url)
    if parts.scheme != "https" and not is_loopback(parts.hostname):
        raise bad_request(f"inline keyboard button Web App URL '{url}' is invalid: Only HTTPS links are allowed")
    return url


def _inline(rows: list[list[Any]]) -> Rows:
    buttons = tuple(tuple(_button(button) for button in row) for row in rows if row)
    if sum(map(len, buttons)) > BUTTONS_MAX:
        raise bad_request("REPLY_MARKUP_TOO_LONG")
    return buttons


def _rows(given: object, what: str) -> list[list[Any]]:
    if not isinstance(given, list) or not all(isinstance(row, list) for row in given):
        raise bad_request(f"object expected as reply markup: {what} must be an Array of Arrays")
    return given


def _button(given: object) -> Button:
    if not isinstance(given, dict) or not isinstance(given.get("text"), str):
        raise bad_request('can\'t parse inline keyboard button: field "text" must be of type String')
    text = given["text"].strip()
    if not text:
        raise bad_request("text of the inline keyboard button must be non-empty")
    if "url" in given:
        return Button(text, url=str(given["url"]))
    if "callback_data" in given:
        return Button(text, callback_data=_data(given["callback_data"]))
    if "web_app" in given:
        return Button(text, web_app=app_url(given["web_app"]))
    if any(action in given for action in OTHER_INLINE_ACTIONS):
        return Button(text)
    raise bad_request("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")


def _data(given: object) -> str:
    data = str(given)
    if not 1 <= len(data.encode()) <= CALLBACK_DATA_BYTES_MAX:
        raise bad_request("BUTTON_DATA_INVALID")
    return data


def _key(given: object) -> Button:
    if isinstance(given, str):
        return Button(given)
    if isinstance(given, dict) and isinstance(given.get("text"), str):
        return Button(given["text"], request_contact=bool(given.get("request_contact")))
    raise bad_request("can't parse keyboard button")


def _button_as_json(button: Button) -> Json:
    shown: Json = {"text": button.text}
    if button.callback_data is not None:
        shown["callback_data"] = button.callback_data
    if button.url is not None:
        shown["url"] = button.url
    if button.web_app is not None:
        shown["web_app"] = {"url": button.web_app}
    return shown
