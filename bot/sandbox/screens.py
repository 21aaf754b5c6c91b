"""What a phone's screen shows, as JSON for the page of phones."""

from datetime import UTC
from typing import Any

from bot.sandbox.phones import Cast
from bot.sandbox.telegram.model import Button, Chat, Message
from bot.sandbox.telegram.people import Person
from bot.sandbox.telegram.telegram import Telegram
from bot.sandbox.twilio.model import Sms

Json = dict[str, Any]


class Screens:
    """Shows chats as their people see them."""

    def __init__(self, telegram: Telegram) -> None:
        self._telegram = telegram

    def of(self, person: Person) -> list[Json]:
        """Show the chats of a person: with the bot, then the groups they are in."""
        groups = [group.chat for group in self._telegram.groups if person.id in group.chat.members]
        return [self._chat(person, chat) for chat in (person.chat, *groups)]

    def _chat(self, person: Person, chat: Chat) -> Json:
        rows = chat.keyboard.rows if chat.keyboard else None
        return {
            "chat_id": chat.id,
            "title": self._telegram.world.bot.first_name if chat.private else chat.title,
            "kind": "private" if chat.private else "group",
            "blocked": chat.blocked,
            "messages": [self._message(person, message) for message in chat.visible if not message.service],
            "reply_keyboard": [[key.text for key in row] for row in rows] if rows else None,
            "reply_keyboard_contact": [[key.request_contact for key in row] for row in rows] if rows else None,
            "app": self._menu_app() if chat.private else None,
            "commands": [{"command": line.command, "description": line.description} for line in person.commands],
        }

    def _menu_app(self) -> Json | None:
        button = self._telegram.world.menu_button or {}
        return {"text": button["text"], "url": button["web_app"]["url"]} if "web_app" in button else None

    def _message(self, person: Person, message: Message) -> Json:
        photo, document = message.photo is not None, message.document
        return {
            "id": message.message_id,
            "out": message.sender == person.id,
            "from_name": self._from_name(message),
            "html": f"📱 {message.contact['phone_number']}" if message.contact else message.html,
            "date": message.date.isoformat(),
            "edited": message.edited,
            "photo": f"/api/photo/{message.file_id}" if photo else None,
            "document": {"name": document[0], "url": f"/api/document/{message.file_id}"} if document else None,
            "buttons": [[{"text": button.text} | _action(button) for button in row] for row in message.buttons],
            "deleted": False,
        }

    def _from_name(self, message: Message) -> str:
        world = self._telegram.world
        return (world.bot if message.sender == "bot" else world.users[message.sender]).first_name


def shown_apps(person: Person, telegram: Telegram) -> set[str]:
    """Give the addresses of the Mini Apps that somebody can open now."""
    menu = telegram.world.menu_button or {}
    shown = {button.web_app for message in person.messages for row in message.buttons for button in row}
    return {url for url in (*shown, menu.get("web_app", {}).get("url")) if url}


def _action(button: Button) -> Json:
    if button.web_app:
        return {"app": button.web_app}
    return {"url": button.url} if button.url else {"data": button.callback_data or ""}


def cast_json(cast: Cast) -> Json:
    """Show who somebody is in the story."""
    return {
        "id": cast.user_id,
        "name": cast.name,
        "role": cast.role,
        "member_no": cast.member_no,
        "phone": cast.phone,
    }


def sms_json(sms: Sms) -> Json:
    """Show a text message as its phone has it."""
    return {
        "id": sms.sid,
        "from": sms.from_,
        "to": sms.to,
        "body": sms.body,
        "status": sms.status,
        "date": sms.date.astimezone(UTC).isoformat(),
        "outgoing": not sms.outgoing,
    }
