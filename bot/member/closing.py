"""Close the poll: what members pressed before is a vote, also where Telegram takes no answers just now.

The inbox's reader is given a moment to handle what was received. What still waits then is decided here as far as it
is a vote; the rows stay, and their senders get their answers when Telegram can be reached again.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import structlog
from sqlalchemy import RowMapping, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.chat.buttons import Act, PaperPress, read
from bot.house import House
from bot.inbox.inbox import Envelope
from bot.member.callers import Callers
from bot.member.paper_desk import PaperDesk
from bot.schema import inbox
from messages.channels.telegram_answer import ID_MAX, is_integer
from voting.model import By, Poll
from voting.poll import polls
from voting.refusals import Refusal
from voting.votes.clerk import Clerk

WAIT_SECONDS: Final = 5.0  # for the reader: what waits for longer waits for Telegram, or nobody runs the service
LOOK_EVERY_SECONDS: Final = 0.25  # another process may be handling it
TOGETHER_MAX: Final = 256  # presses decided at once

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Closed:
    """The poll as it is now, and how many messages that came before have no answer yet."""

    poll: Poll
    unanswered: int


async def close_poll(house: House, *, by: By, wait_seconds: float = WAIT_SECONDS) -> Closed:
    """Close the poll as of `by.at`; votes pressed before are locked first. PollNotOpen, PollOver."""
    await _patiently(house, by, wait_seconds)
    callers = Callers(house.database)
    clerk = Clerk(house.database, house.secrets)
    presses = _Presses(house, callers, PaperDesk(house.database, callers, clerk, house.secrets.code_key))
    decided = 0  # the last row looked at: rows are numbered as they are stored
    while True:
        async with house.database.writing() as connection:
            rows = await _rows_after(connection, decided, by)
            if not rows:
                poll = await polls.close_poll(connection, by=by)
                return Closed(poll, await _waiting(connection, by))
        await presses.decide(rows)
        decided = rows[-1]["id"]


async def _patiently(house: House, by: By, wait_seconds: float) -> None:
    """Let the reader handle what it can."""
    last = asyncio.get_running_loop().time() + wait_seconds
    while asyncio.get_running_loop().time() < last:
        async with house.database.reading() as connection:
            if not await _waiting(connection, by):
                return
        await asyncio.sleep(LOOK_EVERY_SECONDS)


def _received_before(by: By) -> tuple[Any, ...]:
    return inbox.c.state == "new", inbox.c.source == "telegram", inbox.c.received_at < by.at


async def _waiting(connection: AsyncConnection, by: By) -> int:
    return int(await connection.scalar(select(func.count()).where(*_received_before(by))) or 0)


async def _rows_after(connection: AsyncConnection, row_id: int, by: By) -> Sequence[RowMapping]:
    """Give what was received before and waits, in its order; nothing more is stored until this transaction ends."""
    if connection.dialect.name == "postgresql":
        await connection.execute(text("LOCK TABLE inbox IN SHARE MODE"))
    found = await connection.execute(
        select(inbox.c.id, inbox.c.payload, inbox.c.received_at)
        .where(*_received_before(by), inbox.c.id > row_id)
        .order_by(inbox.c.id)
        .limit(TOGETHER_MAX)
    )
    return found.mappings().all()


@dataclass(frozen=True, slots=True)
class _Presses:
    """Decides presses on 'Cast my vote' without answering them: when their row is handled, they are replays."""

    house: House
    callers: Callers
    papers: PaperDesk

    async def decide(self, rows: Sequence[RowMapping]) -> None:
        """Decide those among these rows; what cannot be read or is refused is left to the handling of its row."""
        envelope = Envelope(self.house.secrets.hours)
        await asyncio.gather(*(self._decide(row, envelope.try_open(row["payload"])) for row in rows))

    async def _decide(self, row: RowMapping, update: dict[str, Any]) -> None:
        query = update.get("callback_query")
        sender = query.get("from") if isinstance(query, dict) else None
        user_id = sender.get("id") if isinstance(sender, dict) else None
        if not isinstance(query, dict) or not is_integer(user_id, most=ID_MAX):
            return
        with suppress(Refusal):  # ForeignButton, AlreadyVoted, PollNotOpen, ...
            press = read(self.house.secrets.button_key, user_id, str(query.get("data") or ""))
            if isinstance(press, PaperPress) and press.act is Act.CAST:
                caller = await self.callers.receive(user_id, None, row["received_at"])
                await self.papers.press(caller, press)
                log.info("a vote was locked before its row was handled", row=row["id"])
