"""`sandbox.telegram`: the local Telegram as tests and the demo hold it."""

from aiohttp import ClientSession, web

from bot.sandbox.chores import Chores
from bot.sandbox.faults import Faults, Stage
from bot.sandbox.meter import Meter
from bot.sandbox.telegram.groups import Group
from bot.sandbox.telegram.http import TelegramHttp
from bot.sandbox.telegram.model import Json, User
from bot.sandbox.telegram.people import Person
from bot.sandbox.telegram.world import Publish, TelegramWorld


class Telegram:
    """People, groups, and the switches of the server they talk through."""

    def __init__(self, *, faults: Faults, publish: Publish, stage: Stage, chores: Chores, keep_messages: bool) -> None:
        self.world = TelegramWorld(faults=faults, publish=publish, keep_messages=keep_messages)
        self.public_url: dict[str, str] = {}
        """Prefixes the bot is known by -> where it listens on this machine."""
        self.people: dict[int, Person] = {}
        self.groups: list[Group] = []
        self.api_url = ""
        self._http = TelegramHttp(self.world, stage=stage, chores=chores, public_url=self.public_url)

    # -- people --------------------------------------------------------------------------

    def person(
        self,
        name: str = "Ada",
        *,
        language_code: str | None = "en",
        user_id: int | None = None,
        phone: str | None = None,
    ) -> Person:
        """Make somebody with a Telegram account who has not written to the bot yet.

        Without `phone` they get one of Ofcom's numbers for drama, from 500 on: those below are for a roll.
        """
        drama_number = f"+447700900{500 + len(self.people) % 500}"
        user = User(
            id=self.world.next_user_id() if user_id is None else user_id,
            first_name=name,
            language_code=language_code,
            phone=phone or drama_number,
        )
        chat = self.world.add_user(user)
        person = Person(self.world, user, chat)
        self.people[user.id] = person
        return person

    def group(self, title: str, *, members: list[Person], topics: bool = False, bot_sees_all: bool = False) -> Group:
        """Make a group with the bot in it; the first member made it.

        Unless `bot_sees_all` the bot hears only commands and mentions there (privacy mode).
        """
        chat = self.world.add_group(title, [member.id for member in members], topics=topics, bot_sees_all=bot_sees_all)
        group = Group(self.world, chat)
        if members:
            group.announces_bot(members[0])
        self.groups.append(group)
        return group

    # -- the bot's account ---------------------------------------------------------------

    @property
    def token(self) -> str:
        """The bot's token."""
        return self.world.token

    @property
    def bot_username(self) -> str:
        """The bot's name behind t.me/."""
        return self.world.bot.username or ""

    # -- updates -------------------------------------------------------------------------

    @property
    def updates(self) -> list[Json]:
        """Every update made so far, in order."""
        return list(self.world.queue.log)

    def redeliver(self, update_id: int) -> None:
        """Hand an update to the bot once more, with the same id."""
        self.world.queue.redeliver(update_id)

    def update(self, kind: str, payload: Json, *, chat_id: int = 0) -> Json:
        """Make an update of any kind, even one no person here can cause."""
        return self.world.queue.make(kind, payload, ("chat", chat_id))

    @property
    def pending(self) -> int:
        """How many updates the bot has not taken yet."""
        return len(self.world.queue.pending)

    # -- switches ------------------------------------------------------------------------

    @property
    def meter(self) -> Meter:
        """What was accepted, and when."""
        return self.world.meter

    @property
    def rate_per_second(self) -> float | None:
        """Messages and edits accepted in any second, in all; None for no limit. Can be set."""
        return self.world.limit.per_second

    @rate_per_second.setter
    def rate_per_second(self, value: float | None) -> None:
        self.world.limit.per_second = value

    @property
    def rate_per_chat(self) -> float | None:
        """Messages and edits accepted each second in one chat, after a burst of 3. Can be set."""
        return self.world.chat_limits.per_second

    @rate_per_chat.setter
    def rate_per_chat(self, value: float | None) -> None:
        self.world.chat_limits.per_second = value

    @property
    def press_lifetime_seconds(self) -> float:
        """How long a press can be answered. Can be set."""
        return self.world.queue.press_lifetime_seconds

    @press_lifetime_seconds.setter
    def press_lifetime_seconds(self, value: float) -> None:
        self.world.queue.press_lifetime_seconds = value

    @property
    def retry_scale(self) -> float:
        """What the pauses of 2, 4, 8 ... seconds before a webhook is tried again are multiplied with."""
        return self._http.retry_scale

    @retry_scale.setter
    def retry_scale(self, value: float) -> None:
        self._http.retry_scale = value

    @property
    def crowd(self) -> range:
        """Chat ids that accept messages but keep no record: for measuring. Can be set."""
        return self.world.crowd

    @crowd.setter
    def crowd(self, value: range) -> None:
        self.world.crowd = value

    # -- the server's side ---------------------------------------------------------------

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return where the Bot API is served."""
        return self._http.routes()

    def open(self, url: str, session: ClientSession) -> None:
        """Begin: the server listens at `url`."""
        self.api_url = f"{url}/telegram"
        self._http.open(session)

    def close(self) -> None:
        """Let go of whoever waits: the server is about to end."""
        self._http.close()
