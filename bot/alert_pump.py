"""Shows alerts where staff are and keeps what is shown true: one message per alert and chat, edited for all.

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
from sqlalchemy import ColumnElement, and_, delete, func, literal, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection
from telegram import Bot, LinkPreviewOptions
from telegram.constants import ParseMode
from telegram.error import BadRequest, ChatMigrated, Forbidden, NetworkError, TelegramError

from bot import alerts, enrolment
from bot.alert_pages import page_due, responders
from bot.alert_words import alert_said, bundle_said
from bot.alerts import Alert, Kind
from bot.keyboards import keyboard
from bot.said import Said
from bot.schema import alert, alert_message, staff_group
from bot.staff_page import StaffPage
from messages.pacer import Lane
from messages.telegram_request import LANE
from messages.upsert import insert_into
from voting import cases, polls
from voting.cases import Case
from voting.database import Database
from voting.refusals import NoPoll

LOOK_SECONDS: Final = 0.5
AFTER_TROUBLE_SECONDS: Final = 5.0
LEASE: Final = timedelta(seconds=30)
EDIT_EVERY: Final = timedelta(seconds=2)  # of one message
STORM: Final = 5  # messages within STORM_SPAN after which more alerts share one
STORM_SPAN: Final = timedelta(minutes=1)
BUNDLE_SPAN: Final = timedelta(minutes=15)  # an older bundle has scrolled away
BUNDLE_ALERTS_MAX: Final = 200
ROWS_MAX: Final = 500

UNCHANGED: Final = "not modified"
NO_TOPIC: Final = "thread not found"
NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True)

log = structlog.get_logger()

Key = tuple[int, int]  # alert id, chat id


@dataclass(frozen=True, slots=True)
class _Place:
    """A chat where alerts are shown."""

    chat_id: int
    topic_id: int | None
    language: str


@dataclass(frozen=True, slots=True)
class _Message:
    """One message to send, or to edit when it has an id; of several alerts when `bundled`."""

    place: _Place
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
    """Shows alerts through `bot` until cancelled; `wake` planned text messages and pages."""

    def __init__(
        self,
        database: Database,
        button_key: bytes,
        bot: Bot,
        *,
        clock: Callable[[], datetime],
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self._database, self._button_key, self._bot = database, button_key, bot
        self._clock, self._wake = clock, wake

    async def run(self) -> None:
        """Look for news until cancelled."""
        LANE.set(Lane.ALERT)
        while True:
            wait = LOOK_SECONDS
            try:
                await self.step()
            except Exception as problem:  # the outermost loop: alerts must go on whatever happens to one of them
                log.exception("alerts", kind=type(problem).__name__)
                wait = AFTER_TROUBLE_SECONDS
            await asyncio.sleep(wait)

    async def step(self) -> None:
        """Show what is new and wake who is to be woken, once."""
        now = self._clock()
        async with self._database.reading() as connection:
            if not await _news(connection, now):
                return
        async with self._database.writing() as connection:
            paged = await page_due(connection, self._button_key, now)
            messages = await self._claim(connection, now)
        if paged:
            self._wake()
        by_chat = defaultdict(list)
        for message in messages:
            by_chat[message.place.chat_id].append(message)
        async with asyncio.TaskGroup() as group:
            for in_chat in by_chat.values():
                group.create_task(self._show_all(in_chat))

    # -- deciding ------------------------------------------------------------------------

    async def _claim(self, connection: AsyncConnection, now: datetime) -> list[_Message]:
        """Take what has to be shown, for LEASE."""
        places = await _places(connection)
        await _plan_rows(connection, places)
        stale = (
            select(alert_message.c.alert_id, alert_message.c.chat_id)
            .join(alert, alert.c.id == alert_message.c.alert_id)
            .where(_stale(now))
            .order_by(alert_message.c.alert_id)
            .limit(ROWS_MAX)
        )
        keys = [(row.alert_id, row.chat_id) for row in await connection.execute(stale)]
        if not keys:
            return []
        taken = await connection.execute(
            update(alert_message)
            .where(_these(keys))
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
        self, connection: AsyncConnection, place: _Place, rows: Sequence[_Row], now: datetime
    ) -> list[_Message]:
        shown = {row.message_id: row.bundled for row in rows if row.message_id is not None}
        new = sorted(row.alert_id for row in rows if row.message_id is None)
        messages = [
            _Message(place, message_id, await alerts.alerts_in(connection, place.chat_id, message_id), bundled)
            for message_id, bundled in shown.items()
        ]
        if len(new) + await _sent_lately(connection, place.chat_id, now) <= STORM:
            return messages + [_Message(place, None, (alert_id,), bundled=False) for alert_id in new]
        if not new:
            return messages
        bundle = await _newest_bundle(connection, place.chat_id, now)
        before = await alerts.alerts_in(connection, place.chat_id, bundle) if bundle is not None else ()
        if len(before) + len(new) > BUNDLE_ALERTS_MAX:
            bundle, before = None, ()
        messages = [message for message in messages if message.message_id != bundle]
        return [*messages, _Message(place, bundle, (*before, *new), bundled=True)]

    # -- showing -------------------------------------------------------------------------

    async def _show_all(self, messages: Sequence[_Message]) -> None:
        for message in messages:
            try:
                await self._show(message)
            except ChatMigrated as moved:
                async with self._database.writing() as connection:
                    await alerts.on_migrated(connection, str(message.place.chat_id), str(moved.new_chat_id))
                return
            except NetworkError as problem:
                if isinstance(problem, BadRequest):
                    await self._give_up(message, problem)
                    continue
                log.warning("an alert waits", kind=type(problem).__name__)
                await self._retry(message)
                return
            except TelegramError as problem:  # blocked, kicked, or told to wait
                if isinstance(problem, Forbidden):
                    await self._give_up(message, problem)
                    continue
                log.warning("an alert waits", kind=type(problem).__name__)
                return

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
        page = StaffPage(place.chat_id, place.language, poll.timezone, self._button_key, now)
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
            try:
                await self._bot.edit_message_text(
                    said.html,
                    chat_id=place.chat_id,
                    message_id=message.message_id,
                    parse_mode=ParseMode.HTML,
                    reply_markup=keyboard(said),
                    link_preview_options=NO_PREVIEW,
                )
            except BadRequest as refused:
                if UNCHANGED in refused.message.lower():
                    return message.message_id
            else:
                return message.message_id
        try:
            return await self._send(place.chat_id, place.topic_id, said)
        except BadRequest as refused:
            if place.topic_id is None or NO_TOPIC not in refused.message.lower():
                raise
            return await self._send(place.chat_id, None, said)  # the topic was deleted: the group still hears

    async def _send(self, chat_id: int, topic_id: int | None, said: Said) -> int:
        sent = await self._bot.send_message(
            chat_id,
            said.html,
            parse_mode=ParseMode.HTML,
            reply_markup=keyboard(said),
            message_thread_id=topic_id,
            link_preview_options=NO_PREVIEW,
        )
        return int(sent.message_id)

    async def _give_up(self, message: _Message, problem: TelegramError) -> None:
        """Note that this chat cannot be told; it is tried again with the alert's next news."""
        log.error("a staff chat cannot be told", kind=type(problem).__name__)
        mine = and_(alert_message.c.chat_id == message.place.chat_id, alert_message.c.alert_id.in_(message.alert_ids))
        version = select(alert.c.version).where(alert.c.id == alert_message.c.alert_id).scalar_subquery()
        async with self._database.writing() as connection:
            await connection.execute(update(alert_message).where(mine).values(shown_version=version, lease_until=None))

    async def _retry(self, message: _Message) -> None:
        """Let it be shown again soon: rather twice than not at all."""
        again = self._clock() + timedelta(seconds=AFTER_TROUBLE_SECONDS)
        mine = and_(alert_message.c.chat_id == message.place.chat_id, alert_message.c.alert_id.in_(message.alert_ids))
        with suppress(OSError):
            async with self._database.writing() as connection:
                await connection.execute(update(alert_message).where(mine).values(lease_until=again))


