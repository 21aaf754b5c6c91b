"""A town for stories: the local Telegram and Twilio, the real service, and people who act in conversations.

    async with Town(database, tmp_path) as town:
        ada = town.member("ada")
        await ada.votes("North")
        assert await town.count("North") == 1

Everything is real but the providers: roll and packs are imported and issued as by a command, codes are read from the
print file, the service runs by polling or by webhooks, and time can be moved on.
"""

import asyncio
import csv
import itertools
import socket
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Self

from kept_database import once
from opened import votes_of
from prepared import HEADER, POLL, SECRETS, WINDOW, asked, line, options_of
from pydantic import SecretStr
from sqlalchemy import func, select, update
from trustee_town import dealt

from bot.app.assembly import assemble
from bot.app.run import Service
from bot.house import House
from bot.sandbox import Message, Person, Phone, Sandbox
from bot.settings import Settings
from bot.staff import enrolment
from bot.staff.roles import Role
from messages.postman.line import Tempo
from messages.postman.postman import Timing
from messages.roll_import import import_roll
from voting import schema
from voting.hour_keys import HourKeys
from voting.model import By, Lock, Poll
from voting.packs.packs import Printing, issue
from voting.poll import polls, window
from voting.roll import roll
from voting.store.database import Database
from voting.votes import cases
from voting.votes.locks import find_lock

PATIENCE_SECONDS = 60.0  # the machine may be busy, and the service killed and started twice meanwhile
MOMENT = datetime(2022, 8, 3, 10, 0, tzinfo=UTC)  # the poll is open, packs are on their way
PUBLIC_URL = "https://ballot.example"
QUICK = Timing(
    tempo=Tempo(idle_seconds=0.2, rest_seconds=(0.05, 0.1)),
    housekeeping_seconds=1.0,
    beat_seconds=0.5,
    silent_seconds=5.0,
)


@dataclass(frozen=True)
class Resident:
    """Somebody on the roll. `number`: their mobile, E.164; several can share one."""

    name: str
    number: str | None
    language: str = "en-GB"
    joined_on: str = "2011-05-02"


RESIDENTS = (
    Resident("ada", "+447700900201"),
    Resident("sian", "+447700900202", language="cy"),
    Resident("bob", "+447700900203"),
    Resident("bea", "+447700900203"),  # shares a number with bob
    Resident("carl", None),
    Resident("newt", "+447700900204", joined_on="2022-07-01"),  # joined too late
)


@dataclass(frozen=True)
class Letter:
    """What came in the envelope, as printed."""

    pack_code: str
    vote_code: str
    word: str

    @property
    def codes(self) -> str:
        """Both codes as a person copies them."""
        return f"{self.pack_code} {self.vote_code}"


class Clock:
    """The town's time: it goes on as real time does, from wherever it was put."""

    def __init__(self, moment: datetime) -> None:
        self.put(moment)

    def put(self, moment: datetime) -> None:
        """Make it this moment now."""
        self._moment, self._since = moment, monotonic()

    def __call__(self) -> datetime:
        return self._moment + timedelta(seconds=monotonic() - self._since)


