"""Turns what a provider sent into a letter for the inbox: kept as it came, in a queue that keeps order."""

import json
from typing import Any, Final

from bot.inbox.inbox import Letter
from messages.channels import bad_answers
from messages.channels.telegram_answer import ID_MAX, INTEGER_MAX, is_integer

ADDRESS_CHARACTERS_MAX: Final = 64  # of a number, with a channel before it, and of a message's SID
NOBODYS: Final = "telegram:other"  # the queue of what is from no chat and no person


def update_id(update: object) -> int | None:
    """Read an update's number; None when this is no update that could be confirmed."""
    number = update.get("update_id") if isinstance(update, dict) else None
    return number if is_integer(number, most=INTEGER_MAX) and number > 0 else None


def letter_of(update: dict[str, Any]) -> Letter:
    """Address an update to its queue: the private chat, the group, or the person who pressed.

    Whether the rest of it can be read is found out when it is handled: if it cannot, only that update is lost.
    """
    for part in update.values():
        if isinstance(part, dict) and (chat := _chat_of(part)) is not None:
            return Letter("telegram", str(update["update_id"]), f"telegram:{chat}", update)
    return Letter("telegram", str(update["update_id"]), NOBODYS, update)


def from_telegram(body: bytes) -> Letter:
    """Read an update as Telegram's webhook sends it; ValueError when it is none."""
    update: Any = json.loads(body)
    if update_id(update) is None:
        bad_answers.note("telegram", "update")
        raise ValueError("not an update")
    return letter_of(update)


def _chat_of(part: dict[str, Any]) -> int | None:
    message = part["message"] if isinstance(part.get("message"), dict) else part
    chat = message.get("chat") or part.get("from") or part.get("user")
    number = chat.get("id") if isinstance(chat, dict) else None
    return number if is_integer(number, most=ID_MAX) else None


def of_text(fields: dict[str, str], _query: dict[str, str]) -> Letter:
    """Take a text message that somebody sent us; KeyError, ValueError."""
    return Letter("twilio_inbound", _plain(fields["MessageSid"]), f"sms:{_plain(fields['From'])}", dict(fields))


def of_status(fields: dict[str, str], query: dict[str, str]) -> Letter:
    """Take the status of a text message that we sent; KeyError, ValueError."""
    sid = _plain(fields.get("MessageSid") or fields["SmsSid"])
    ours = query.get("delivery", "")
    if len(ours) > ADDRESS_CHARACTERS_MAX:
        raise ValueError("not a delivery of ours")
    payload: dict[str, str] = {**fields, "delivery": ours}
    return Letter("twilio_status", f"{sid}:{_plain(fields['MessageStatus'])}", f"sms-status:{sid}", payload)


def _plain(value: str) -> str:
    """Give what fits into a key of the inbox; ValueError for what no provider sends there."""
    if not 0 < len(value) <= ADDRESS_CHARACTERS_MAX or not value.isprintable():
        raise ValueError("not a key")
    return value
