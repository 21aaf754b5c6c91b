"""One update of a private chat: who it is from, and how to answer so that nothing is a dead end.

An answer that cannot replace a message is sent as a new one; a person who has blocked the bot is noted, not retried;
every other failure is raised, and the inbox gives the update again.
"""

import json
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from telegram import (
    Bot,
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    LinkPreviewOptions,
    Message,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    Update,
    User,
)
from telegram.constants import ParseMode
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter

from bot.chat.context import Context
from bot.chat.said import Said
from bot.member.callers import Caller
from bot.member.desk import MemberDesk
from bot.member_chat.vote_words import Page
from messages.words.refusal_words import refusal_text
from messages.words.texts import fit_language
from voting.refusals import NoPoll, Refusal

UNCHANGED: Final = "not modified"  # of Telegram's description of a 400
NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True)


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
        return Page(caller.poll, caller.language, self.user.id, desk.button_key, caller.now)

    async def say(self, said: Said) -> int:
        """Send a message and give its id."""
        sent = await self.bot.send_message(
            self.user.id,
            said.html,
            parse_mode=ParseMode.HTML,
            reply_markup=_keyboard(said),
            link_preview_options=NO_PREVIEW,
            protect_content=said.secret or None,
        )
        return sent.message_id

    async def replace(self, said: Said) -> None:
        """Put the answer in place of the message whose button was pressed; send it where that cannot be."""
        if self.query is None or self.query.message is None:
            await self.say(said)
            return
        try:
            await self.bot.edit_message_text(
                said.html,
                chat_id=self.user.id,
                message_id=self.query.message.message_id,
                parse_mode=ParseMode.HTML,
                reply_markup=_inline(said),
                link_preview_options=NO_PREVIEW,
            )
        except BadRequest as refused:
            if UNCHANGED not in refused.message:
                await self.say(said)

    async def say_file(self, name: str, content: object, words: str) -> None:
        """Send `content` as a JSON document."""
        document = json.dumps(content, indent=1, ensure_ascii=False, default=str).encode()
        await self.bot.send_document(
            self.user.id, document, filename=name, caption=words, parse_mode=ParseMode.HTML, protect_content=True
        )

    async def delete(self) -> None:
        """Take the person's message out of the chat; one that is gone already is as good."""
        if self.message is not None:
            with suppress(BadRequest):
                await self.bot.delete_message(self.user.id, self.message.message_id)

    async def answer_press(self, words: str | None = None) -> None:
        """Stop the button's spinning, with a line to read if there is one; a press too old needs no answer."""
        if self.query is not None:
            with suppress(NetworkError, RetryAfter, Forbidden):
                await self.bot.answer_callback_query(self.query.id, words, show_alert=words is not None)

    async def refuse(self, refusal: Refusal) -> None:
        """Say what a rule does not allow; on a voting paper, in its place."""
        words = refusal_text(refusal, self.caller.language, self.caller.poll.timezone)
        said = Said(_escaped(words))
        if self.query is not None and (self.query.data or "").startswith("p"):
            await self.replace(said)
        else:
            await self.say(said)


Act = Callable[[Visit], Awaitable[None]]
Callback = Callable[[Update, Context], Coroutine[Any, Any, None]]


def visit(act: Act) -> Callback:
    """Make a handler of `act`: who asks is read first, a refusal is put into words last."""

    async def on_update(update: Update, context: Context) -> None:
        user = update.effective_user
        if user is None:
            return
        desk: MemberDesk = context.member_desk
        try:
            caller = await desk.receive(user.id, user.language_code)
        except NoPoll as refusal:
            words = refusal_text(refusal, fit_language(user.language_code), "UTC")
            with suppress(Forbidden):
                await context.bot.send_message(user.id, words)
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


def _keyboard(said: Said) -> InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove | None:
    if said.contact_key is not None:
        key = KeyboardButton(said.contact_key, request_contact=True)
        return ReplyKeyboardMarkup([[key]], resize_keyboard=True, one_time_keyboard=True)
    return ReplyKeyboardRemove() if said.removes_keys else _inline(said)


def _inline(said: Said) -> InlineKeyboardMarkup | None:
    if not said.rows:
        return None
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(label, callback_data=payload) for label, payload in row] for row in said.rows]
    )


def _escaped(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