def _said(page: StaffPage, shown: Sequence[Alert], found: dict[int, Case], *, bundled: bool) -> Said:
    if bundled:
        return bundle_said(page, shown, found)
    (one,) = shown
    return alert_said(page, one, found.get(one.case_id or 0) if one.kind is Kind.ATTEMPT else None)


def _stale(now: datetime) -> ColumnElement[bool]:
    free = or_(alert_message.c.lease_until.is_(None), alert_message.c.lease_until <= now)
    return and_(alert_message.c.shown_version < alert.c.version, free)


def _these(keys: Sequence[Key]) -> ColumnElement[bool]:
    return tuple_(alert_message.c.alert_id, alert_message.c.chat_id).in_(keys)


def _waits() -> ColumnElement[bool]:
    return and_(alert.c.ended_at.is_(None), alert.c.acknowledged_by.is_(None))


async def _news(connection: AsyncConnection, now: datetime) -> bool:
    """Tell quickly whether there is anything to do: this is asked twice a second."""
    late = select(alert.c.id).where(_waits(), alert.c.next_page_at <= now).limit(1)
    if await connection.scalar(late) is not None:
        return True
    stale = select(alert.c.id).join(alert_message, alert.c.id == alert_message.c.alert_id).where(_stale(now)).limit(1)
    if await connection.scalar(stale) is not None:
        return True
    if await connection.scalar(select(alert.c.id).where(_waits()).limit(1)) is None:
        return False
    try:
        return bool(await _lacking(connection, await _places(connection)))
    except NoPoll:
        return False


