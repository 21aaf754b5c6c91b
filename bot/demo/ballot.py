"""A ballot set up on this machine for the demo: its files, its database, its service, over the local providers."""

import asyncio
import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from time import monotonic

from pydantic import SecretStr

from bot.app.assembly import assemble
from bot.app.run import Service
from bot.edge.links import link, vote_url
from bot.house import House
from bot.page.page import page_digest
from bot.sandbox import Sandbox
from bot.settings import Settings
from messages import roll_import
from messages.words.wording import Ways
from voting import secrets_file
from voting.audit.signer import Signer
from voting.imports.report import ImportReport
from voting.model import By, Poll
from voting.packs.packs import Issued, Printing, issue
from voting.poll import polls
from voting.poll.keys import DEALER
from voting.store.database import Database
from voting.store.upgrade import upgrade
from voting.trustees.dealer import Dealt, deal_all, write_dealt

VIA = "command line"
TRUSTEES, THRESHOLD = 3, 2


class StoryClock:
    """A clock that goes as real time does, from wherever the story is."""

    def __init__(self, moment: datetime) -> None:
        self.put(moment)

    def put(self, moment: datetime) -> None:
        """Make it this moment now; the story never goes back."""
        self._moment, self._since = moment, monotonic()

    def __call__(self) -> datetime:
        """Give the time now."""
        return self._moment + timedelta(seconds=monotonic() - self._since)


@dataclass
class Ballot:
    """One poll with its database in `folder`; `letters` by member number, as printed."""

    folder: Path
    sandbox: Sandbox
    clock: Callable[[], datetime]
    listen: str
    database: Database = field(init=False)
    house: House = field(init=False)
    title: str = ""
    service: Service | None = None
    letters: dict[str, dict[str, str]] = field(default_factory=dict)
    dealt: Dealt = field(init=False)
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _running: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        """Tell the ballot where everything is."""
        self.folder.mkdir(parents=True, exist_ok=True)
        secrets = secrets_file.make()
        self.database = Database(f"sqlite+aiosqlite:///{self.folder / 'ballotline.db'}", Signer(secrets))
        self.house = House(self._settings(), self.database, secrets, clock=self.clock)

    @property
    def ways(self) -> Ways:
        """Give how members can reach us, as notices name it."""
        return Ways(link(self.sandbox.telegram.bot_username), page_url=vote_url(self.house.settings))

    async def init(self, poll_file: Path, actor: str) -> Poll:
        """Do as `ballotline init` and `keys create` do."""
        now = self.clock()
        await upgrade(self.database)
        poll = await asyncio.to_thread(polls.read_poll_file, poll_file)
        days = await asyncio.to_thread(polls.window_of_file, poll_file, by=By(actor, VIA, now))
        self.dealt = await asyncio.to_thread(deal_all, TRUSTEES, THRESHOLD)
        async with self.database.writing() as connection:
            made = await polls.init(connection, poll, days, self.house.secrets, by=By(actor, VIA, now))
            await polls.set_trustees(connection, self.dealt.trustees.data, DEALER, by=By(actor, VIA, now))
        self.title = made.title
        return made

    async def import_roll(self, path: Path, actor: str) -> ImportReport:
        """Do as `roll import` does."""
        return await roll_import.import_roll(self.database, path, self.house.secrets, by=By(actor, VIA, self.clock()))

    async def issue_packs(self, actor: str) -> Issued:
        """Do as `packs issue` does, and keep the letters as the mailing house would print them."""
        path = self.folder / "print.csv"
        url = link(self.sandbox.telegram.bot_username, "pack")
        issued = await issue(
            self.database,
            self.house.secrets,
            Printing(path, url, vote_url=vote_url(self.house.settings)),
            by=By(actor, VIA, self.clock()),
        )
        text = await asyncio.to_thread(path.read_text, encoding="utf-8-sig")
        self.letters = {row["member_no"]: dict(row) for row in csv.DictReader(text.splitlines())}
        return issued

    async def open(self, actor: str) -> None:
        """Do as `poll open` does."""
        async with self.database.writing() as connection:
            page = page_digest(tuple((await polls.load(connection)).languages))
            await polls.open_poll(connection, by=By(actor, VIA, self.clock()), page=page)

    def write_shares(self) -> list[Path]:
        """Give each trustee a share file."""
        folder = self.folder / "shares"
        folder.mkdir(mode=0o700)
        return write_dealt(folder, self.dealt)[:TRUSTEES]

    async def starts(self) -> None:
        """Run the service; what it refuses is raised here."""
        self._stop, ready = asyncio.Event(), asyncio.Event()
        public = self.house.settings.public_url
        self.sandbox.twilio.inbound_url = f"{public}/twilio/inbound"
        self._running = asyncio.create_task(self._run(ready))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({self._running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._running.done():
            await self._running

    async def ends(self) -> None:
        """Wait for the service to end by itself (it failed, or was stopped)."""
        if self._running is not None:
            await self._running

    async def stops(self) -> None:
        """End the service tidily and let the database go."""
        self._stop.set()
        if self._running is not None:
            await self._running
            self._running = None
        await self.database.close()

    async def _run(self, ready: asyncio.Event) -> None:
        async with assemble(self.house) as service:
            self.service = service
            await service.run(self._stop, ready=ready)

    def _settings(self) -> Settings:
        telegram, twilio = self.sandbox.telegram, self.sandbox.twilio
        return Settings(
            _env_file=None,
            database_url=f"sqlite+aiosqlite:///{self.folder / 'ballotline.db'}",
            secrets_file=self.folder / "ballotline.secrets",
            telegram_token=SecretStr(telegram.token),
            telegram_api_url=telegram.api_url,
            twilio_account_sid=twilio.account_sid,
            twilio_auth_token=SecretStr(twilio.auth_token),
            twilio_from=twilio.sender,
            twilio_api_url=twilio.api_url,
            telegram_rate=1000,  # the local stand-ins have no limit, and nobody should wait for a story
            sms_rate=Decimal(1000),
            public_url=f"http://{self.listen}",
            listen=self.listen,
        )
