"""The nouns of the local Telegram: users, chats, messages, buttons, presses."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from bot.sandbox.bell import Bell
from bot.sandbox.telegram.markup import Entity, to_html

Json = dict[str, Any]
Kind = Literal["private", "group", "supergroup"]


@dataclass(frozen=True, slots=True)
class Button:
    """An inline button (callback_data, url, or the web_app it opens) or one of a reply keyboard (neither)."""

    text: str
    callback_data: str | None = None
    url: str | None = None
    web_app: str | None = None
    request_contact: bool = False


Rows = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True, slots=True)
class ReplyKeyboard:
    """The keyboard that replaces a person's letters."""

    rows: Rows
    one_time: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message as it looked at one moment; an edit makes a new one with the same message_id.

    So a test that kept the old one can still press the buttons it had.
    """

    message_id: int
    chat_id: int
    sender: int | Literal["bot"]
    date: datetime
    text: str = ""
    caption: str | None = None
    entities: tuple[Entity, ...] = ()
    photo: bytes | None = None
    document: tuple[str, bytes] | None = None
    file_id: str | None = None
    contact: Json | None = None
    service: Json | None = None
    buttons: Rows = ()
    reply_keyboard: ReplyKeyboard | None = None
    reply_to: int | None = None
    thread_id: int | None = None
    anonymous: bool = False
    edited: bool = False
    deleted: bool = False

    @property
    def words(self) -> str:
        """The text, or the caption of a picture or document."""
        return self.text or self.caption or ""

    @property
    def html(self) -> str:
        """The words as safe HTML."""
        return to_html(self.words, self.entities)

    @property
    def labels(self) -> list[str]:
        """What its inline buttons say, row by row."""
        return [button.text for row in self.buttons for button in row]

    def content_json(self) -> Json:
        """As the Bot API shows what is in it."""
        shown: Json = dict(self.service or {})
        if self.text:
            shown["text"] = self.text
        if self.caption is not None:
            shown["caption"] = self.caption
        if self.entities:
            shown["entities" if self.text else "caption_entities"] = list(self.entities)
        if self.contact is not None:
            shown["contact"] = self.contact
        if self.photo is not None:
            shown["photo"] = [_photo_json(self)]
        if self.document is not None:
            name, content = self.document
            shown["document"] = {"file_name": name, "file_size": len(content), **_file_ids(self)}
        return shown


@dataclass(slots=True, kw_only=True)
class User:
    """A Telegram account."""

    id: int
    first_name: str
    last_name: str | None = None
    username: str | None = None
    language_code: str | None = None
    is_bot: bool = False
    phone: str | None = None
    deactivated: bool = False
    alerts: list[str] = field(default_factory=list)

    def as_json(self) -> Json:
        """As the Bot API shows it."""
        shown: Json = {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name}
        for name in ("last_name", "username", "language_code"):
            if (value := getattr(self, name)) is not None:
                shown[name] = value
        return shown


@dataclass(slots=True, kw_only=True)
class Chat:
    """A private chat with the bot, or a group."""

    id: int
    kind: Kind
    title: str
    members: list[int]
    topics: bool = False
    bot_sees_all: bool = False
    started: bool = False
    blocked: bool = False
    migrated_to: int | None = None
    messages: dict[int, Message] = field(default_factory=dict)
    log: list[Message] = field(default_factory=list)
    keyboard: ReplyKeyboard | None = None
    bell: Bell = field(default_factory=Bell)

    @property
    def private(self) -> bool:
        """Tell whether this is a chat of one person with the bot."""
        return self.kind == "private"

    @property
    def visible(self) -> list[Message]:
        """What is in the chat now, oldest first."""
        return list(self.messages.values())

    def as_json(self) -> Json:
        """As the Bot API shows it inside a message."""
        if self.private:
            return {"id": self.id, "type": "private", "first_name": self.title}
        shown: Json = {"id": self.id, "type": self.kind, "title": self.title}
        if self.topics:
            shown["is_forum"] = True
        return shown


@dataclass(slots=True, kw_only=True)
class Press:
    """One press of an inline button, as the bot hears of it."""

    id: str
    user_id: int
    chat_id: int
    message: Message
    data: str
    made_at: float
    answered: bool = False
    alert: str | None = None
    bell: Bell = field(default_factory=Bell)

    async def wait_for_answer(self, timeout_seconds: float) -> str | None:
        """Wait until the bot answered the press; return the text it showed, if any."""
        await self.bell.until(lambda: self.answered or None, timeout_seconds)
        return self.alert


@dataclass(slots=True)
class Command:
    """One line of the commands menu."""

    command: str
    description: str


class Numbers:
    """Message ids: one sequence for private chats and basic groups, one per supergroup, as at Telegram."""

    def __init__(self) -> None:
        self._last: Counter[int] = Counter()

    def next(self, chat: Chat) -> int:
        """Return the id of the next message in this chat."""
        key = chat.id if chat.kind == "supergroup" else 0
        self._last[key] += 1
        return self._last[key]


def _photo_json(message: Message) -> Json:
    content = message.photo or b""
    # A PNG says its size in its first chunk: 4 bytes each, after signature and chunk header.
    is_png = content[:4] == b"\x89PNG"
    width, height = (int.from_bytes(content[at : at + 4], "big") if is_png else 1 for at in (16, 20))
    return {"width": width, "height": height, "file_size": len(content), **_file_ids(message)}


def _file_ids(message: Message) -> Json:
    file_id = message.file_id or ""
    return {"file_id": file_id, "file_unique_id": file_id[-16:]}
