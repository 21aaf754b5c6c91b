"""The local Telegram's state and rules: who can be written to, and what a message becomes.

Every refusal is an ApiError with the sentence of the real server.
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, Literal
from uuid import uuid4

from bot.sandbox.faults import Faults
from bot.sandbox.limit import ChatLimits, Limit
from bot.sandbox.meter import Meter
from bot.sandbox.telegram.errors import ApiError, bad_request
from bot.sandbox.telegram.keyboards import NO_MARKUP, Markup, inline_as_json
from bot.sandbox.telegram.model import Chat, Command, Json, Message, Numbers, Press, User
from bot.sandbox.telegram.updates import Updates

BOT_ID: Final = 8_000_000_001
FIRST_USER_ID: Final = 5_000_000_001  # beyond 32 bits, as real ones are today
FIRST_GROUP_ID: Final = -4_000_000_001
FIRST_SUPERGROUP_ID: Final = -1_002_000_000_001
ANONYMOUS_ADMIN_ID: Final = 1_087_968_824  # Bot API: "GroupAnonymousBot"
TEXT_MAX: Final = 4096
MESSAGES_KEPT_MAX: Final = 10_000  # with keep_messages=False
PRESSES_KEPT_MAX: Final = 20_000
TOO_OLD: Final = "query is too old and response timeout expired or query ID is invalid"
NOT_MODIFIED: Final = (
    "message is not modified: specified new message content and reply markup are exactly "
    "the same as a current content and reply markup of the message"
)
Publish = Callable[[Json], None]
ScopeKey = tuple[str, int | None, str]


class TelegramWorld:
    """Everything the local Telegram knows."""

    def __init__(self, *, faults: Faults, publish: Publish, keep_messages: bool) -> None:
        self.bot = User(id=BOT_ID, first_name="Ballotline", username="BallotlineBot", is_bot=True)
        self.token = f"{BOT_ID}:SANDBOXonlyGoodOnThisMachine00000000"
        self.faults = faults
        self.meter = Meter()
        self.limit = Limit()
        self.chat_limits = ChatLimits()
        self.queue = Updates(keep_log=keep_messages)
        self.users: dict[int, User] = {}
        self.chats: dict[int, Chat] = {}
        self.files: OrderedDict[str, tuple[str, bytes]] = OrderedDict()
        self.commands: dict[ScopeKey, list[Command]] = {}
        self.menu_button: Json | None = None
        self.crowd = range(0)
        """Chat ids that accept messages without any record of them: for measuring."""
        self._publish = publish
        self._keep = keep_messages
        self._kept: deque[tuple[int, int]] = deque()
        self._numbers = Numbers()
        self._presses: OrderedDict[str, Press] = OrderedDict()

    # -- who and where -------------------------------------------------------------------

    def add_user(self, user: User) -> Chat:
        """Add a person; their chat with the bot exists but has not begun."""
        self.users[user.id] = user
        chat = Chat(id=user.id, kind="private", title=user.first_name, members=[user.id])
        self.chats[chat.id] = chat
        self._publish({"type": "person", "person_id": user.id, "chat_id": chat.id})
        return chat

    def next_user_id(self) -> int:
        """Return an id nobody has yet."""
        candidate = FIRST_USER_ID + len(self.users)
        while candidate in self.users:
            candidate += 1
        return candidate

    def add_group(self, title: str, members: list[int], *, topics: bool, bot_sees_all: bool) -> Chat:
        """Add a group with the bot in it; with topics it is a supergroup from the start."""
        groups = sum(not chat.private for chat in self.chats.values())
        first = FIRST_SUPERGROUP_ID if topics else FIRST_GROUP_ID
        chat = Chat(
            id=first - groups,
            kind="supergroup" if topics else "group",
            title=title,
            members=members,
            topics=topics,
            bot_sees_all=bot_sees_all,
            started=True,
        )
        self.chats[chat.id] = chat
        return chat

    def chat(self, chat_id: int) -> Chat:
        """Return a chat the bot knows of; ApiError 400 if there is none, or it became a supergroup."""
        chat = self.chats.get(chat_id)
        if chat is None and chat_id in self.crowd:
            chat = Chat(id=chat_id, kind="private", title="Somebody", members=[chat_id], started=True)
        if chat is None:
            raise bad_request("chat not found")
        if chat.migrated_to is not None:
            raise ApiError(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                migrate_to_chat_id=chat.migrated_to,
            )
        return chat

    def open_chat(self, chat_id: int) -> Chat:
        """Return a chat the bot may write to; ApiError 403 if its person does not want that."""
        chat = self.chat(chat_id)
        if not chat.private:
            if chat.blocked:
                raise ApiError(403, f"Forbidden: bot was kicked from the {chat.kind} chat")
            return chat
        user = self.users.get(chat_id)
        if user is not None and user.deactivated:
            raise ApiError(403, "Forbidden: user is deactivated")
        if chat.blocked:
            raise ApiError(403, "Forbidden: bot was blocked by the user")
        if not chat.started:
            raise ApiError(403, "Forbidden: bot can't initiate conversation with a user")
        return chat

    # -- messages ------------------------------------------------------------------------

    def post(self, chat: Chat, sender: int | Literal["bot"], markup: Markup = NO_MARKUP, **content: Any) -> Message:  # noqa: ANN401 - the fields of Message, typed there
        """Put a message into a chat, where its people see it at once."""
        message = Message(
            message_id=self._numbers.next(chat),
            chat_id=chat.id,
            sender=sender,
            date=datetime.now(UTC),
            buttons=markup.inline,
            reply_keyboard=markup.keyboard,
            **content,
        )
        if markup.keyboard is not None or markup.removes_keyboard:
            chat.keyboard = markup.keyboard
        chat.messages[message.message_id] = message
        self._log(chat, message)
        self._changed("message", chat, sender)
        return message

    def find(self, chat: Chat, message_id: int, what: str) -> Message:
        """Return a message that is in the chat; ApiError 400 "message to <what> not found"."""
        message = chat.messages.get(message_id)
        if message is None:
            raise bad_request(f"message to {what} not found")
        return message

    def edit(self, chat: Chat, message: Message, **content: Any) -> Message:  # noqa: ANN401 - the fields of Message
        """Replace what the bot's message says or offers."""
        if message.sender != "bot":
            raise bad_request("message can't be edited")
        edited = replace(message, **content)
        if edited == message:
            raise bad_request(NOT_MODIFIED)
        return self.replace(chat, replace(edited, edited=True))

    def replace(self, chat: Chat, message: Message) -> Message:
        """Put a new version in the place of a message."""
        chat.messages[message.message_id] = message
        self._log(chat, message)
        self._changed("edit", chat)
        return message

    def delete(self, chat: Chat, message: Message) -> None:
        """Remove a message for everyone."""
        del chat.messages[message.message_id]
        self._log(chat, replace(message, deleted=True))
        self._changed("delete", chat)

    def add_file(self, name: str, content: bytes) -> str:
        """Keep a file; return the id under which it can be fetched and sent again."""
        file_id = f"SANDBOX{uuid4().hex}"
        self.files[file_id] = (name, content)
        if not self._keep and len(self.files) > MESSAGES_KEPT_MAX // 100:
            self.files.popitem(last=False)
        return file_id

    def message_json(self, message: Message) -> Json:
        """Show a message as the Bot API does."""
        chat = self.chats.get(message.chat_id)
        shown: Json = {
            "message_id": message.message_id,
            "from": self._sender_json(message),
            "chat": chat.as_json() if chat else {"id": message.chat_id, "type": "private"},
            "date": int(message.date.timestamp()),
        }
        if message.edited:
            shown["edit_date"] = int(time.time())
        if message.anonymous and chat is not None:
            shown["sender_chat"] = chat.as_json()
        if message.thread_id is not None:
            shown |= {"message_thread_id": message.thread_id, "is_topic_message": True}
        if message.buttons:
            shown["reply_markup"] = inline_as_json(message.buttons)
        return shown | message.content_json()

    # -- presses -------------------------------------------------------------------------

    def press(self, user: User, message: Message, data: str) -> Press:
        """Press an inline button as a person does; the bot hears of it."""
        press = Press(
            id=str(uuid4().int >> 66),
            user_id=user.id,
            chat_id=message.chat_id,
            message=message,
            data=data,
            made_at=time.monotonic(),
        )
        self._presses[press.id] = press
        if len(self._presses) > PRESSES_KEPT_MAX:
            self._presses.popitem(last=False)
        self.announce(press)
        return press

    def announce(self, press: Press) -> None:
        """Make the update of a press (again, when a client sends it again)."""
        chat = self.chats[press.chat_id]
        now = chat.messages.get(press.message.message_id)
        gone = {"chat": chat.as_json(), "message_id": press.message.message_id, "date": 0}
        query = {
            "id": press.id,
            "from": self.users[press.user_id].as_json(),
            "message": gone if now is None else self.message_json(now),
            "chat_instance": str(abs(hash(("instance", chat.id)))),
            "data": press.data,
        }
        self.queue.make("callback_query", query, ("press", press.user_id))

    def answer_press(self, query_id: str, text: str | None) -> None:
        """Answer a press as the bot does; ApiError 400 when the press is too old or never was."""
        press = self._presses.get(query_id)
        if press is None or time.monotonic() - press.made_at > self.queue.press_lifetime_seconds:
            raise bad_request(TOO_OLD)
        press.answered = True
        if text:
            press.alert = text
            self.users[press.user_id].alerts.append(text)
            self._publish({"type": "toast", "person_id": press.user_id, "chat_id": press.chat_id, "text": text})
        press.bell.ring()
        self.chats[press.chat_id].bell.ring()

    # -- commands ------------------------------------------------------------------------

    def commands_for(self, user: User) -> list[Command]:
        """Return the menu a person sees in the private chat (Bot API, "Determining list of commands")."""
        language = user.language_code or ""
        for scope, chat_id in (("chat", user.id), ("all_private_chats", None), ("default", None)):
            for code in (language, ""):
                if menu := self.commands.get((scope, chat_id, code)):
                    return menu
        return []

    def now(self) -> int:
        """Return the time as the Bot API writes it."""
        return int(time.time())

    # -- inside --------------------------------------------------------------------------

    def hear(self, kind: str, message: Message) -> None:
        """Tell the bot of a message a person sent or edited."""
        self.queue.make(kind, self.message_json(message), ("chat", message.chat_id))

    def _log(self, chat: Chat, message: Message) -> None:
        if self._keep:
            chat.log.append(message)
            return
        self._kept.append((chat.id, message.message_id))
        if len(self._kept) > MESSAGES_KEPT_MAX:
            chat_id, message_id = self._kept.popleft()
            if old := self.chats.get(chat_id):
                old.messages.pop(message_id, None)

    def _changed(self, what: str, chat: Chat, sender: int | Literal["bot"] = "bot") -> None:
        chat.bell.ring()
        for member in chat.members:
            self._publish({"type": what, "person_id": member, "chat_id": chat.id, "out": member == sender})

    def _sender_json(self, message: Message) -> Json:
        if message.sender == "bot":
            return self.bot.as_json()
        if message.anonymous:
            return {
                "id": ANONYMOUS_ADMIN_ID,
                "is_bot": True,
                "first_name": "Group",
                "username": "GroupAnonymousBot",
            }
        return self.users[message.sender].as_json()
