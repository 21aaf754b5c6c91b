"""What the service does by the clock: each chore, how often, and the one loop that keeps them all.

Every act is repeatable and safe beside another process doing the same.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy.exc import DBAPIError
from telegram.error import TelegramError
from telegram.ext import ExtBot

from bot.alerts import alerts, pump, unheard
from bot.alerts.pump import AlertPump
from bot.app.hours import HoursKeeper
from bot.edge import telegram
from bot.edge.hearing import Hearing
from bot.edge.letters import of_text
from bot.house import House
from bot.inbox import inbox
from bot.member_chat import sms
from bot.staff.every_probe import run_every_probe
from bot.staff_chat import notice_watch
from bot.staff_chat.menus import StaffMenus
from bot.staff_chat.notice_watch import NoticeWatch
from messages.channels.telegram_request import LANE
from messages.channels.twilio_channel import TwilioChannel
from messages.pace.pacer import Lane
from voting.audit.chain import HeadNotContinued, check_continues, last_head, sign_head
from voting.audit.signer import KeptHeadDamaged
from voting.votes.wrong_codes import purge_wrong_codes

SIGN_HEAD_EVERY: Final = timedelta(hours=1)
PROBES_EVERY: Final = timedelta(minutes=1)
HOURS_EVERY: Final = timedelta(minutes=10)
PURGE_EVERY: Final = timedelta(hours=1)
MENUS_EVERY: Final = timedelta(seconds=2)
MISSED_TEXTS_EVERY: Final = timedelta(hours=1)  # and at the start
MISSED_TEXTS_OF: Final = timedelta(days=1)  # shorter than the inbox remembers what it has had
HEARING_EVERY: Final = timedelta(seconds=10)
WAIT_AFTER_TROUBLE: Final = timedelta(seconds=5)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Chore:
    """Something done again and again; `act` must be repeatable. What it sends to Telegram goes in this `lane`."""

    name: str
    every: timedelta
    act: Callable[[], Awaitable[None]]
    lane: Lane = Lane.CHAT


async def keep(chore: Chore) -> None:
    """Do a chore until cancelled; a failure is logged and it is tried again."""
    LANE.set(chore.lane)
    while True:
        wait = chore.every
        try:
            await chore.act()
        except (DBAPIError, OSError) as problem:
            log.warning("the database did not answer a chore", chore=chore.name, kind=type(problem).__name__)
            wait = WAIT_AFTER_TROUBLE
        except Exception:  # the outermost loop: one chore's failure must not end the service
            log.exception("a chore failed", chore=chore.name)
            wait = WAIT_AFTER_TROUBLE
        await asyncio.sleep(wait.total_seconds())


def chores(house: House) -> list[Chore]:
    """Give what is done for the poll's records."""
    records = _Records(house)
    return [
        Chore("head", SIGN_HEAD_EVERY, records.sign_head),
        Chore("kept head", PROBES_EVERY, records.compare_head),
        Chore("probes", PROBES_EVERY, records.probe),
        Chore("hours", HOURS_EVERY, HoursKeeper(house).keep),
        Chore("purge", PURGE_EVERY, records.purge),
    ]


def chores_in_chat(house: House, bot: ExtBot[None], *, wake: Callable[[], None], hearing: Hearing) -> list[Chore]:
    """Give what is done so that staff see what is true; `wake` tells the postman of planned messages."""
    key = house.secrets.button_key
    alarms = AlertPump(house.database, key, bot, clock=house.clock, wake=wake)
    progress = NoticeWatch(house.database, key, bot, clock=house.clock)
    heads = _Heads(house, bot)
    return [
        Chore("heads", SIGN_HEAD_EVERY, heads.post, Lane.ALERT),
        Chore("alerts", pump.LOOK_EVERY, alarms.step, Lane.ALERT),
        Chore("progress", notice_watch.LOOK_EVERY, progress.step, Lane.ALERT),
        Chore("menus", MENUS_EVERY, StaffMenus(bot, house.database).refresh),
        Chore("hearing", HEARING_EVERY, _Listener(house, bot, hearing, wake).listen),
    ]


