"""What a provider hands over as a letter for the inbox: what makes a repetition the same, and whose queue it joins."""

import json
from typing import Any

from bot.inbox.inbox import Letter


def letter_of(update: dict[str, Any]) -> Letter:
    """Address an update to its queue: the private chat, the group, or the person who pressed."""
    for part in update.values():
        if isinstance(part, dict):
            message = part.get("message") or part
            chat = message.get("chat") or part.get("from") or part.get("user")
            if isinstance(chat, dict) and "id" in chat:
                return Letter("telegram", str(update["update_id"]), f"telegram:{chat['id']}", update)
    return Letter("telegram", str(update["update_id"]), "telegram:other", update)


def from_telegram(body: bytes) -> Letter:
    """Read an update as Telegram's webhook sends it; ValueError when it is none."""
    update: Any = json.loads(body)
    if isinstance(update, dict) and isinstance(update.get("update_id"), int):
        return letter_of(update)
    raise ValueError("not an update")


def of_text(fields: dict[str, str], _query: dict[str, str]) -> Letter:
    """Address a text message to its sender's queue; KeyError when Twilio's fields are not there."""
    return Letter("twilio_inbound", fields["MessageSid"], f"sms:{fields['From']}", dict(fields))


def of_status(fields: dict[str, str], query: dict[str, str]) -> Letter:
    """Address the news of one of our text messages; `delivery` came with the address we gave. KeyError as above."""
    sid = fields.get("MessageSid") or fields["SmsSid"]
    payload: dict[str, str] = {**fields, "delivery": query.get("delivery", "")}
    return Letter("twilio_status", f"{sid}:{fields['MessageStatus']}", f"sms-status:{sid}", payload)
