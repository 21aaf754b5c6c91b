"""The service: everything that runs, put together in one place, started and stopped together.

    provider -> (poller | webhooks -> shelf) -> inbox -> reader -> handlers -> desks -> clerk | ledger -> postman

One TaskGroup owns every long task; if one of them fails for good, all stop and the process ends with an error, for
whatever keeps processes alive to start it again: nothing is held in memory that a restart would miss.
"""

import asyncio
import secrets as randomness
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import structlog
from starlette.routing import BaseRoute
from telegram.error import InvalidToken, NetworkError, TelegramError
from telegram.ext import ExtBot

from bot.alerts import alerts, pages
from bot.alerts.pump import AlertPump
from bot.app.chores import Chore, keep
from bot.chat.context import MEMBER_DESK, STAFF_DESK, BotApplication
from bot.console.routes import console_routes
from bot.edge import server as web
from bot.edge import telegram
from bot.edge.hearing import Hearing
from bot.edge.letters import inbound_letter
from bot.edge.links import TelegramAway, TokenWrong
from bot.edge.poller import KINDS, Poller
from bot.edge.webhooks import Edges
from bot.house import House
from bot.inbox import predecessors
from bot.inbox.inbox import Claimed, Envelope, Reader, Unreadable, purge, store
from bot.inbox.shelf import Shelf
from bot.member.desk import MemberDesk
from bot.member_chat import handlers, sms, vote_words
from bot.settings import Settings
from bot.staff.desk import StaffDesk
from bot.staff_chat import handlers as staff_chat
from bot.staff_chat import menus
from bot.staff_chat.notice_watch import NoticeWatch
from messages.channels import bad_answers
from messages.channels.telegram_channel import TelegramChannel
from messages.channels.twilio_channel import TwilioAccount, TwilioChannel
from messages.ledger.callbacks import read_report
from messages.pace.pacer import Pacer
from messages.postman.postman import Outlet, Postman, Timing
from voting.audit.chain import sign_head
from voting.audit.probes import run_probes
from voting.model import Phase
from voting.poll.polls import load
from voting.votes.box import move_tray
from voting.votes.checks import Checks, purge_wrong_codes
from voting.votes.clerk import Clerk

MOVE_TRAY_EVERY: Final = timedelta(seconds=15)
SIGN_HEAD_EVERY: Final = timedelta(hours=1)
PROBES_EVERY: Final = timedelta(minutes=1)
PURGE_EVERY: Final = timedelta(hours=1)
MENUS_EVERY: Final = timedelta(seconds=2)
MISSED_TEXTS_EVERY: Final = timedelta(hours=1)  # and at the start
MISSED_TEXTS_OF: Final = timedelta(days=1)  # shorter than the inbox remembers what it has had
HEARING_EVERY: Final = timedelta(seconds=10)

log = structlog.get_logger()