def chores_by_text(house: House, texts: TwilioChannel, *, wake: Callable[[], None]) -> list[Chore]:
    """Give what is done so that no text to us is missed; `wake` tells the inbox's reader that one was stored."""

    async def fetch() -> None:
        """Take in what came while nobody listened: Twilio hands a text over once, and STOP must count."""
        now = house.clock()
        found = await texts.received(now - MISSED_TEXTS_OF)
        letters = [of_text({"MessageSid": one.provider_id, "From": one.sender, "Body": one.body}, {}) for one in found]
        async with house.database.writing() as connection:
            await inbox.store(connection, inbox.Envelope(house.secrets.hours), letters, now)
        wake()

    return [Chore("missed texts", MISSED_TEXTS_EVERY, fetch)]


@dataclass(frozen=True, slots=True)
class _Heads:
    """Posts the last signed head where others keep it."""

    house: House
    bot: ExtBot[None]

    async def post(self) -> None:
        """Post it to the chat that the setting names, if any; nothing while the chain does not continue it."""
        chat = self.house.settings.heads_chat
        if chat is None:
            return
        try:
            async with self.house.database.reading() as connection:
                await check_continues(connection)
                head = await last_head(connection)
        except (HeadNotContinued, KeptHeadDamaged):
            return  # `compare_head` tells
        if head is not None:
            await self.bot.send_message(chat, head.line.decode())


@dataclass(frozen=True, slots=True)
class _Listener:
    """Checks whether what members write reaches us, and tells staff when it does not, and when it does again."""

    house: House
    bot: ExtBot[None]
    hearing: Hearing
    wake: Callable[[], None]

    async def listen(self) -> None:
        """Tell staff once of each problem, and once of its end."""
        if self.house.settings.public_url:
            await self._look_at_webhook(self.house.settings.public_url)
        async with self.house.database.reading() as connection:
            told = await unheard.lasting(connection)
        why, now = self.hearing.trouble, self.house.clock()
        if why is not None and all(one.facts["why"] != why for one in told):
            async with self.house.database.writing() as connection:
                await unheard.not_heard(connection, why, now)
        elif told and self.hearing.well:
            async with self.house.database.writing() as connection:
                await unheard.heard_again(connection, told, now)
            self.wake()

    async def _look_at_webhook(self, public_url: str) -> None:
        try:
            self.hearing.looked(await self.bot.get_webhook_info(), telegram.webhook_url(public_url))
        except TelegramError as problem:
            self.hearing.not_heard(problem)


@dataclass(frozen=True, slots=True)
class _Records:
    """The chores of the poll's own records."""

    house: House

    async def sign_head(self) -> None:
        """Sign the chain's head, and write the last one to the log; neither while the chain does not continue it."""
        try:
            async with self.house.database.writing() as connection:
                await sign_head(connection, self.house.clock())
                head = await last_head(connection)
        except (HeadNotContinued, KeptHeadDamaged):
            return  # `compare_head` tells
        if head is not None:
            log.info("the chain's head", seq=head.seq, hash=head.hash.hex(), signature=head.signature.hex())

    async def compare_head(self) -> None:
        """Tell staff when the chain does not continue the head that is kept outside the database."""
        try:
            async with self.house.database.reading() as connection:
                await check_continues(connection)
        except (HeadNotContinued, KeptHeadDamaged) as lost:
            log.error("the chain does not continue its last head", detail=str(lost))  # noqa: TRY400 - no news in it
            async with self.house.database.writing() as connection:
                await alerts.raise_alert(
                    connection, alerts.Kind.HEAD_LOST, "head_lost", {"detail": str(lost)}, self.house.clock()
                )

    async def probe(self) -> None:
        """Check that the records agree, and tell staff when they do not."""
        async with self.house.database.reading() as connection:
            tried = await run_every_probe(connection)
        broken = [probe for probe in tried if not probe.holds]
        for probe in broken:
            log.error("a probe does not hold", probe=probe.name, detail=probe.detail)
            async with self.house.database.writing() as connection:
                await alerts.raise_alert(
                    connection,
                    alerts.Kind.PROBE_FAILED,
                    occasion=f"probe:{probe.name}",
                    facts={"probe": probe.name, "detail": probe.detail},
                    now=self.house.clock(),
                )

    async def purge(self) -> None:
        """Delete what is no longer needed."""
        async with self.house.database.writing() as connection:
            await inbox.purge(connection, self.house.clock())
            await purge_wrong_codes(connection, self.house.clock())
            await sms.forget_counters(connection, self.house.clock())
