"""One update from somebody on the staff, in private or in a staff group, and how to answer it.

Staff's handlers come before the members': whoever is not on the staff is let through as if these were not there.
"""

from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from telegram import Bot, CallbackQuery, Message, Update
from telegram.error import BadRequest, Forbidden
from telegram.ext import ApplicationHandlerStop

from bot.chat import posting
from bot.chat.context import Context
from bot.chat.page import Page, Reader
from bot.chat.said import Said, plainly
from bot.schema import staff_group
from bot.staff import enrolment
from bot.staff.desk import StaffDesk
from bot.staff.enrolment import ANONYMOUS_ADMIN, AnonymousAdmin, Staff
from bot.staff.languages import first_language, group_language
from bot.staff.roles import Act, insist
from messages.words.refusal_words import refusal_text
from messages.words.texts import text
from voting.model import Poll
from voting.poll import polls
from voting.refusals import Refusal, StaffRefusal


class NotStaffGroup(StaffRefusal):
    """This group is not a staff group; write to me in private, or an officer sends /here first."""


@dataclass(slots=True)
class StaffVisit:
    """A request of `staff`; `words` follow the command, `reference` came with the button.

    `language_here` is the chat's: the person's own in private, else the staff group's.
    """

    bot: Bot
    desk: StaffDesk
    staff: Staff
    poll: Poll
    chat_id: int
    topic_id: int | None
    title: str
    language_here: str
    words: str
    message: Message | None
    query: CallbackQuery | None
    occasion: str
    reference: str = ""
    answered: bool = False

    @property
    def private(self) -> bool:
        """Whether nobody else reads this chat."""
        return self.chat_id == self.staff.user_id

    @property
    def user_id(self) -> int:
        """Give the Telegram user."""
        return self.staff.user_id

    @property
    def language(self) -> str:
        """Give the language of the person, for what they alone read."""
        return self.staff.language

    @property
    def page(self) -> Page:
        """Give what the words need in this chat."""
        return self._page(self.chat_id, self.language_here)

    @property
    def own_page(self) -> Page:
        """Give what the words need in the person's own chat."""
        return self._page(self.user_id, self.language)

    def _page(self, chat_id: int, language: str) -> Page:
        return Page(Reader.STAFF, self.poll, chat_id, language, self.desk.button_key, self.desk.now())

    async def say(self, said: Said) -> int:
        """Send a message where the request came from; return its id."""
        return await posting.send(self.bot, said, self.chat_id, topic_id=self.topic_id)

    async def say_privately(self, said: Said) -> int:
        """Send a message to the person alone, its buttons made with `own_page`; the group is told where to look."""
        message_id = await posting.send(self.bot, said, self.user_id)
        if not self.private:
            if self.query is not None:
                await self.toast(text("staff", "group.in_private", self.language))
            else:
                await self.say(Said(text("staff", "group.in_private", self.language_here)))
        return message_id

    async def replace(self, said: Said) -> None:
        """Put the answer in place of the message whose button was pressed; else send a new message."""
        if self.query is None or self.query.message is None:
            await self.say_privately(said)
            return
        try:
            await posting.edit(self.bot, said, self.chat_id, self.query.message.message_id)
        except BadRequest:
            await self.say_privately(said)

    async def say_photo(self, content: bytes, caption: str) -> None:
        """Send a picture where the request came from."""
        await posting.send_photo(self.bot, content, caption, self.chat_id, topic_id=self.topic_id)

    async def toast(self, words: str | None = None, *, alert: bool = False) -> None:
        """Answer a press with a line; of a press that Telegram has forgotten, the person reads it in their own chat."""
        if self.query is None or self.answered:
            return
        self.answered = True
        if not await posting.answer_press(self.bot, self.query.id, words, alert=alert) and words is not None:
            with suppress(Forbidden, BadRequest):  # who has blocked the bot cannot be told
                await posting.send(self.bot, plainly(words), self.user_id)

    async def refuse(self, refusal: Refusal) -> None:
        """Say what a rule does not allow: over the button that was pressed, or as an answer."""
        language = self.language_here if self.query is None else self.language
        words = refusal_text(refusal, language, self.poll.timezone)
        if self.query is not None:
            await self.toast(words, alert=True)
        else:
            await self.say(plainly(words))


Do = Callable[[StaffVisit], Awaitable[None]]
Callback = Callable[[Update, Context], Coroutine[Any, Any, None]]


def for_staff(desk: StaffDesk, act: Act, do: Do, *, any_group: bool = False) -> Callback:
    """Make a handler of a command: staff with the right role are served, everybody else is let through.

    In a group it has to be a staff group, unless `any_group`.
    """

    async def on_update(update: Update, context: Context) -> None:
        visiting = await visit_of(desk, update, context)
        if visiting is None:
            return
        try:
            if not any_group:
                await refuse_elsewhere(visiting)
            insist(visiting.staff.role, act)
            await do(visiting)
        except Refusal as refusal:
            await visiting.refuse(refusal)
        raise ApplicationHandlerStop

    return on_update


async def visit_of(desk: StaffDesk, update: Update, context: Context) -> StaffVisit | None:
    """Read who asks and where; None for who is not on the staff. NoPoll."""
    user, chat, message = update.effective_user, update.effective_chat, update.effective_message
    if user is None or chat is None:
        return None
    if user.id == ANONYMOUS_ADMIN:
        await _refuse_anonymous(desk, context, chat.id, message)
        raise ApplicationHandlerStop
    async with desk.house.database.reading() as connection:
        staff = await enrolment.find(connection, user.id)
        if staff is None:
            return None
        poll = await polls.load(connection)
        private = chat.id == user.id
        language_here = staff.language if private else await group_language(connection, chat.id, poll)
    topic_id = message.message_thread_id if message is not None and message.is_topic_message else None
    words = (message.text or "") if message is not None and update.callback_query is None else ""
    return StaffVisit(
        bot=context.bot,
        desk=desk,
        staff=staff,
        poll=poll,
        chat_id=chat.id,
        topic_id=topic_id,
        title=chat.title or "",
        language_here=language_here,
        words=words.partition(" ")[2].strip() if words.startswith("/") else words,
        message=message,
        query=update.callback_query,
        occasion=f"telegram:{update.update_id}",
    )


async def refuse_elsewhere(visiting: StaffVisit) -> None:
    """Go on only in private or in a staff group; NotStaffGroup."""
    if visiting.private:
        return
    wanted = (staff_group.c.chat_id == visiting.chat_id) & staff_group.c.removed_at.is_(None)
    async with visiting.desk.house.database.reading() as connection:
        if await connection.scalar(select(staff_group.c.chat_id).where(wanted)) is None:
            raise NotStaffGroup


async def _refuse_anonymous(desk: StaffDesk, context: Context, chat_id: int, message: Message | None) -> None:
    async with desk.house.database.reading() as connection:
        language = await first_language(connection, None)
    words = refusal_text(AnonymousAdmin(), language, "UTC")
    topic_id = message.message_thread_id if message is not None and message.is_topic_message else None
    await posting.send(context.bot, plainly(words), chat_id, topic_id=topic_id)
