"""Fetch updates from Telegram when there is no public URL: store first, confirm the offset after.

python-telegram-bot's own poller confirms before it processes (a crash then loses a press), so this is our loop
over its `Bot.get_updates`: https://core.telegram.org/bots/api#getupdates.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import select
from telegram import Bot
from telegram.error import Conflict, InvalidToken, NetworkError, RetryAfter, TelegramError

from bot.edge.letters import letter_of
from bot.inbox.inbox import Envelope, store
from bot.schema import cursor
from voting.store.database import Database
from voting.store.inserts import insert_into

POLL_SECONDS: Final = 25
BATCH_MAX: Final = 100
WAIT_FIRST_SECONDS: Final = 0.5
WAIT_MOST_SECONDS: Final = 30.0
NAME: Final = "telegram"
# Everything the handlers know; chat_member and the like must be asked for by name.
KINDS: Final = ("message", "edited_message", "callback_query", "my_chat_member")

log = structlog.get_logger()


class Poller:
    """Fetches updates and stores them; `wake` is called when something new lies in the inbox."""

    def __init__(
        self,
        bot: Bot,
        database: Database,
        envelope: Envelope,
        *,
        wake: Callable[[], None],
        on_refused: Callable[[TelegramError], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._bot, self._database, self._envelope = bot, database, envelope
        self._wake, self._on_refused, self._clock = wake, on_refused, clock

    async def run(self) -> None:
        """Poll until cancelled; a wrong token or a second poller is reported and waited out, not crashed on."""
        offset = await self._offset()
        wait = WAIT_FIRST_SECONDS
        while True:
            try:
                offset = await self._fetch(offset)
                wait = WAIT_FIRST_SECONDS
            except RetryAfter as held:
                await asyncio.sleep(_seconds(held.retry_after))
            except (Conflict, InvalidToken) as refused:
                self._on_refused(refused)
                await asyncio.sleep(WAIT_MOST_SECONDS)
            except NetworkError as problem:
                log.warning("telegram cannot be reached", kind=type(problem).__name__, wait_seconds=wait)
                await asyncio.sleep(wait)
                wait = min(wait * 2, WAIT_MOST_SECONDS)

    async def _fetch(self, offset: int) -> int:
        updates = await self._bot.get_updates(
            offset=offset,
            limit=BATCH_MAX,
            timeout=POLL_SECONDS,
            read_timeout=POLL_SECONDS + 10,
            allowed_updates=list(KINDS),
        )
        if not updates:
            return offset
        following = updates[-1].update_id + 1
        async with self._database.writing() as connection:
            letters = [letter_of(update.to_dict()) for update in updates]
            await store(connection, self._envelope, letters, self._clock())
            statement = insert_into(connection, cursor).values(name=NAME, value=following)
            await connection.execute(
                statement.on_conflict_do_update(index_elements=["name"], set_={"value": following})
            )
        self._wake()
        return following  # confirmed to Telegram by the next call, now that it is stored

    async def _offset(self) -> int:
        async with self._database.reading() as connection:
            return (await connection.execute(select(cursor.c.value).where(cursor.c.name == NAME))).scalar() or 0


def _seconds(value: int | timedelta) -> float:
    return value.total_seconds() if isinstance(value, timedelta) else float(value)
