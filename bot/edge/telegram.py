"""python-telegram-bot, put together so that nothing is lost: our transport, our inbox, its handlers.

Its updater is left out (it confirms before it processes). An error in a handler is raised again from `process`, so
that the inbox row stays and is tried again; python-telegram-bot alone would log it and go on.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextvars import ContextVar
from typing import Any, Final

from telegram import Bot, Update
from telegram.error import BadRequest, NetworkError, RetryAfter
from telegram.ext import Application, ApplicationHandlerStop, ExtBot

from bot.chat.context import RECEIVED_AT, BotApplication, Context, Handlers
from bot.inbox.inbox import TRIES_MAX, Claimed, PutOff, Unreadable
from bot.settings import Settings
from messages.channels.telegram_answer import NotTelegram
from messages.channels.telegram_request import AiohttpRequest, NotSent, held_seconds
from messages.pace.pacer import Pacer

PUT_OFF_MOST_SECONDS: Final = 30.0
HELLO_TRIES_MAX: Final = 5
HELLO_WAIT_SECONDS: Final = 0.5  # doubled with each try
# What python-telegram-bot raises for an update that is not as the Bot API says.
_UNREADABLE: Final = (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError)
_WHICH_AND_WHERE: Final = ("message_id", "date", "chat", "message_thread_id", "is_topic_message")
_TROUBLE: ContextVar[list[BaseException] | None] = ContextVar("_TROUBLE", default=None)


def make_bot(settings: Settings, pacer: Pacer) -> ExtBot[None]:
    """Make the bot: calls that count against the limit keep the pace, long polling does not."""
    assert settings.telegram_token is not None
    return ExtBot(
        settings.telegram_token.get_secret_value(),
        base_url=f"{settings.telegram_api_url}/bot",
        base_file_url=f"{settings.telegram_api_url}/file/bot",
        request=AiohttpRequest(pacer),
        get_updates_request=AiohttpRequest(),
    )


def make_application(bot: ExtBot[None], handlers: Handlers, *, before: Handlers = ()) -> BotApplication:
    """Make the application that gives updates to handlers, the first that fits.

    Those of `before` are asked first; they stop an update with ApplicationHandlerStop or let it through.
    """
    application: BotApplication = Application.builder().bot(bot).updater(None).job_queue(None).build()
    application.add_handlers({-1: list(before), 0: list(handlers)})
    application.add_error_handler(_keep)
    return application


async def process(application: BotApplication, row: Claimed) -> None:
    """Handle one update; what a handler raised is raised here. Unreadable, PutOff."""
    try:
        update = Update.de_json(asked_for(row.payload), application.bot)
    except _UNREADABLE as problem:
        raise Unreadable(type(problem).__name__) from None
    trouble: list[BaseException] = []
    token, received = _TROUBLE.set(trouble), RECEIVED_AT.set(row.received_at)
    try:
        await application.process_update(update)
    finally:
        _TROUBLE.reset(token)
        RECEIVED_AT.reset(received)
    if trouble:
        raise _judged(trouble[0], row.tries)


def asked_for(update: dict[str, Any]) -> dict[str, Any]:
    """Leave out what no handler asks for, and what costs most to make objects of: it was said by us.

    Of the message under a button that was pressed a handler asks which it is and where, of a message that somebody
    answers nothing. https://core.telegram.org/bots/api#callbackquery
    """
    press, message = update.get("callback_query"), update.get("message")
    if isinstance(press, dict) and isinstance(pressed := press.get("message"), dict):
        which = {name: pressed[name] for name in _WHICH_AND_WHERE if name in pressed}
        return update | {"callback_query": press | {"message": which}}
    if isinstance(message, dict) and "reply_to_message" in message:
        return update | {"message": {name: part for name, part in message.items() if name != "reply_to_message"}}
    return update


def _judged(problem: BaseException, tries: int) -> BaseException:
    """Give PutOff when the update is not at fault: Telegram asks us to wait, or was not reached."""
    if isinstance(problem, RetryAfter):
        return PutOff(held_seconds(problem))
    if isinstance(problem, NotSent) or (isinstance(problem, NotTelegram) and not problem.passed_on):
        return PutOff(min(2.0**tries, PUT_OFF_MOST_SECONDS))
    if isinstance(problem, NetworkError) and not isinstance(problem, BadRequest):
        return PutOff(2.0**tries, tries_max=TRIES_MAX)
    return problem


async def _keep(_update: object, context: Context) -> None:
    trouble = _TROUBLE.get()
    if trouble is not None and context.error is not None:
        trouble.append(context.error)
        raise ApplicationHandlerStop  # what failed half-way is tried again, not given to the next handler


async def patiently(call: Callable[[], Awaitable[object]]) -> None:
    """Make a call of the start again if its answer is lost; after HELLO_TRIES_MAX tries the failure is raised."""
    for tries in range(HELLO_TRIES_MAX):
        try:
            await call()
        except (NetworkError, RetryAfter) as problem:
            if isinstance(problem, BadRequest) or tries + 1 == HELLO_TRIES_MAX:
                raise
            await asyncio.sleep(HELLO_WAIT_SECONDS * 2**tries)
        else:
            return


def polling_request(bot: Bot) -> AiohttpRequest:
    """Give the bot's transport for getUpdates, which its own method would read before we can keep it."""
    request = bot._request[0]  # noqa: SLF001 - python-telegram-bot names only the other one of the pair
    assert isinstance(request, AiohttpRequest)
    return request


def webhook_url(public_url: str) -> str:
    """Give where Telegram is to send updates."""
    return f"{public_url}/telegram/webhook"


async def register_webhook(bot: Bot, public_url: str, secret: str, kinds: Iterable[str]) -> None:
    """Tell Telegram where to send updates, signed with `secret`."""
    await bot.set_webhook(webhook_url(public_url), secret_token=secret, allowed_updates=list(kinds), max_connections=40)


async def forget_webhook(bot: Bot) -> None:
    """Let updates be polled again; waiting ones are kept."""
    await bot.delete_webhook(drop_pending_updates=False)