async def _places(connection: AsyncConnection) -> dict[int, _Place]:
    """Give where alerts are shown: the responders' own chats and the staff groups."""
    poll = await polls.load(connection)
    places = {
        person.user_id: _Place(person.user_id, None, person.language)
        for person in responders(await enrolment.everybody(connection))
    }
    groups = await connection.execute(select(staff_group).where(staff_group.c.removed_at.is_(None)))
    for row in groups:
        places[row.chat_id] = _Place(row.chat_id, row.topic_id, poll.languages[0])
    return places


async def _lacking(connection: AsyncConnection, places: dict[int, _Place]) -> list[Key]:
    """Give the alerts that wait and the places where they have no row yet."""
    waiting = list((await connection.execute(select(alert.c.id).where(_waits()).limit(ROWS_MAX))).scalars())
    known = {
        (row.alert_id, row.chat_id)
        for row in await connection.execute(
            select(alert_message.c.alert_id, alert_message.c.chat_id).where(alert_message.c.alert_id.in_(waiting))
        )
    }
    return [key for alert_id in waiting for chat_id in places if (key := (alert_id, chat_id)) not in known]


async def _plan_rows(connection: AsyncConnection, places: dict[int, _Place]) -> None:
    lacking = await _lacking(connection, places)
    if lacking:
        rows = [{"alert_id": alert_id, "chat_id": chat_id} for alert_id, chat_id in lacking]
        await connection.execute(insert_into(connection, alert_message).on_conflict_do_nothing(), rows)


async def _sent_lately(connection: AsyncConnection, chat_id: int, now: datetime) -> int:
    lately = (alert_message.c.chat_id == chat_id) & (alert_message.c.sent_at > now - STORM_SPAN)
    counted = select(func.count(alert_message.c.message_id.distinct())).where(lately)
    return int(await connection.scalar(counted) or 0)


async def _newest_bundle(connection: AsyncConnection, chat_id: int, now: datetime) -> int | None:
    bundled = (
        (alert_message.c.chat_id == chat_id) & alert_message.c.bundled & (alert_message.c.sent_at > now - BUNDLE_SPAN)
    )
    found = await connection.scalar(select(func.max(alert_message.c.message_id)).where(bundled))
    return None if found is None else int(found)
