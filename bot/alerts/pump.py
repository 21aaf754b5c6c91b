"""Shows alerts where staff are and keeps what is shown up to date: one message per alert and chat, edited for all.

A row is written before a message is sent and keeps its message id after; a crash between the two shows that alert
once more, never not at all. In a storm a chat gets one message for many alerts instead of a flood.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import and_, delete, func, literal, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from telegram import Bot
from telegram.error import BadRequest, ChatMigrated, Forbidden, TelegramError

from bot.alerts import alerts, groups, hooks
from bot.alerts import places as alert_places
from bot.alerts.alerts import Alert, Kind
from bot.alerts.pages import page_due
from bot.alerts.places import ROWS_MAX, Place
from bot.alerts.words import alert_said, bundle_said
from bot.chat import posting
from bot.chat.page import Page, Reader
from bot.chat.said import Said
from bot.schema import alert, alert_message
from voting.poll import polls
from voting.store.database import Database
from voting.votes import cases
from voting.votes.cases import Case

LOOK_EVERY: Final = timedelta(seconds=0.5)
AGAIN_AFTER: Final = timedelta(seconds=5)  # when Telegram was away, or told us to wait
LEASE: Final = timedelta(seconds=4)  # of a message being sent: after kill -9 somebody else sends it then
LEASE_KEPT_SECONDS: Final = 1.0  # how often the leases of what is being sent are made longer
EDIT_EVERY: Final = timedelta(seconds=2)  # of one message
STORM: Final = 5  # messages within STORM_SPAN after which more alerts share one
BUNDLE_ALERTS_MAX: Final = 200

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Message:
    """One message to send, or to edit when it has an id; of several alerts when `bundled`."""

    place: Place
    message_id: int | None
    alert_ids: tuple[int, ...]
    bundled: bool


@dataclass(frozen=True, slots=True)
class _Row:
    alert_id: int
    chat_id: int
    message_id: int | None
    bundled: bool


class AlertPump:
    """Shows alerts through `bot`, one step after another; `wake` planned text messages and pages."""

    def __init__(
        self,
        database: Database,
        button_key: bytes,
        bot: Bot,
        *,
        clock: Callable[[], datetime],
        wake: Callable[[], None] = lambda: None,
        kept_seconds: float = LEASE_KEPT_SECONDS,
    ) -> None:
        self._database, self._button_key, self._bot = database, button_key, bot
        self._clock, self._wake, self._kept_seconds = clock, wake, kept_seconds

    async def step(self) -> None:
        """Show what is new and wake who is to be woken, once."""
        now = self._clock()
        async with self._database.reading() as connection:
            if not await alert_places.anything_to_do(connection, now):
                return
        async with self._database.writing() as connection:
            paged = await page_due(connection, self._button_key, now)
            messages = await self._claim(connection, now)
        if paged:
            self._wake()
        by_chat = defaultdict(list)
        for message in messages:
            by_chat[message.place.chat_id].append(message)
        going = set(messages)
        keeping = asyncio.create_task(self._keep_leases(going))
        try:
            async with asyncio.TaskGroup() as group:
                for in_chat in by_chat.values():
                    group.create_task(self._show_all(in_chat, going))
        finally:
            keeping.cancel()

    # -- deciding ------------------------------------------------------------------------

    async def _claim(self, connection: AsyncConnection, now: datetime) -> list[_Message]:
        """Take what has to be shown, for LEASE."""
        places = await alert_places.places(connection)
        await alert_places.plan_rows(connection, places)
        stale = (
            select(alert_message.c.alert_id, alert_message.c.chat_id)
            .join(alert, alert.c.id == alert_message.c.alert_id)
            .where(alert_places.stale(now))
            .order_by(alert_message.c.alert_id)
            .limit(ROWS_MAX)
        )
        keys = [(row.alert_id, row.chat_id) for row in await connection.execute(stale)]
        if not keys:
            return []
        taken = await connection.execute(
            update(alert_message)
            .where(alert_places.of_keys(keys))
            .values(lease_until=now + LEASE)
            .returning(
                alert_message.c.alert_id,
                alert_message.c.chat_id,
                alert_message.c.message_id,
                alert_message.c.bundled,
            )
        )
        by_chat: dict[int, list[_Row]] = defaultdict(list)
        for row in taken:
            by_chat[row.chat_id].append(_Row(*row))
        messages: list[_Message] = []
        for chat_id, rows in by_chat.items():
            if chat_id in places:
                messages += await self._messages_of(connection, places[chat_id], rows, now)
            else:  # no longer staff's: nothing more is told there
                await connection.execute(delete(alert_message).where(alert_message.c.chat_id == chat_id))
        return messages

    async def _messages_of(
        self, connection: AsyncConnection, place: Place, rows: Sequence[_Row], now: datetime
    ) -> list[_Message]:
        shown = {row.message_id: row.bundled for row in rows if row.message_id is not None}
        new = sorted(row.alert_id for row in rows if row.message_id is None)
        messages = [
            _Message(place, message_id, await alerts.alerts_in(connection, place.chat_id, message_id), bundled)
            for message_id, bundled in shown.items()
        ]
        if len(new) + await alert_places.sent_lately(connection, place.chat_id, now) <= STORM:
            return messages + [_Message(place, None, (alert_id,), bundled=False) for alert_id in new]
        if not new:
            return messages
        bundle = await alert_places.newest_bundle(connection, place.chat_id, now)
        before = await alerts.alerts_in(connection, place.chat_id, bundle) if bundle is not None else ()
        if len(before) + len(new) > BUNDLE_ALERTS_MAX:
            bundle, before = None, ()
        messages = [message for message in messages if message.message_id != bundle]
        return [*messages, _Message(place, bundle, (*before, *new), bundled=True)]

    async def _keep_leases(self, going: set[_Message]) -> None:
        """Keep what is being sent, however long Telegram takes: nobody else is to send it meanwhile."""
        while True:
            await asyncio.sleep(self._kept_seconds)
            keys = [(alert_id, message.place.chat_id) for message in going for alert_id in message.alert_ids]
            held = and_(alert_places.of_keys(keys), alert_message.c.lease_until.is_not(None))
            try:
                async with self._database.writing() as connection:
                    until = self._clock() + LEASE
                    await connection.execute(update(alert_message).where(held).values(lease_until=until))
            except (DBAPIError, OSError) as problem:  # the database is away: the next time, or the lease runs out
                log.warning("alerts' leases could not be kept", kind=type(problem).__name__)

    # -- showing -------------------------------------------------------------------------

    async def _show_all(self, messages: Sequence[_Message], going: set[_Message]) -> None:
        try:
            for message in messages:
                if not await self._try_to_show(message):
                    return
                going.discard(message)
        finally:
            going.difference_update(messages)

    async def _try_to_show(self, message: _Message) -> bool:
        """Show a message, or note why not; tell whether more can be shown in its chat now."""
        try:
            await self._show(message)
        except ChatMigrated as moved:
            async with self._database.writing() as connection:
                await hooks.on_migrated(connection, str(message.place.chat_id), str(moved.new_chat_id))
            return False
        except (BadRequest, Forbidden) as problem:  # blocked, kicked, gone
            await self._give_up(message, problem)
        except TelegramError as problem:  # away, or we are told to wait
            log.warning("an alert waits", kind=type(problem).__name__)
            await self._retry(message)
            return False
        return True

    async def _show(self, message: _Message) -> None:
        now = self._clock()
        async with self._database.reading() as connection:
            versions, said = await self._render(connection, message, now)
        message_id = await self._put(message, said)
        async with self._database.writing() as connection:
            for alert_id, version in versions.items():
                known = alert_message.c.alert_id == alert_id, alert_message.c.chat_id == message.place.chat_id
                await connection.execute(
                    update(alert_message)
                    .where(*known)
                    .values(
                        message_id=message_id,
                        bundled=message.bundled,
                        shown_version=version,
                        sent_at=func.coalesce(alert_message.c.sent_at, literal(now, alert_message.c.sent_at.type)),
                        lease_until=self._clock() + EDIT_EVERY,
                    )
                )

    async def _render(
        self, connection: AsyncConnection, message: _Message, now: datetime
    ) -> tuple[dict[int, int], Said]:
        poll = await polls.load(connection)
        place = message.place
        page = Page(Reader.STAFF, poll, place.chat_id, place.language, self._button_key, now)
        shown = [await alerts.show(connection, alert_id) for alert_id in message.alert_ids]
        found = {
            case.id: case
            for case in [await cases.show_case(connection, one.case_id) for one in shown if one.case_id is not None]
        }
        return {one.id: one.version for one in shown}, _said(page, shown, found, bundled=message.bundled)

    async def _put(self, message: _Message, said: Said) -> int:
        """Send, or edit what is there; a message that is gone is sent anew."""
        place = message.place
        if message.message_id is not None:
            with suppress(BadRequest):
                await posting.edit(self._bot, said, place.chat_id, message.message_id)
                return message.message_id
        return await posting.send(self._bot, said, place.chat_id, topic_id=place.topic_id)

    async def _give_up(self, message: _Message, problem: TelegramError) -> None:
        """Note that this chat cannot be told; it is tried again with the alert's next news.

        Of a group the officers are told in their own chats; one that is gone is forgotten.
        """
        log.error("a staff chat cannot be told", kind=type(problem).__name__)
        mine = and_(alert_message.c.chat_id == message.place.chat_id, alert_message.c.alert_id.in_(message.alert_ids))
        version = select(alert.c.version).where(alert.c.id == alert_message.c.alert_id).scalar_subquery()
        async with self._database.writing() as connection:
            await connection.execute(update(alert_message).where(mine).values(shown_version=version, lease_until=None))
            lost = groups.Lost(message.place.chat_id, problem.message, gone=groups.is_gone(problem))
            planned = await groups.tell_of_lost(connection, lost, self._clock())
        if planned:
            self._wake()

    async def _retry(self, message: _Message) -> None:
        """Let it be shown again soon: rather twice than not at all."""
        again = self._clock() + AGAIN_AFTER
        mine = and_(alert_message.c.chat_id == message.place.chat_id, alert_message.c.alert_id.in_(message.alert_ids))
        async with self._database.writing() as connection:
            await connection.execute(update(alert_message).where(mine).values(lease_until=again))


def _said(page: Page, shown: Sequence[Alert], found: dict[int, Case], *, bundled: bool) -> Said:
    if bundled:
        return bundle_said(page, shown, found)
    (one,) = shown
    return alert_said(page, one, found.get(one.case_id or 0) if one.kind is Kind.ATTEMPT else None)
