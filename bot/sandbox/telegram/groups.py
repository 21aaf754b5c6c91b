"""Groups the bot is in, as tests and the demo hold them: who is in, and how the bot comes and goes."""

from typing import Protocol

from bot.sandbox.telegram.model import Chat, Json, Message, User
from bot.sandbox.telegram.world import TelegramWorld


class Somebody(Protocol):
    """Whoever acts in a group: anybody with an account."""

    user: User


class Group:
    """A group the bot is in."""

    def __init__(self, world: TelegramWorld, chat: Chat) -> None:
        self._world = world
        self.chat = chat

    @property
    def chat_id(self) -> int:
        """The id it has now: another one after `migrate`."""
        return self.chat.id

    @property
    def messages(self) -> list[Message]:
        """What is in it now."""
        return self.chat.visible

    def adds(self, person: Somebody) -> None:
        """Let a person in."""
        self.chat.members.append(person.user.id)

    def announces_bot(self, by: Somebody) -> None:
        """Tell the bot that it was added."""
        self._world.queue.make(
            "my_chat_member",
            membership(self._world, self.chat, by.user, "left", "member"),
            ("chat", self.chat.id),
        )

    def migrate(self) -> int:
        """Make a basic group a supergroup, as turning topics on does; return its new id."""
        old = self.chat
        assert old.kind == "group", "only a basic group can be upgraded"
        new = self._world.add_group(old.title, old.members, topics=True, bot_sees_all=old.bot_sees_all)
        author = old.members[0]
        leaving = self._world.post(old, author, service={"migrate_to_chat_id": new.id})
        arriving = self._world.post(new, author, service={"migrate_from_chat_id": old.id})
        old.migrated_to = new.id
        self.chat = new
        self._world.hear("message", leaving)
        self._world.hear("message", arriving)
        return new.id

    def kicks_bot(self, by: Somebody) -> None:
        """Remove the bot."""
        self.chat.blocked = True
        self._world.queue.make(
            "my_chat_member",
            membership(self._world, self.chat, by.user, "member", "kicked"),
            ("chat", self.chat.id),
        )


def membership(world: TelegramWorld, chat: Chat, by: User, before: str, after: str) -> Json:
    """Show how the bot's place in a chat changed."""

    def status(name: str) -> Json:
        shown: Json = {"user": world.bot.as_json(), "status": name}
        return shown | {"until_date": 0} if name == "kicked" else shown

    return {
        "chat": chat.as_json(),
        "from": by.as_json(),
        "date": world.now(),
        "old_chat_member": status(before),
        "new_chat_member": status(after),
    }
