"""Live progress: the message that shows a notice is edited every few seconds, and ends as the report with its file."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, update
from telegram import Bot
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter

from bot.chat import posting
from bot.chat.page import Page, Reader
from bot.schema import notice_message
from bot.staff import enrolment
from bot.staff.languages import fitting
from bot.staff_chat.notice_words import progress_said, report_said
from messages.notices import notices
from messages.notices.model import ENDED
from messages.notices.report_csv import unreached_csv
from messages.notices.reports import progress, report
from messages.words.texts import html_text
from voting.poll import polls
from voting.store.database import Database

LOOK_EVERY: Final = timedelta(seconds=3)
WATCHED_MAX: Final = 20  # messages looked after at once


class NoticeWatch:
    """Keeps progress messages up to date, one step after another."""

    def __init__(
        self,
        database: Database,
        button_key: bytes,
        bot: Bot,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._database, self._button_key, self._bot = database, button_key, bot
        self._clock = clock

    async def step(self) -> None:
        """Edit every message whose notice has moved, once."""
        watched = select(notice_message).where(notice_message.c.ended_at.is_(None)).limit(WATCHED_MAX)
        async with self._database.reading() as connection:
            rows = (await connection.execute(watched)).all()
        for row in rows:
            try:
                await self._show(row.notice_id, row.chat_id, row.message_id, row.shown)
            except (RetryAfter, NetworkError) as problem:
                if isinstance(problem, BadRequest):  # the message is gone: nobody looks at it
                    await self._end(row.notice_id, row.chat_id)
            except Forbidden:
                await self._end(row.notice_id, row.chat_id)

    async def _show(self, notice_id: int, chat_id: int, message_id: int, shown: str) -> None:
        async with self._database.reading() as connection:
            person = await enrolment.find(connection, chat_id)
            poll = await polls.load(connection)
            notice = await notices.show(connection, notice_id)
            language = person.language if person is not None else fitting(None, poll)
            page = Page(Reader.STAFF, poll, chat_id, language, self._button_key, self._clock())
            over = notice.state in ENDED
            if over:
                said = report_said(page, await report(connection, notice_id))
            else:
                said = progress_said(page, notice, await progress(connection, notice_id))
            content = await unreached_csv(connection, notice_id) if over and said.rows else None
        if person is None:  # no longer on the staff
            await self._end(notice_id, chat_id)
            return
        if over and not await self._end(notice_id, chat_id):
            return  # another process gives the report
        try:
            if said.html != shown:
                await posting.edit(self._bot, said, chat_id, message_id)
                await self._note(notice_id, chat_id, said.html)
            if content is not None:
                caption = html_text("staff", "notice.unreached_file", page.language, notice=notice_id)
                name = f"notice-{notice_id}-not-reached.csv"
                await posting.send_file(self._bot, name, content, chat_id, caption=caption, secret=True)
        except (RetryAfter, NetworkError):
            await self._watch_on(notice_id, chat_id)  # the next round gives what this one could not
            raise

    async def _note(self, notice_id: int, chat_id: int, shown: str) -> None:
        mine = (notice_message.c.notice_id == notice_id) & (notice_message.c.chat_id == chat_id)
        async with self._database.writing() as connection:
            await connection.execute(update(notice_message).where(mine).values(shown=shown))

    async def _watch_on(self, notice_id: int, chat_id: int) -> None:
        mine = (notice_message.c.notice_id == notice_id) & (notice_message.c.chat_id == chat_id)
        async with self._database.writing() as connection:
            await connection.execute(update(notice_message).where(mine).values(ended_at=None))

    async def _end(self, notice_id: int, chat_id: int) -> bool:
        """Stop watching; tell whether it was this process that did."""
        mine = (notice_message.c.notice_id == notice_id) & (notice_message.c.chat_id == chat_id)
        async with self._database.writing() as connection:
            ended = await connection.execute(
                update(notice_message).where(mine, notice_message.c.ended_at.is_(None)).values(ended_at=self._clock())
            )
        return bool(ended.rowcount)