class Townsperson:
    """Somebody with a phone; all of `Person` is theirs too: types, presses, hears, messages, ..."""

    def __init__(self, town: "Town", person: Person, number: str) -> None:
        self.town, self.person, self.number = town, person, number

    def __getattr__(self, name: str) -> Any:
        return getattr(self.person, name)

    @property
    def phone(self) -> Phone:
        """Their text messages."""
        return self.town.sandbox.twilio.phone(self.number)

    async def gives_codes(self, typed: str, *, purpose: str = "vote") -> Message | None:
        """Go through /vote (or /verify) up to the codes and type them."""
        await self.asks(self.person.types(f"/{purpose}"))
        for label in ("I understand", "Rwy'n deall"):
            if self._sees(label):
                await self.asks(self.person.presses(label))
                break
        return await self.person.types(typed)

    async def insists(self, codes: str) -> Message:
        """Give codes that were used already: be told so, and give them again all the same."""
        await self.asks(self.gives_codes(codes), "somebody else's letter", "llythyr rhywun arall")
        return await self.asks(self.person.types(codes), "the staff can see it", "gall y staff")

    async def asks(self, act: Awaitable[object], *texts: str) -> Message:
        """Do something and wait for the first answer to it, new or edited, that has any of these texts."""
        before = len(self.person.chat.log)
        await act

        def answered() -> Message | None:
            heard = (message for message in self.person.chat.log[before:] if message.sender == "bot")
            return next((message for message in heard if not message.deleted and has_any(message, texts)), None)

        found = await self.person.chat.bell.until(answered, self.town.patience_seconds)
        assert found is not None, f"{self.person.name} heard none of {texts}\n{self.person.transcript()}"
        return await self.person.hears(found.words)  # an old answer is never taken for the answer to a new act

    async def heard_any(self, *texts: str) -> Message:
        """Wait for a message with any of these."""
        waits = [
            asyncio.create_task(self.person.hears(text, timeout_seconds=self.town.patience_seconds)) for text in texts
        ]
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            return next(iter(done)).result()
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    def _sees(self, label: str) -> bool:
        return label in self.person.buttons


class Member(Townsperson):
    """A member of the roll."""

    def __init__(self, town: "Town", person: Person, number: str, member_no: str) -> None:
        super().__init__(town, person, number)
        self.member_no = member_no

    @property
    def pack(self) -> Letter:
        """Their newest pack."""
        return self.town.letters[self.member_no]

    async def links(self) -> None:
        """Share the own number."""
        await self.person.shares_contact(phone=self.number)
        await self.heard_any("is linked to member", "wedi'i chysylltu ag aelod")

    async def opens_paper(self) -> Message:
        """Go through /vote up to the voting paper."""
        return await self.asks(self.gives_codes(self.pack.codes), "your voting paper", "eich papur pleidleisio")

    async def votes(self, option: str) -> str:
        """Vote, and give the receipt."""
        await self.opens_paper()
        await self.asks(self.person.presses(option), "You chose", "Dewisoch")
        cast = "Bwrw fy mhleidlais" if self._sees("Bwrw fy mhleidlais") else "Cast my vote"
        locked = await self.asks(self.person.presses(cast), "Your vote is locked", "Mae eich pleidlais wedi'i chloi")
        return receipt_in(locked.words)


@dataclass(frozen=True)
class Begun:
    """What a town knows of its poll when its service starts, and when that was."""

    at: datetime
    poll: Poll
    member_nos: dict[str, str]
    letters: dict[str, Letter]
    printed: bytes  # the print file


def has_any(message: Message, texts: Sequence[str]) -> bool:
    """Whether a message has one of these texts; any message if there are none."""
    return not texts or any(text in message.words for text in texts)


def receipt_in(words: str) -> str:
    """Read a receipt."""
    return next(rest.split()[0] for mark in ("Receipt:", "Derbynneb:") for rest in words.split(mark)[1:])


