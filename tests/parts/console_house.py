"""A console over a real server, and a poll on which something of everything has happened."""

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
from electorate import Electorate, open_electorate
from one_tls import trusted
from prepared import NOW, SECRETS
from pydantic import SecretStr
from sqlalchemy import insert, select, update

from bot.alerts import alerts, hooks
from bot.console.routes import console_routes
from bot.edge.server import Server, bind
from bot.house import House
from bot.schema import missing_pack
from bot.settings import Settings
from bot.staff import enrolment, login_links
from bot.staff.desk import StaffDesk
from bot.staff.roles import Role
from messages.notices import notices, sending
from messages.notices.model import Content
from messages.schema import channel, delivery
from messages.words.wording import Ways
from voting import schema
from voting.model import By
from voting.packs import packs
from voting.store.database import Database
from voting.votes.right_codes import CodesGood

MEMBERS = 60
AREAS = ("Wales", "Yorkshire", "Kent", "Lothian")
WAYS = Ways(bot_url="https://t.me/ballot_bot")
PEOPLE = (("Gwen", Role.OFFICER), ("Huw", Role.OFFICER), ("Carys", Role.COMMS), ("Sam", Role.SUPPORT))


class Clock:
    """The house's time: it stands until it is moved."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment


@dataclass
class Visitor:
    """A browser without a screen: cookies, and the token of the last page."""

    client: httpx.AsyncClient
    csrf: str = ""

    async def looks(self, path: str, **named: object) -> httpx.Response:
        """Open a page and remember its token."""
        answer = await self.client.get(f"/console{path}", **named)
        found = re.search(r'name="csrf" value="([^"]+)"', answer.text)
        self.csrf = found[1] if found else self.csrf
        return answer

    async def does(self, path: str, *, csrf: str | None = None, **fields: object) -> httpx.Response:
        """Send a form."""
        values = {"csrf": self.csrf if csrf is None else csrf, **fields}
        return await self.client.post(f"/console{path}", data={k: v for k, v in values.items() if v != ""})


@dataclass
class ConsoleHouse:
    """The house, its people and where its console is."""

    house: House
    electorate: Electorate
    clock: Clock
    url: str = ""
    staff: dict[str, enrolment.Staff] = field(default_factory=dict)
    wakes: int = 0

    @property
    def database(self) -> Database:
        return self.house.database

    async def link(self, name: str) -> str:
        """Give what the bot answers to /console."""
        async with self.database.writing() as connection:
            token = await login_links.make_login_link(connection, self.house.secrets, self.staff[name].id, self.clock())
        return f"/login/{token}"

    @asynccontextmanager
    async def visitor(self, name: str | None = None) -> AsyncIterator[Visitor]:
        """Come to the console, logged in when a name is given."""
        async with httpx.AsyncClient(base_url=self.url, timeout=30, verify=trusted()) as client:
            visitor = Visitor(client)
            if name is not None:
                answer = await visitor.does(await self.link(name))
                assert answer.status_code == 303, answer.text
                await visitor.looks("/window")
            yield visitor

    def wake(self) -> None:
        self.wakes += 1


@dataclass(frozen=True)
class Filled:
    """A poll on which something of everything has happened, as a file to copy."""

    content: bytes
    electorate: Electorate
    staff: dict[str, enrolment.Staff]


_FILLED: list[Filled] = []  # made by the first test that needs it


@asynccontextmanager
async def console_house(
    database: Database,
    folder: Path,
    *,
    members: int = MEMBERS,
    public_url: str = "",
    token: str | None = None,
    **settings_: str,
) -> AsyncIterator[ConsoleHouse]:
    """Run a console over a poll that has just opened."""
    electorate = await open_electorate(database, members)
    if not database.is_sqlite:  # the prepared members have numbers of their own
        async with database.writing() as connection:
            await connection.exec_driver_sql("SELECT setval(pg_get_serial_sequence('member', 'id'), 100000)")
    settings = Settings(
        _env_file=None,
        secrets_file=folder / "ballotline.secrets",
        public_url=public_url,
        telegram_token=SecretStr(token) if token else None,
        **settings_,
    )
    town = _house(settings, electorate)
    await _enrol(town)
    async with _served(town):
        yield town


@asynccontextmanager
async def filled_house(database: Database, folder: Path) -> AsyncIterator[ConsoleHouse]:
    """Run a console over a poll with votes, cases, notices and packs in every state; on SQLite it is filled once."""
    if not database.is_sqlite or not _FILLED:
        async with console_house(database, folder) as town:
            await fill(town)
            if database.is_sqlite:
                _FILLED.append(await asyncio.to_thread(_copy, town, folder / "filled.db"))
            yield town
        return
    filled = _FILLED[0]
    assert database.url.database is not None
    await asyncio.to_thread(Path(database.url.database).write_bytes, filled.content)
    electorate = Electorate(database, filled.electorate.letters, filled.electorate.dealt)
    _tell_staff(electorate)
    town = _house(Settings(_env_file=None, secrets_file=folder / "ballotline.secrets"), electorate)
    town.staff.update(filled.staff)
    async with _served(town):
        yield town


def _house(settings: Settings, electorate: Electorate) -> ConsoleHouse:
    clock = Clock(NOW + timedelta(days=8))
    return ConsoleHouse(House(settings, electorate.database, SECRETS, clock=clock), electorate, clock)


def _copy(town: ConsoleHouse, path: Path) -> Filled:
    with closing(sqlite3.connect(town.database.url.database)) as source, closing(sqlite3.connect(path)) as copy:
        source.backup(copy)
    return Filled(path.read_bytes(), town.electorate, dict(town.staff))


@asynccontextmanager
async def _served(town: ConsoleHouse) -> AsyncIterator[None]:
    routes = console_routes(town.house, StaffDesk(town.house, wake=town.wake))
    taken = bind("127.0.0.1", 0)
    town.url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    serving = asyncio.create_task(Server(routes).run_on(taken))
    try:
        yield
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        taken.close()


async def _enrol(town: ConsoleHouse) -> None:
    async with town.database.writing() as connection:
        for number, (name, role) in enumerate(PEOPLE):
            token = await enrolment.invite_staff(
                connection, role, name=name, by=By("setup", "command line", town.clock())
            )
            town.staff[name] = await enrolment.enrol(
                connection, token, user_id=500 + number, called=name, language="en-GB", now=town.clock()
            )


async def fill(town: ConsoleHouse) -> None:
    """Let something of everything happen."""
    await _spread(town)
    await _vote(town)
    await _attempt(town)
    await _write(town)
    await _miss(town)


async def _spread(town: ConsoleHouse) -> None:
    """Give members areas, languages, ways to be reached, and packs on their way."""
    async with town.database.writing() as connection:
        ways = []
        for letter in town.electorate.letters:
            number = letter.member_id
            values: dict[str, object] = {"area": AREAS[number % 4], "language": "cy" if number % 9 == 0 else "en-GB"}
            if number % 3:
                values["phone"] = f"+447700900{number % 1000:03}"
                state = {7: "opted_out", 11: "dead"}.get(number % 13, "on")
                ways.append(_way(number, "sms", values["phone"], state, "21610" if state == "opted_out" else None))
            else:
                values["phone_reason"] = "landline" if number % 2 else "missing"
            if number % 4 != 1:
                state = "blocked" if number % 10 == 0 else "on"
                ways.append(_way(number, "telegram", str(number), state, "blocked" if state == "blocked" else None))
            await connection.execute(update(schema.member).where(schema.member.c.id == number).values(values))
            on_the_way = {
                "dispatched_on": date(2022, 8, 2) if number % 6 else None,
                "delivered_on": date(2022, 8, 4) if number % 6 and number % 5 else None,
                "returned_on": date(2022, 8, 6) if number % 25 == 0 else None,
                "locked_out_at": town.clock() if number == 44 else None,
            }
            await connection.execute(update(schema.pack).where(schema.pack.c.id == letter.pack_id).values(on_the_way))
        await connection.execute(insert(channel), ways)


def _way(member_id: int, kind: str, address: object, state: str, reason: str | None) -> dict[str, object]:
    since = datetime(2022, 7, 28, 9, tzinfo=UTC)
    return {
        "member_id": member_id,
        "kind": kind,
        "address": str(address),
        "state": state,
        "reason": reason,
        "since": since,
    }


async def _vote(town: ConsoleHouse) -> None:
    electorate, at = town.electorate, NOW + timedelta(hours=3)
    for place, letter in enumerate(electorate.letters[: len(electorate.letters) // 2]):
        at += timedelta(hours=1 + place % 7)
        if place % 5 == 4:
            await _post(town, letter.member_id, letter.pack_id, at)
        else:
            await electorate.votes(letter, place % 2, now=at)


async def _post(town: ConsoleHouse, member_id: int, pack_id: int, at: datetime) -> None:
    async with town.database.writing() as connection:
        values = {"pack_id": pack_id, "received_at": at, "status": "received", "outcome": "locked", "imported_at": at}
        await connection.execute(insert(schema.paper).values(values))
        await connection.execute(insert(schema.lock).values(member_id=member_id, how="post", at=at, pack_id=pack_id))


async def _attempt(town: ConsoleHouse) -> None:
    """Somebody else gives the codes of three members who have voted; one case is older and proposed."""
    now = town.clock()
    electorate = town.electorate
    _tell_staff(electorate)
    for place, letter in enumerate((electorate.letters[0], electorate.letters[5], electorate.letters[10])):
        for flow in range(1 + place):
            at = now - timedelta(minutes=90 - 25 * place - flow)
            seen: CodesGood = await electorate.gives_codes(
                letter, chat="telegram:990", flow=f"f{flow}", warned=True, now=at
            )
            assert seen.lock is not None


def _tell_staff(electorate: Electorate) -> None:
    electorate.checks = type(electorate.checks)(
        electorate.database, SECRETS, on_attempt=hooks.on_attempt, on_alarm=hooks.on_alarm
    )


async def _write(town: ConsoleHouse) -> None:
    """One notice sent, with every way to end; one being sent; one waiting; one draft."""
    now = town.clock()
    async with town.database.writing() as connection:
        contents = (
            Content("pack_delayed", "all"),
            Content("rule_changed", "language:cy"),
            Content("reminder", "not_voted", urgent=True),
            Content(
                "custom",
                "area:Wales",
                {
                    "en-GB": "The helpline is open until 8 pm today.",
                    "cy": "Mae'r llinell gymorth ar agor tan 8 yr hwyr.",
                },
            ),
        )
        made = [
            await notices.draft(
                connection, content, ways=WAYS, by=By("Carys", "console", now - timedelta(hours=9 - place))
            )
            for place, content in enumerate(contents)
        ]
        for one in made[:3]:
            await notices.submit(connection, one.id, by=By("Carys", "console", now - timedelta(hours=5)))
        for one in made[:2]:
            await notices.approve(connection, one.id, by=By("Gwen", "chat", now - timedelta(hours=4)))
            await sending.send(connection, one.id, by=By("Carys", "console", now - timedelta(hours=3)))
        rows = (
            await connection.execute(select(delivery.c.id, delivery.c.state).where(delivery.c.notice_id == made[0].id))
        ).all()
        for row in rows:
            if row.state == "ready":
                state, reason = {0: ("delivered", None), 3: ("failed", "30005"), 8: ("unknown", None)}.get(
                    row.id % 12, ("sent", None)
                )
                values = {
                    "state": state,
                    "reason": reason,
                    "sent_at": now - timedelta(hours=2),
                    "tries": 1,
                    "settled_at": now,
                }
                await connection.execute(update(delivery).where(delivery.c.id == row.id).values(values))
        first = [
            row.id
            for row in (await connection.execute(select(delivery.c.id).where(delivery.c.notice_id == made[1].id))).all()
        ]
        await connection.execute(update(delivery).where(delivery.c.id.in_(first[:3])).values(state="sent", sent_at=now))
        from messages.notices.life import finish

        await finish(connection, now - timedelta(hours=1))


async def _miss(town: ConsoleHouse) -> None:
    now = town.clock()
    missing: Sequence[int] = (41, 46, 52)
    async with town.database.writing() as connection:
        for place, number in enumerate(missing):
            values = {
                "member_id": number,
                "chat": f"telegram:{number}",
                "reported_at": now - timedelta(hours=20 - place),
            }
            await connection.execute(insert(missing_pack).values(values))
        await packs.ask_replacement(connection, f"{47:07}", "water damage", by=By("Sam", "chat", now))
        await packs.ask_replacement(connection, f"{48:07}", "never came", by=By("Gwen", "chat", now))
        await alerts.raise_alert(
            connection,
            alerts.Kind.PROVIDER_TROUBLE,
            "trouble:twilio",
            {"provider": "twilio", "trouble": "our_setup", "detail": "30007", "notice": "2"},
            now - timedelta(minutes=12),
        )
