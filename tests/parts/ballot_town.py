"""A poll with members who can be reached, and a post office over the local Telegram and Twilio."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Self

from aiohttp import web
from prepared import asked
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection
from telegram import Bot

from bot.sandbox import Sandbox
from messages.channels.channels import Renderer
from messages.channels.telegram_channel import TelegramChannel
from messages.channels.telegram_request import AiohttpRequest
from messages.channels.twilio_channel import TwilioAccount, TwilioChannel
from messages.ledger.aftermath import Trouble
from messages.ledger.callbacks import read_report
from messages.notices.model import Content, Notice
from messages.notices.notices import draft
from messages.notices.sending import send
from messages.pace.pacer import Pacer
from messages.postman.line import Tempo
from messages.postman.postman import Outlet, Postman, Timing
from messages.schema import channel, delivery, opt_out
from messages.words.wording import Ways
from voting.model import By
from voting.poll.questions import written_questions
from voting.schema import member, poll, window
from voting.store.database import Database

NOW = datetime(2022, 8, 3, 12, 0, tzinfo=UTC)  # 13:00 in London: not quiet
WAYS = Ways(bot_url="https://t.me/ballot_bot")
PATIENCE_SECONDS = 20.0
FAST = Timing(
    tempo=Tempo(idle_seconds=0.05, rest_seconds=(0.05, 0.1, 0.2)),
    housekeeping_seconds=0.1,
    beat_seconds=0.05,
    silent_seconds=5.0,
)
_NUMBERS = itertools.count(1)
_BEGAN = [time.monotonic()]


def start_clock() -> None:
    """Let it be noon again."""
    _BEGAN[0] = time.monotonic()


def clock() -> datetime:
    """Give a time of that day in August that goes on as real time does."""
    return NOW + timedelta(seconds=time.monotonic() - _BEGAN[0])


async def make_poll(
    database: Database, *, approve_over: int = 10**9, languages: Sequence[str] = ("en-GB", "cy")
) -> None:
    """Write a poll and its first window."""
    async with database.writing() as connection:
        await connection.execute(
            insert(poll).values(
                only=1,
                id="leader-2022",
                title="Leader 2022",
                questions=written_questions([asked("Who?", "North", "South")]),
                ways={"page": None, "chat": True},
                opens_at=datetime(2022, 8, 1, tzinfo=UTC),
                closes_at=datetime(2022, 9, 2, 16, 0, tzinfo=UTC),
                timezone="Europe/London",
                joined_by=date(2022, 6, 3),
                languages=list(languages),
                rule={"en-GB": "You can only vote once.", "cy": "Dim ond unwaith y cewch bleidleisio."},
                rule_version=1,
                sms={"quiet_from": "20:00", "quiet_until": "09:00", "cost_per_segment": "0.04", "currency": "GBP"},
                staff={"approve_over": approve_over, "escalate_after_minutes": 10},
                phase="open",
                signing_key=b"0" * 32,
                uuid="1" * 22,
            )
        )
        await connection.execute(
            insert(window).values(
                version=1,
                first_day=date(2022, 8, 1),
                last_day=date(2022, 8, 5),
                reason="first",
                set_at=NOW - timedelta(days=10),
                set_by="Gwen",
            )
        )


async def set_window(database: Database, version: int, first: date, last: date) -> None:
    """Write one more version of the window."""
    async with database.writing() as connection:
        values = {"version": version, "first_day": first, "last_day": last, "reason": "r", "set_at": NOW, "set_by": "G"}
        await connection.execute(insert(window).values(values))


async def make_members(
    database: Database,
    count: int,
    *,
    telegram: Sequence[str] | None = None,
    sms: Sequence[str] | None = None,
    first: int = 1,
    language: str = "en-GB",
    area: str = "North",
) -> list[int]:
    """Write members `first`...; channels that are on, one address for each where given."""
    ids = list(range(first, first + count))
    rows = [
        {
            "id": member_id,
            "member_no": f"M{member_id:06}",
            "language": language,
            "area": area,
            "country": "GB",
            "phone": sms[place] if sms else None,
            "eligible": True,
        }
        for place, member_id in enumerate(ids)
    ]
    ways = [
        {"member_id": member_id, "kind": kind, "address": addresses[place], "state": "on", "since": NOW}
        for kind, addresses in (("telegram", telegram), ("sms", sms))
        if addresses
        for place, member_id in enumerate(ids)
    ]
    async with database.writing() as connection:
        await connection.execute(insert(member), rows)
        if ways:
            await connection.execute(insert(channel), ways)
    return ids


def numbers(count: int) -> list[str]:
    """Give mobile numbers nobody has, each once."""
    return [f"+4477009{next(_NUMBERS):05}" for _ in range(count)]


def chats(count: int, first: int = 7_000_000) -> list[str]:
    """Give chat ids for a crowd."""
    return [str(first + place) for place in range(count)]


async def stopped_numbers(connection: AsyncConnection) -> set[str]:
    """Give the numbers that said STOP."""
    return set((await connection.execute(select(opt_out.c.address))).scalars())


async def send_notice(database: Database, now: datetime = NOW, **content: object) -> Notice:
    """Draft and send a notice."""
    async with database.writing() as connection:
        made = await draft(
            connection, Content(**{"kind": "pack_delayed", **content}), ways=WAYS, by=By("Gwen", "command line", now)
        )
        return await send(connection, made.id, by=By("Gwen", "command line", now))


async def states(database: Database, notice_id: int | None = None) -> dict[str, int]:
    """Count the ledger by state and reason: {"sent": 3, "failed:blocked": 1}."""
    statement = select(delivery.c.state, delivery.c.reason, func.count()).group_by(delivery.c.state, delivery.c.reason)
    if notice_id is not None:
        statement = statement.where(delivery.c.notice_id == notice_id)
    async with database.reading() as connection:
        rows = await connection.execute(statement)
        return {f"{state}:{reason}" if reason else state: count for state, reason, count in rows}


async def rows_of(database: Database) -> list[Any]:
    """Give the whole ledger, oldest first."""
    async with database.reading() as connection:
        return list(await connection.execute(select(delivery).order_by(delivery.c.id)))


@dataclass
class PostOffice:
    """A postman over the sandbox, and what it told staff."""

    database: Database
    sandbox: Sandbox
    postman: Postman
    troubles: list[Trouble] = field(default_factory=list)

    async def until(self, condition: Callable[[], Awaitable[bool]], timeout_seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until an async condition holds; the ledger is shown if it never does."""
        try:
            async with asyncio.timeout(timeout_seconds):
                while not await condition():  # noqa: ASYNC110 - what is waited for is in a database
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"not within {timeout_seconds} s: {await states(self.database)}") from None

    async def until_settled(self, timeout_seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until nothing is queued or on its way."""

        async def quiet() -> bool:
            async with self.database.reading() as connection:
                moving = delivery.c.state.in_(("ready", "sending"))
                return not (await connection.execute(select(func.count()).where(moving))).scalar_one()

        await self.until(quiet, timeout_seconds)


@asynccontextmanager
async def post_office(
    database: Database,
    sandbox: Sandbox,
    *,
    telegram_rate: float = float("inf"),
    sms_rate: float = float("inf"),
    timing: Timing = FAST,
    now: Callable[[], datetime] = clock,
    auth_token: str | None = None,
    public_url: str = "",
    read_timeout_seconds: float = 5.0,
    run: bool = True,
    renderers: Mapping[str, Renderer] | None = None,
) -> AsyncIterator[PostOffice]:
    """Run a postman with both channels until the block ends."""
    office: PostOffice

    async def on_trouble(_connection: AsyncConnection, trouble: Trouble) -> None:
        office.troubles.append(trouble)

    pacer = Pacer(telegram_rate)
    request = AiohttpRequest(pacer, read_timeout_seconds=read_timeout_seconds)
    bot = Bot(sandbox.telegram.token, base_url=f"{sandbox.telegram.api_url}/bot", request=request)
    account = TwilioAccount(
        account_sid=sandbox.twilio.account_sid,
        auth_token=auth_token or sandbox.twilio.auth_token,
        sender=sandbox.twilio.sender,
        api_url=sandbox.twilio.api_url,
        public_url=public_url,
    )
    async with TwilioChannel(account, timeout_seconds=read_timeout_seconds, now=now) as twilio:
        outlets = [Outlet(TelegramChannel(bot), pacer), Outlet(twilio, Pacer(sms_rate))]
        postman = Postman(database, outlets, on_trouble=on_trouble, now=now, timing=timing, renderers=renderers)
        office = PostOffice(database, sandbox, postman)
        stop = asyncio.Event()
        task = asyncio.create_task(postman.run(stop)) if run else None
        try:
            yield office
        finally:
            stop.set()
            if task is not None:
                await task
            await request.shutdown()


class StatusWebhook:
    """Where Twilio reports statuses, as the service would take them: `url` to be known before the postman is."""

    def __init__(self) -> None:
        self.office: PostOffice | None = None
        self.heard = 0
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/twilio/status", self._on_status)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _on_status(self, request: web.Request) -> web.Response:
        form = await request.post()
        self.heard += 1
        report = read_report(
            str(form["MessageSid"]),
            str(form["MessageStatus"]),
            str(form.get("ErrorCode", "")),
            request.query.get("delivery"),
        )
        assert self.office is not None
        async with self.office.database.writing() as connection:
            await self.office.postman.record_status(connection, report, clock())
        return web.Response()