class Town:
    """A poll, its members, and the service running over the local providers.

    `webhooks`: it has a public address; `local`: its own on this machine. Without either it polls.
    """

    patience_seconds = PATIENCE_SECONDS

    def __init__(
        self,
        database: Database,
        folder: Path,
        *,
        residents: Sequence[Resident] = RESIDENTS,
        webhooks: bool = False,
        local: bool = False,
        moment: datetime = MOMENT,
        opened: bool = True,
        trusted_proxies: str = "",
        **changes: Any,
    ) -> None:
        self.database, self.folder = database, folder
        self.residents, self.webhooks, self.local, self.opened = residents, webhooks, local, opened
        self.trusted_proxies = trusted_proxies
        self.clock = Clock(moment)
        self.secrets = replace(SECRETS, hours=HourKeys.make())  # each town forgets for itself
        where = asked("Where shall the boathouse stand?", "North Quay", "South Quay")
        self.poll: Poll = replace(POLL, **{"questions": (where,)} | changes)
        self._print_file = folder / "print.csv"
        self._kept = (repr(self.poll), tuple(residents), moment, opened)
        self.sandbox = Sandbox()
        self.dealt = dealt()
        self.letters: dict[str, Letter] = {}
        self.member_nos: dict[str, str] = {}
        self._strangers = itertools.count(900)
        self._people: dict[str, Any] = {}
        self._stop = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self.service: Service | None = None

    async def __aenter__(self) -> Self:
        await self.sandbox.start()
        begun = await once(self.database, self._kept, self._prepare)
        self.poll, self.member_nos, self.letters = begun.poll, begun.member_nos, begun.letters
        await asyncio.to_thread(self._print_file.write_bytes, begun.printed)
        self.clock.put(max(begun.at, self.clock()))
        await self.starts()
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        try:
            await self.stops()
        finally:  # a service that did not end well is one failure, not one more in whichever test comes next
            await self.sandbox.stop()

    # -- people --------------------------------------------------------------------------

    def member(self, name: str, *, language_code: str | None = "en") -> Member:
        """Give somebody of the roll a Telegram account; the same person each time."""
        if name not in self._people:
            resident = next(found for found in self.residents if found.name == name)
            number = resident.number or "+447700900299"
            person = self.sandbox.telegram.person(name.title(), language_code=language_code, phone=number)
            self._people[name] = Member(self, person, number, self.member_nos[name])
        found: Member = self._people[name]
        return found

    def stranger(self, name: str = "mallory", *, language_code: str | None = "en") -> Townsperson:
        """Give somebody who is not on the roll a Telegram account."""
        number = f"+447700900{next(self._strangers)}"
        person = self.sandbox.telegram.person(name.title(), language_code=language_code, phone=number)
        return Townsperson(self, person, number)

    async def staff(self, name: str, role: str = "officer") -> Townsperson:
        """Enrol somebody as staff, through a link as `staff invite` prints it."""
        person = self.stranger(name)
        await person.opens(await self.invite(role))
        await person.hears(role, timeout_seconds=PATIENCE_SECONDS)
        return person

    async def invite(self, role: str) -> str:
        """Make an enrolment link."""
        async with self.database.writing() as connection:
            token = await enrolment.invite_staff(connection, Role(role), by=By("Gwen", "command line", self.clock()))
        return f"https://t.me/{self.sandbox.telegram.bot_username}?start={enrolment.PREFIX}{token}"

    # -- facts ---------------------------------------------------------------------------

    async def lock_of(self, name: str) -> Lock | None:
        """Read a member's lock."""
        async with self.database.reading() as connection:
            member = await roll.find(connection, self.member_nos[name])
            return await find_lock(connection, member.id)

    async def case_of(self, name: str) -> cases.Case | None:
        """Read a member's case."""
        async with self.database.reading() as connection:
            member = await roll.find(connection, self.member_nos[name])
            return await cases.case_of_member(connection, member.id)

    async def attempts(self) -> int:
        """Count attempts of anybody."""
        async with self.database.reading() as connection:
            return int(await connection.scalar(select(func.count()).select_from(schema.attempt)) or 0)

    async def locks(self) -> int:
        """Count locks."""
        async with self.database.reading() as connection:
            return int(await connection.scalar(select(func.count()).select_from(schema.lock)) or 0)

    async def count(self, option: str) -> int:
        """Open every ballot with the trustees' shares and count one option."""
        return (await votes_of(self.database, self.poll, self.dealt))[options_of(self.poll).index(option)]

    # -- what happens --------------------------------------------------------------------

    async def opens_poll(self) -> None:
        """Open the poll."""
        async with self.database.writing() as connection:
            self.poll = await polls.open_poll(connection, by=By("Gwen", "command line", self.clock()))

    async def closes_poll(self) -> None:
        """Close the poll."""
        async with self.database.writing() as connection:
            self.poll = await polls.close_poll(connection, by=By("Gwen", "command line", self.clock()))

    async def moves_window(self, first: date, last: date, reason: str) -> None:
        """Set new delivery days."""
        async with self.database.writing() as connection:
            await window.set_window(connection, first, last, reason, by=By("Gwen", "command line", self.clock()))

    async def changes_pack(self, name: str, **values: Any) -> None:
        """Write what the mailing house tells of a member's pack."""
        async with self.database.writing() as connection:
            member = await roll.find(connection, self.member_nos[name])
            await connection.execute(update(schema.pack).where(schema.pack.c.member_id == member.id).values(**values))

    async def settles(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until every update is taken and handled."""
        assert self.service is not None
        async with asyncio.timeout(seconds):
            while self.sandbox.telegram.pending or not await self.service.reader.idle():  # noqa: ASYNC110 - two sides
                await asyncio.sleep(0.02)

    # -- the service ---------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Where the service listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> Settings:
        """What the service is told."""
        telegram, twilio = self.sandbox.telegram, self.sandbox.twilio
        return Settings(
            _env_file=None,
            secrets_file=self.folder / "ballotline.secrets",
            telegram_token=SecretStr(telegram.token),
            telegram_api_url=telegram.api_url,
            telegram_rate=1000,
            twilio_account_sid=twilio.account_sid,
            twilio_auth_token=SecretStr(twilio.auth_token),
            twilio_from=twilio.sender,
            twilio_api_url=twilio.api_url,
            sms_rate=1000,
            public_url=self.url if self.local else PUBLIC_URL if self.webhooks else "",
            listen=f"127.0.0.1:{self.port}",
            trusted_proxies=self.trusted_proxies,
        )

    async def starts(self, port: int | None = None) -> None:
        """Run the service, where it was before if that is named."""
        self._stop, ready = asyncio.Event(), asyncio.Event()
        self.port = port or free_port()
        local = f"http://127.0.0.1:{self.port}"
        if self.webhooks:
            self.sandbox.telegram.public_url[PUBLIC_URL] = local
            self.sandbox.twilio.public_url[PUBLIC_URL] = local
            self.sandbox.twilio.inbound_url = f"{PUBLIC_URL}/twilio/inbound"
        house = House(self.settings, self.database, self.secrets, clock=self.clock)
        self._running = asyncio.create_task(self._run(house, ready))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({self._running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._running.done():
            self._running.result()

    async def stops(self) -> None:
        """End the service tidily."""
        if self._running is not None:
            self._stop.set()
            await self._running
            self._running = None

    @property
    def running(self) -> bool:
        """Whether the service has not ended by itself."""
        return self._running is not None and not self._running.done()

    async def _run(self, house: House, ready: asyncio.Event) -> None:
        async with assemble(house, timing=QUICK) as service:
            self.service = service
            await service.run(self._stop, ready=ready)

    # -- the poll ------------------------------------------------------------------------

    async def _prepare(self) -> "Begun":
        now = self.clock()
        async with self.database.writing() as connection:
            await polls.init(connection, self.poll, WINDOW, self.secrets, by=By("Gwen", "command line", now))
            by = By("Gwen", "command line", now)
            await polls.set_trustees(connection, self.dealt.trustees.data, "dealer", by=by)
        await self._imports_roll(now)
        await self._issues_packs(now)
        if self.opened:
            await self.opens_poll()
        printed = await asyncio.to_thread(self._print_file.read_bytes)
        return Begun(self.clock(), self.poll, self.member_nos, self.letters, printed)

    async def _imports_roll(self, now: datetime) -> None:
        self.member_nos = {resident.name: f"{100001 + place}" for place, resident in enumerate(self.residents)}
        lines = [
            line(
                self.member_nos[resident.name],
                name=resident.name.title(),
                phone=resident.number or "",
                language=resident.language,
                joined_on=resident.joined_on,
                address_1=f"{place} High St",
            )
            for place, resident in enumerate(self.residents)
        ]
        path = self.folder / "roll.csv"
        await asyncio.to_thread(path.write_text, "\n".join([HEADER, *lines, ""]))
        await import_roll(self.database, path, self.secrets, by=By("Gwen", "command line", now))

    async def _issues_packs(self, now: datetime) -> None:
        await issue(self.database, self.secrets, Printing(self._print_file), by=By("Gwen", "command line", now))
        text = await asyncio.to_thread(self._print_file.read_text, encoding="utf-8-sig")
        for row in csv.DictReader(text.splitlines()):
            self.letters[row["member_no"]] = Letter(row["pack_code"], row["vote_code"], row["word"])


def free_port() -> int:
    """Find a free port."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