@dataclass
class Service:
    """A service put together and not yet running; `application` is None when Telegram is off."""

    house: House
    application: BotApplication | None
    clerk: Clerk
    postman: Postman
    reader: Reader
    shelf: Shelf
    poller: Poller | None
    pump: AlertPump | None
    watch: NoticeWatch | None
    menus: menus.StaffMenus | None
    hearing: Hearing | None
    texts: TwilioChannel | None
    routes: Sequence[BaseRoute]
    told: str | None = None  # of what `hearing` has said

    async def run(self, stop: asyncio.Event, *, ready: asyncio.Event | None = None) -> None:
        """Run until `stop`, then finish what is under way."""
        settings = self.house.settings
        taken = web.bind(settings.host, settings.port)
        if self.application is not None:
            await self._announce(self.application)
        async with self.house.database.writing() as connection:
            await predecessors.take_back(connection)
        postman_stop = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                postman = group.create_task(self.postman.run(postman_stop), name="postman")
                tasks = [group.create_task(work, name=name) for name, work in self._long_tasks().items()]
                server = group.create_task(web.Server(self.routes).run_on(taken), name="web")
                if ready is not None:
                    ready.set()
                await stop.wait()
                await _end([server])  # first the way in: what is half handed over is still stored
                await _end(tasks)
                await self.clerk.finish()
                postman_stop.set()
                await postman
        finally:
            taken.close()

    def _long_tasks(self) -> dict[str, Coroutine[Any, Any, None]]:
        tasks: dict[str, Coroutine[Any, Any, None]] = {"reader": self.reader.run(), "shelf": self.shelf.run()}
        if self.poller is not None:
            tasks["poller"] = self.poller.run()
        if self.pump is not None:
            tasks["alerts"] = self.pump.run()
        if self.watch is not None:
            tasks["progress"] = self.watch.run()
        for chore in self._chores():
            tasks[chore.name] = keep(chore)
        return tasks

    async def _announce(self, application: BotApplication) -> None:
        """Say hello to Telegram: a wrong token is found here, in one sentence."""
        settings, bot = self.house.settings, application.bot
        if url := settings.public_url:
            await telegram.patiently(lambda: telegram.register_webhook(bot, url, self.house.webhook_secret, KINDS))
        else:
            await telegram.patiently(lambda: telegram.forget_webhook(bot))
        async with self.house.database.reading() as connection:
            poll = await load(connection)
        await telegram.patiently(lambda: menus.publish(bot, poll.languages))

    def _chores(self) -> list[Chore]:
        return [
            Chore("tray", MOVE_TRAY_EVERY, self._move_tray),
            Chore("head", SIGN_HEAD_EVERY, self._sign_head),
            Chore("probes", PROBES_EVERY, self._probes),
            Chore("purge", PURGE_EVERY, self._purge),
            *([Chore("menus", MENUS_EVERY, self.menus.refresh)] if self.menus is not None else []),
            *([Chore("missed texts", MISSED_TEXTS_EVERY, self._fetch_texts)] if self.texts is not None else []),
            *([Chore("hearing", HEARING_EVERY, self._listen)] if self.hearing is not None else []),
        ]

    async def _move_tray(self) -> None:
        async with self.house.database.reading() as connection:
            phase = (await load(connection)).phase
        if phase is Phase.OPEN:
            await move_tray(self.house.database, now=self.house.clock())

    async def _sign_head(self) -> None:
        async with self.house.database.writing() as connection:
            await sign_head(connection, self.house.secrets, self.house.clock())

    async def _probes(self) -> None:
        async with self.house.database.reading() as connection:
            broken = [probe for probe in await run_probes(connection) if not probe.holds]
        for probe in broken:
            log.error("probe broken", probe=probe.name, detail=probe.detail)
            async with self.house.database.writing() as connection:
                await alerts.raise_alert(
                    connection,
                    alerts.Kind.PROBE_FAILED,
                    occasion=f"probe:{probe.name}",
                    facts={"probe": probe.name, "detail": probe.detail},
                    now=self.house.clock(),
                )

    async def _fetch_texts(self) -> None:
        """Take in what people texted while nobody listened: Twilio hands a text over once, and STOP must count."""
        assert self.texts is not None
        now = self.house.clock()
        found = await self.texts.received(now - MISSED_TEXTS_OF)
        letters = [
            inbound_letter({"MessageSid": one.provider_id, "From": one.sender, "Body": one.body}, {}) for one in found
        ]
        async with self.house.database.writing() as connection:
            await store(connection, Envelope(self.house.secrets.inbox_key), letters, now)
        self.reader.wake()

    async def _listen(self) -> None:
        """Look whether what members write reaches us, and tell staff when it does not."""
        assert self.hearing is not None
        assert self.application is not None
        if self.poller is None:
            await self._look_at_webhook(self.application.bot, self.hearing)
        why = self.hearing.trouble
        if why is not None and why != self.told:
            now = self.house.clock()
            async with self.house.database.writing() as connection:
                await alerts.raise_alert(
                    connection, alerts.Kind.NOT_HEARD, f"not_heard:{why}:{now.isoformat()}", {"why": why}, now
                )
        self.told = why

    async def _look_at_webhook(self, bot: ExtBot[None], hearing: Hearing) -> None:
        try:
            hearing.looked(await bot.get_webhook_info(), telegram.webhook_url(self.house.settings.public_url))
        except TelegramError as problem:
            hearing.not_heard(problem)

    async def _purge(self) -> None:
        async with self.house.database.writing() as connection:
            await purge(connection, self.house.clock())
            await purge_wrong_codes(connection, self.house.clock())
            await sms.forget_counters(connection, self.house.clock())


def twilio_account(settings: Settings) -> TwilioAccount:
    """Give Twilio's settings in the messages floor's terms; only when `settings.sms_on`."""
    assert settings.twilio_account_sid is not None
    assert settings.twilio_auth_token is not None
    return TwilioAccount(
        account_sid=settings.twilio_account_sid,
        auth_token=settings.twilio_auth_token.get_secret_value(),
        sender=settings.twilio_from,
        messaging_service_sid=settings.twilio_messaging_service_sid,
        api_url=settings.twilio_api_url,
        public_url=settings.public_url,
    )


