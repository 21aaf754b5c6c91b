"""People with Telegram on their phones, as tests and the demo play them.

A person acts (types, presses, blocks), reads what their screen shows, and waits to hear something.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from bot.sandbox.telegram.groups import Group, membership
from bot.sandbox.telegram.markup import clean, text_content
from bot.sandbox.telegram.model import Button, Chat, Command, Json, Message, Press, User
from bot.sandbox.telegram.offered import key_labels, offered
from bot.sandbox.telegram.world import TEXT_MAX, TelegramWorld

START_LINK: Final = re.compile(r"https?://t\.me/(\w+)(?:\?start=([A-Za-z0-9_-]{0,64}))?$")
PATIENCE_SECONDS: Final = 15.0


class Person:
    """Somebody with a Telegram account. Their private chat's id is their user id."""

    def __init__(self, world: TelegramWorld, user: User, chat: Chat) -> None:
        self._world = world
        self.user = user
        self.chat = chat
        self._last_press: Press | None = None
        # Which versions of messages `hears` has given back, and up to where in each chat's log.
        self._heard: dict[int, list[Message]] = {}
        self._stale: dict[int, list[Message]] = {}
        self._cursor: dict[int, int] = {}

    def __repr__(self) -> str:
        return f"<{self.user.first_name} {self.id}>"

    # -- who -----------------------------------------------------------------------------

    @property
    def id(self) -> int:
        """The user id, which is the private chat's id too."""
        return self.user.id

    @property
    def name(self) -> str:
        """The first name."""
        return self.user.first_name

    @property
    def deactivated(self) -> bool:
        """Whether the account was deleted; can be set."""
        return self.user.deactivated

    @deactivated.setter
    def deactivated(self, value: bool) -> None:
        self.user.deactivated = value

    # -- what the screen shows -----------------------------------------------------------

    @property
    def messages(self) -> list[Message]:
        """What the private chat shows now, oldest first."""
        return self.chat.visible

    @property
    def history(self) -> list[Message]:
        """Every version of every message, deletions too, in the order it happened."""
        return list(self.chat.log)

    @property
    def last(self) -> Message:
        """The newest message of the bot that is still there."""
        mine = [message for message in self.chat.visible if message.sender == "bot"]
        assert mine, f"the bot has said nothing to {self.name}\n{self.transcript()}"
        return mine[-1]

    @property
    def buttons(self) -> list[str]:
        """The labels of the newest message that has buttons; else those of the reply keyboard."""
        for message in reversed(self.chat.visible):
            if message.buttons:
                return message.labels
        return key_labels(self.chat)

    @property
    def alerts(self) -> list[str]:
        """The lines shown in answer to presses, oldest first."""
        return self.user.alerts

    @property
    def commands(self) -> list[Command]:
        """The menu of commands beside the text field."""
        return self._world.commands_for(self.user)

    def transcript(self, chat: Group | None = None) -> str:
        """Return the chat as a person would read it aloud."""
        where = chat.chat if chat else self.chat
        lines = [self._line(message) for message in where.visible]
        return "\n".join([f"--- {where.title} ---", *lines, "---"])

    # -- acts ----------------------------------------------------------------------------

    async def types(
        self, text: str, *, chat: Group | None = None, thread: int | None = None, anonymously: bool = False
    ) -> Message | None:
        """Send a text (in pieces when it is longer than one message); return the last piece.

        None when nothing of it is left to send. Typing in the private chat begins it.
        """
        where = self._enters(chat)
        kept = clean(text)
        sent = None
        for start in range(0, len(kept), TEXT_MAX):
            piece = kept[start : start + TEXT_MAX]
            sent = self._sends(where, anonymous=anonymously, thread_id=thread, **text_content(piece))
        return sent

    async def presses(
        self,
        label: str,
        *,
        message: Message | None = None,
        chat: Group | None = None,
        timeout_seconds: float = PATIENCE_SECONDS,
    ) -> Press | None:
        """Press the newest button whose label contains `label`; return the press of an inline one.

        A person waits a while until the button is there. With `message`, a button that message had
        when the test got hold of it, even if it is gone from the screen since. A key of the reply
        keyboard is typed, or shares the contact.
        """
        where = self._enters(chat, begins=False)
        found = await where.bell.until(lambda: offered(where, label, message), timeout_seconds)
        if found is None:
            seen = [label for shown in where.visible for label in shown.labels] + key_labels(where)
            raise AssertionError(f"{self.name} sees no button with {label!r}, only {seen}\n{self.transcript(chat)}")
        button, of = found
        if of is not None:
            return await self._pushes(button, of)
        await self._keys(button, where, chat)
        return None

    async def press_data(self, data: str, *, message: Message) -> Press:
        """Press a button that was never there: callback data can be forged."""
        self._acts(self._world.chats[message.chat_id])
        self._last_press = self._world.press(self.user, message, data)
        return self._last_press

    async def resends_last_press(self, *, same_query_id: bool = False) -> Press:
        """Let the client send the last press again by itself: a new update, usually a new query id.

        tdlib/telegram-bot-api issue 699: it does when the app was closed before the answer came.
        """
        assert self._last_press is not None, f"{self.name} has pressed nothing"
        if same_query_id:
            self._world.announce(self._last_press)
        else:
            self._last_press = self._world.press(self.user, self._last_press.message, self._last_press.data)
        return self._last_press

    async def opens(self, url: str) -> Message | None:
        """Follow a link to the bot, as the QR code on paper holds it, and press Start."""
        link = START_LINK.match(url)
        assert link, f"not a link to a bot: {url}"
        return await self.types(f"/start {link[2] or ''}".strip())

    async def shares_contact(self, *, phone: str | None = None, owner_id: int | None = None) -> Message:
        """Send a contact: one's own, or with `owner_id` somebody else's (0: of no Telegram user).

        One's own number comes without the +, as some clients send it.
        """
        number = phone or (self.user.phone or "").removeprefix("+")
        assert number, f"{self.name} has no phone number"
        contact: Json = {"phone_number": number, "first_name": self.name}
        if owner_id != 0:
            contact["user_id"] = owner_id or self.id
        return self._sends(self._enters(None), contact=contact)

    async def sends_document(self, name: str, content: bytes, *, caption: str = "") -> Message:
        """Send a file to the bot."""
        file_id = self._world.add_file(name, content)
        return self._sends(self._enters(None), document=(name, content), file_id=file_id, caption=caption or None)

    async def sends_photo(self, content: bytes, *, caption: str = "") -> Message:
        """Send a picture to the bot."""
        file_id = self._world.add_file("photo.jpg", content)
        return self._sends(self._enters(None), photo=content, file_id=file_id, caption=caption or None)

    async def edits(self, message: Message, text: str) -> Message:
        """Change one's own message."""
        chat = self._world.chats[message.chat_id]
        edited = self._world.replace(chat, replace(message, edited=True, **text_content(clean(text))))
        self._world.hear("edited_message", edited)
        return edited

    async def blocks(self) -> None:
        """Stop the bot."""
        self._set_blocked(blocked=True)

    async def unblocks(self) -> None:
        """Let the bot write again."""
        self._set_blocked(blocked=False)

    # -- waits ---------------------------------------------------------------------------

    async def hears(
        self, text: str, *, timeout_seconds: float = PATIENCE_SECONDS, chat: Group | None = None
    ) -> Message:
        """Wait for a message of the bot, new or edited, that contains `text`; return the newest such.

        What is still visible counts, and what came since the last `hears` even if it is gone again.
        What was already heard counts again until the person acts, so that several things can be
        asked of one message, but an old answer is never taken for the answer to a new act.
        """
        where = chat.chat if chat else self.chat
        found = await where.bell.until(lambda: self._unheard(where, text), timeout_seconds)
        if found is None:
            raise AssertionError(
                f"{self.name} did not hear {text!r} within {timeout_seconds} s\n{self.transcript(chat)}"
            )
        self._heard.setdefault(where.id, []).append(found)
        self._cursor[where.id] = len(where.log)
        return found

    async def sees_alert(self, text: str, *, timeout_seconds: float = PATIENCE_SECONDS) -> str:
        """Wait for a line shown in answer to a press that contains `text`."""
        found = await self.chat.bell.until(
            lambda: next((alert for alert in reversed(self.alerts) if text in alert), None), timeout_seconds
        )
        assert found is not None, f"{self.name} saw no alert with {text!r}, only {self.alerts}"
        return found

    # -- inside --------------------------------------------------------------------------

    def _enters(self, group: Group | None, *, begins: bool = True) -> Chat:
        where = group.chat if group else self.chat
        assert self.id in where.members, f"{self.name} is not in {where.title}"
        assert not (where.private and where.blocked), f"{self.name} has blocked the bot: unblocks() first"
        if begins:
            where.started = True
        self._acts(where)
        return where

    def _acts(self, where: Chat) -> None:
        self._stale.setdefault(where.id, []).extend(self._heard.pop(where.id, []))

    def _sends(self, where: Chat, **content: Any) -> Message:  # noqa: ANN401 - the fields of Message
        message = self._world.post(where, self.id, **content)
        heard = where.private or where.bot_sees_all or self._meant_for_bot(message)
        if heard:
            self._world.hear("message", message)
        return message

    def _meant_for_bot(self, message: Message) -> bool:
        """Privacy mode, the default in groups: only commands and mentions reach the bot."""
        return message.text.startswith("/") or f"@{self._world.bot.username}" in message.words

    async def _pushes(self, button: Button, message: Message) -> Press | None:
        if button.web_app is not None:
            return None  # the bot hears nothing of it
        if button.url is not None:
            await self.opens(button.url)
            return None
        return await self.press_data(button.callback_data or "", message=message)

    async def _keys(self, key: Button, where: Chat, group: Group | None) -> None:
        if where.keyboard and where.keyboard.one_time:
            where.keyboard = None
        if key.request_contact:
            await self.shares_contact()
        else:
            await self.types(key.text, chat=group)

    def _unheard(self, where: Chat, text: str) -> Message | None:
        since = where.log[self._cursor.get(where.id, 0) :]
        stale = self._stale.get(where.id, [])
        for message in _newest_first(where.visible, since):
            if message.sender != "bot" or text not in message.words:
                continue
            if not any(message is old for old in stale):
                return message
        return None

    def _set_blocked(self, *, blocked: bool) -> None:
        self.chat.blocked = blocked
        before, after = ("member", "kicked") if blocked else ("kicked", "member")
        change = membership(self._world, self.chat, self.user, before, after)
        self._world.queue.make("my_chat_member", change, ("chat", self.chat.id))

    def _line(self, message: Message) -> str:
        who = "bot" if message.sender == "bot" else self._world.users[message.sender].first_name
        extra = " (photo)" if message.photo else f" ({message.document[0]})" if message.document else ""
        keys = "".join(f" [{label}]" for label in message.labels)
        return f"{who}: {message.words}{extra}{keys}"


def _newest_first(visible: list[Message], since: list[Message]) -> Iterable[Message]:
    """Go through what happened since, then what is visible; a deletion is no message."""
    yield from (message for message in reversed(since) if not message.deleted)
    yield from reversed(visible)
