"""Fetch updates from Telegram when there is no public URL: store first, confirm the offset after.

python-telegram-bot's own poller confirms before it processes (a crash then loses a press), and its objects of an
update are not the bytes that Telegram sent, so this is our loop over its transport:
https://core.telegram.org/bots/api#getupdates.
"""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import structlog
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from telegram.error import InvalidToken, RetryAfter, TelegramError

from bot.edge.hearing import Hearing
from bot.edge.letters import letter_of, update_id
from bot.inbox.inbox import Envelope, store
from bot.schema import cursor
from messages.channels import bad_answers
from messages.channels.telegram_request import AiohttpRequest, held_seconds
from voting.store.database import Database
from voting.store.inserts import insert_into

POLL_SECONDS: Final = 25
READ_SECONDS: Final = POLL_SECONDS + 10.0
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
        request: AiohttpRequest,
        base_url: str,
        database: Database,
        envelope: Envelope,
        *,
        wake: Callable[[], None],
        hearing: Hearing,
        clock: Callable[[], datetime],
    ) -> None:
        self._request, self._url = request, f"{base_url}/getUpdates"
        self._database, self._envelope = database, envelope
        self._wake, self._hearing, self._clock = wake, hearing, clock

    async def run(self) -> None:
        """Poll until cancelled, whatever Telegram or the database answers; after a failure, wait and try again."""
        offset, wait = -1, WAIT_FIRST_SECONDS
        while True:
            try:
                if offset < 0:
                    offset = await self._offset()
                offset = await self._fetch(offset)
                wait = WAIT_FIRST_SECONDS
                continue
            except TelegramError as problem:
                self._hearing.not_heard(problem)
                pause = _pause(problem, wait)
                log.warning("telegram is not heard", kind=type(problem).__name__, wait_seconds=pause)
            except (DBAPIError, OSError) as problem:  # nothing was confirmed, so it comes again
                pause = wait
                log.warning("updates could not be stored", kind=type(problem).__name__, wait_seconds=pause)
            await asyncio.sleep(pause)
            wait = min(wait * 2, WAIT_MOST_SECONDS)

    async def _fetch(self, offset: int) -> int:
        values = {"offset": offset, "limit": BATCH_MAX, "timeout": POLL_SECONDS, "allowed_updates": KINDS}
        asked = {name: json.dumps(value) for name, value in values.items()}
        found = await self._request.call(self._url, asked, read_seconds=READ_SECONDS)  # a list: telegram_answer insists
        self._hearing.heard()
        updates: list[dict[str, Any]] = [one for one in found if update_id(one) is not None]
        for _ in range(len(found) - len(updates)):  # without a number it can be neither stored nor confirmed
            bad_answers.note("telegram", "update")
        if not updates:
            await asyncio.sleep(WAIT_FIRST_SECONDS if found else 0)
            return offset
        following: int = max(one["update_id"] for one in updates) + 1
        async with self._database.writing() as connection:
            await store(connection, self._envelope, [letter_of(one) for one in updates], self._clock())
            statement = insert_into(connection, cursor).values(name=NAME, value=following)
            await connection.execute(
                statement.on_conflict_do_update(index_elements=["name"], set_={"value": following})
            )
        self._wake()
        return following  # confirmed to Telegram by the next call, now that it is stored

    async def _offset(self) -> int:
        async with self._database.reading() as connection:
            return int(await connection.scalar(select(cursor.c.value).where(cursor.c.name == NAME)) or 0)


def _pause(problem: TelegramError, wait_seconds: float) -> float:
    """Say how long to wait: as Telegram says, or long where somebody has to act first."""
    if isinstance(problem, RetryAfter):
        return held_seconds(problem)
    return WAIT_MOST_SECONDS if isinstance(problem, InvalidToken) else wait_seconds
