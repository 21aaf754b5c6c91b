"""One update of a private chat: who it is from, and how to answer so that nothing is a dead end.

An answer that cannot replace a message is sent as a new one; a person who has blocked the bot is noted, not retried;
every other failure is raised, and the inbox gives the update again.
"""

import json
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from telegram import Bot, CallbackQuery, Message, Update, User
from telegram.error import BadRequest, Forbidden

from bot.chat import posting
from bot.chat.context import RECEIVED_AT, Context
from bot.chat.page import Page, Reader
from bot.chat.said import Said, plainly
from bot.member.callers import Caller
from bot.member.desk import MemberDesk
from messages.words.refusal_words import refusal_text
from messages.words.texts import fit_language
from voting.refusals import NoPoll, Refusal


@dataclass(slots=True)
class Visit:
    """A member's update, with the desk that decides."""

    bot: Bot
    desk: MemberDesk
    user: User
    occasion: str  # names the update: a repetition of it is the same
    caller: Caller
    message: Message | None
    query: CallbackQuery | None

    @property
    def page(self) -> Page:
        """Give what the words need."""
        caller, desk = self.caller, self.desk
        reader, chat = Reader.MEMBER, self.user.id
        app_url = "" if caller.poll.ways.page is False else desk.app_url
        return Page(reader, caller.poll, chat, caller.language, desk.button_key, caller.now, app_url)

    async def say(self, said: Said) -> int:
        """Send a message and give its id."""
        return await posting.send(self.bot, said, self.user.id)

    async def replace(self, said: Said) -> None:
        """Put the answer in place of the message whose button was pressed; send it where that cannot be."""
        if self.query is None or self.query.message is None:
            await self.say(said)
            return
        try:
            await posting.edit(self.bot, said, self.user.id, self.query.message.message_id)
        except BadRequest:
            await self.say(said)

    async def say_file(self, name: str, content: object, words: str) -> None:
        """Send `content` as a JSON document."""
        document = json.dumps(content, indent=1, ensure_ascii=False, default=str).encode()
        await posting.send_file(self.bot, name, document, self.user.id, caption=words, secret=True)

    async def delete(self) -> None:
        """Take the person's message out of the chat; one that is gone already is no error."""
        if self.message is not None:
            with suppress(BadRequest):
                await posting.remove(self.bot, self.user.id, self.message.message_id)

    async def answer_press(self, words: str | None = None) -> None:
        """Stop the button's spinning, with a line to read if there is one; as a message if the press is forgotten."""
        if self.query is not None:
            shown = await posting.answer_press(self.bot, self.query.id, words, alert=words is not None)
            if not shown and words is not None:
                await self.say(plainly(words))

    async def refuse(self, refusal: Refusal) -> None:
        """Say what a rule does not allow; on a voting paper, in place of the paper."""
        words = refusal_text(refusal, self.caller.language, self.caller.poll.timezone)
        said = plainly(words)
        if self.query is not None and (self.query.data or "").startswith("p"):
            await self.replace(said)
        else:
            await self.say(said)


Act = Callable[[Visit], Awaitable[None]]
Callback = Callable[[Update, Context], Coroutine[Any, Any, None]]


def visit(desk: MemberDesk, act: Act) -> Callback:
    """Make a handler of `act`: who asks is read first, a refusal is put into words last."""

    async def on_update(update: Update, context: Context) -> None:
        user = update.effective_user
        if user is None:
            return
        try:
            caller = await desk.receive(user.id, user.language_code, RECEIVED_AT.get())
        except NoPoll as refusal:
            words = refusal_text(refusal, fit_language(user.language_code), "UTC")
            with suppress(Forbidden):
                await posting.send(context.bot, plainly(words), user.id)
            return
        message, query = update.effective_message, update.callback_query
        occasion = f"telegram:{update.update_id}"
        entered = Visit(context.bot, desk, user, occasion, caller, message, query)
        try:
            await _act(entered, act)
        except Forbidden:
            await desk.requests.set_blocked(user.id, blocked=True, now=caller.now)

    return on_update


async def _act(entered: Visit, act: Act) -> None:
    try:
        await act(entered)
    except Refusal as refusal:
        await entered.refuse(refusal)
