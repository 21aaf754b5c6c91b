"""`sandbox.twilio`: the local Twilio as tests and the demo hold it."""

from aiohttp import ClientSession, web

from bot.sandbox.chores import Chores
from bot.sandbox.faults import Faults, Stage
from bot.sandbox.meter import Meter
from bot.sandbox.twilio.calls import TwilioCalls
from bot.sandbox.twilio.http import TwilioHttp
from bot.sandbox.twilio.model import Sms
from bot.sandbox.twilio.world import Changed, Line, Outcome, TwilioWorld

ACCOUNT_SID = "AC5a0db0c05a0db0c05a0db0c05a0db0c0"
AUTH_TOKEN = "5a0db0c0good0on0this0machine0only"  # noqa: S105 - it opens the sandbox only
LANDLINE = 21614  # "'To' number is not a valid mobile number"
ARRIVED = frozenset({"delivered", "read", "received"})
PATIENCE_SECONDS = 5.0


class Phone:
    """A mobile phone that can text."""

    def __init__(self, world: TwilioWorld, line: Line) -> None:
        self._world = world
        self._line = line
        self._heard = 0

    def __repr__(self) -> str:
        return f"<phone {self.number}>"

    @property
    def number(self) -> str:
        """Its number, E.164."""
        return self._line.number

    @property
    def inbox(self) -> list[Sms]:
        """The texts that reached it, oldest first."""
        return [sms for sms in self._line.messages if sms.outgoing and sms.status in ARRIVED]

    @property
    def messages(self) -> list[Sms]:
        """Every text to it or from it, arrived or not, oldest first."""
        return list(self._line.messages)

    @property
    def outcome(self) -> Outcome:
        """How texts to it end: "delivered", ("undelivered", 30005), ("failed", 30003)... Can be set."""
        return self._line.outcome

    @outcome.setter
    def outcome(self, value: Outcome) -> None:
        self._line.outcome = value

    @property
    def dead(self) -> int | None:
        """The code with which texts to it are refused at once (21211, 21614...). Can be set."""
        return self._line.dead

    @dead.setter
    def dead(self, value: int | None) -> None:
        self._line.dead = value

    @property
    def landline(self) -> bool:
        """Whether it is none that takes texts. Can be set."""
        return self._line.dead == LANDLINE

    @landline.setter
    def landline(self, value: bool) -> None:
        self._line.dead = LANDLINE if value else None

    @property
    def opted_out(self) -> bool:
        """Whether it has sent STOP to our present sender."""
        return self._world.sender in self._line.stopped

    async def texts(self, body: str) -> Sms:
        """Send a text to our number; returns when the bot's webhook has answered."""
        return await self._world.receive(self.number, body)

    async def hears(self, text: str, *, timeout_seconds: float = PATIENCE_SECONDS) -> Sms:
        """Wait for a text that contains `text`, among those after the last one heard; return the first."""
        found = await self._line.bell.until(lambda: self._unheard(text), timeout_seconds)
        if found is None:
            shown = "\n".join(f"{sms.status:>11}: {sms.body}" for sms in self.messages)
            raise AssertionError(f"{self.number} got no text with {text!r} within {timeout_seconds} s\n{shown}")
        position, sms = found
        self._heard = position + 1
        return sms

    def _unheard(self, text: str) -> tuple[int, Sms] | None:
        for position, sms in enumerate(self.inbox):
            if position >= self._heard and text in sms.body:
                return position, sms
        return None


class Twilio:
    """Phones, and the switches of the server their texts go through."""

    def __init__(self, *, faults: Faults, changed: Changed, stage: Stage, chores: Chores, keep_messages: bool) -> None:
        self.calls = TwilioCalls(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN)
        self.world = TwilioWorld(
            faults=faults, changed=changed, chores=chores, calls=self.calls, keep_messages=keep_messages
        )
        self.api_url = ""
        self._phones: dict[str, Phone] = {}
        self._http = TwilioHttp(self.world, stage=stage)

    def phone(self, number: str) -> Phone:
        """Return the phone with a number (E.164); always the same one."""
        if number not in self._phones:
            self._phones[number] = Phone(self.world, self.world.line(number))
        return self._phones[number]

    @property
    def account_sid(self) -> str:
        """The account's SID."""
        return self.calls.account_sid

    @property
    def auth_token(self) -> str:
        """The account's token."""
        return self.calls.auth_token

    @property
    def sender(self) -> str:
        """The number or name texts come from; a name ("BALLOT") is one-way. Can be set."""
        return self.world.sender

    @sender.setter
    def sender(self, value: str) -> None:
        self.world.sender = value

    @property
    def messaging_service_sid(self) -> str:
        """A Messaging Service that sends from `sender`."""
        return self.world.service_sid

    @property
    def inbound_url(self) -> str | None:
        """Where texts to our number are announced, as Twilio's console would hold it. Can be set."""
        return self.world.inbound_url

    @inbound_url.setter
    def inbound_url(self, value: str | None) -> None:
        self.world.inbound_url = value

    @property
    def public_url(self) -> dict[str, str]:
        """Prefixes the bot is known by (signed) -> where it listens on this machine. Can be set."""
        return self.calls.public_url

    @public_url.setter
    def public_url(self, value: dict[str, str]) -> None:
        self.calls.public_url = value

    @property
    def rate_segments_per_second(self) -> float | None:
        """Segments accepted in any second, beyond it 429 with 20429; None for no limit. Can be set."""
        return self.world.limit.per_second

    @rate_segments_per_second.setter
    def rate_segments_per_second(self, value: float | None) -> None:
        self.world.limit.per_second = value

    @property
    def step_seconds(self) -> float:
        """The time from one status of a text to the next. Can be set."""
        return self.world.step_seconds

    @step_seconds.setter
    def step_seconds(self, value: float) -> None:
        self.world.step_seconds = value

    @property
    def messages(self) -> list[Sms]:
        """Every text kept, oldest first."""
        return list(self.world.messages.values())

    @property
    def debugger(self) -> list[tuple[int, str, int]]:
        """(code, url, HTTP status) of calls to the bot's webhooks that went wrong."""
        return list(self.calls.debugger)

    @property
    def meter(self) -> Meter:
        """What was accepted, and when; weighed in segments."""
        return self.world.meter

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return where the API is served."""
        return self._http.routes()

    def open(self, url: str, session: ClientSession) -> None:
        """Begin: the server listens at `url`."""
        self.api_url = f"{url}/twilio"
        self.calls.open(session)