@asynccontextmanager
async def assemble(house: House, *, timing: Timing | None = None) -> AsyncIterator[Service]:
    """Put a service together: NoPoll, TokenWrong, TelegramAway."""
    settings, database, secrets = house.settings, house.database, house.secrets
    async with database.reading() as connection:
        await load(connection)
    envelope = Envelope(secrets.inbox_key)
    clerk = Clerk(database, secrets)
    async with AsyncExitStack() as stack:
        outlets = []
        bot: ExtBot[None] | None = None
        texts: TwilioChannel | None = None
        if settings.telegram_on:
            pacer = Pacer(settings.telegram_rate)
            bot = telegram.make_bot(settings, pacer)
            await _initialize(bot, settings)
            stack.push_async_callback(bot.shutdown)
            outlets.append(Outlet(TelegramChannel(bot), pacer))
        if settings.sms_on:
            texts = await stack.enter_async_context(TwilioChannel(twilio_account(settings)))
            outlets.append(Outlet(texts, Pacer(float(settings.sms_rate))))
        postman = Postman(
            database,
            outlets,
            renderers={**vote_words.renderers(), **pages.renderers()},
            on_trouble=alerts.trouble_teller(house.clock),
            on_migrated=alerts.on_migrated,
            on_held=alerts.on_held,
            now=house.clock,
            **({"timing": timing} if timing else {}),
        )
        checks = Checks(database, secrets, on_attempt=alerts.on_attempt, on_alarm=alerts.on_alarm)
        member_desk = MemberDesk(
            database,
            secrets,
            clerk,
            checks,
            envelope,
            clock=house.clock,
            wake=postman.wake,
            on_report=alerts.on_report,
            sms=settings.sms_on,
        )
        staff_desk = StaffDesk(house, wake=postman.wake)
        application = None
        if bot is not None:
            desks: dict[str, object] = {MEMBER_DESK: member_desk, STAFF_DESK: staff_desk}
            application = telegram.make_application(bot, handlers.handlers(), desks, before=staff_chat.handlers())
            await application.initialize()
            stack.push_async_callback(application.shutdown)
        post = _PostRoom(house, application, postman)
        reader = Reader(
            database,
            envelope,
            who=predecessors.claimant(randomness.token_hex(4)),
            handle=post.handle,
            on_failed=post.failed,
            clock=house.clock,
        )
        shelf = Shelf(database, envelope, wake=reader.wake, clock=house.clock)
        hearing = Hearing()
        poller = None
        if bot is not None and not settings.public_url:
            poller = Poller(
                telegram.polling_request(bot),
                bot.base_url,
                database,
                envelope,
                wake=reader.wake,
                hearing=hearing,
                clock=house.clock,
            )
        edges = Edges(
            shelf=shelf,
            database=database,
            telegram_secret=house.webhook_secret if settings.telegram_on else None,
            twilio_token=settings.twilio_auth_token.get_secret_value() if settings.twilio_auth_token else None,
            public_url=settings.public_url,
            clock=house.clock,
            hearing=hearing if bot is not None else None,
            waits=postman.waits,
        )
        yield Service(
            house=house,
            application=application,
            clerk=clerk,
            postman=postman,
            reader=reader,
            shelf=shelf,
            poller=poller,
            pump=AlertPump(database, secrets.button_key, bot, clock=house.clock, wake=postman.wake) if bot else None,
            watch=NoticeWatch(database, secrets.button_key, bot, clock=house.clock) if bot else None,
            menus=menus.StaffMenus(bot, database) if bot else None,
            hearing=hearing if bot is not None else None,
            texts=texts,
            routes=[*edges.routes(), *console_routes(house, staff_desk)],
        )


@dataclass(frozen=True, slots=True)
class _PostRoom:
    """Gives each inbox row to whom it is for."""

    house: House
    application: BotApplication | None
    postman: Postman

    async def handle(self, row: Claimed) -> None:
        """Handle one row; repeatable. Unreadable, PutOff."""
        if not row.payload:
            raise Unreadable("sealed")
        if row.source == "telegram" and self.application is not None:
            await telegram.process(self.application, row)
        elif row.source == "twilio_inbound":
            bot_url = self.application.bot.link if self.application is not None else ""
            now = self.house.clock()
            await sms.on_sms(self.house.database, row, now=now, bot_url=bot_url, on_news=alerts.on_text_news)
            self.postman.wake()
        elif row.source == "twilio_status":
            await self._status(row)

    async def failed(self, row: Claimed, problem: Exception) -> None:
        """Tell staff of a row that could not be handled, and whoever waits for an answer."""
        unreadable = isinstance(problem, Unreadable)
        kind = alerts.Kind.UNREADABLE if unreadable else alerts.Kind.INBOX_FAILED
        if unreadable:
            bad_answers.note(row.source, "update")
        facts = {"source": row.source, "row": row.id, "number": row.key}
        async with self.house.database.writing() as connection:
            await alerts.raise_alert(connection, kind, f"inbox:{row.id}", facts, self.house.clock())
        if self.application is not None:
            await self.application.bot_data[MEMBER_DESK].apologise(row)

    async def _status(self, row: Claimed) -> None:
        fields = row.payload
        sid = fields.get("MessageSid") or fields["SmsSid"]
        report = read_report(sid, fields["MessageStatus"], fields.get("ErrorCode"), fields.get("delivery"))
        async with self.house.database.writing() as connection:
            await self.postman.record_status(connection, report, self.house.clock())


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _initialize(bot: ExtBot[None], settings: Settings) -> None:
    try:
        await telegram.patiently(bot.initialize)
    except InvalidToken:
        raise TokenWrong from None
    except (NetworkError, TelegramError) as problem:
        raise TelegramAway(url=settings.telegram_api_url, problem=problem.message) from None
