"""python-telegram-bot, put together so that nothing is lost: our transport, our inbox, its handlers.

Its updater is left out (it confirms before it processes). An error in a handler is raised again from `process`, so
that the inbox row stays and is tried again; python-telegram-bot alone would log it and go on.
"""

from collections.abc import Iterable
from contextvars import ContextVar
from typing import Final

from telegram import Bot, Update
from telegram.ext import Application, ApplicationHandlerStop, ExtBot

from bot.chat.context import BotApplication, Context, Handlers
from bot.inbox.inbox import Claimed
from bot.settings import Settings
from messages.channels.telegram_request import AiohttpRequest
from messages.pace.pacer import Pacer

POLL_READ_SECONDS: Final = 40.0
_TROUBLE: ContextVar[list[BaseException] | None] = ContextVar("_TROUBLE", default=None)


def make_bot(settings: Settings, pacer: Pacer) -> ExtBot[None]:
    """Make the bot: calls that count against the limit keep the pace, long polling does not."""
    assert settings.telegram_token is not None
    return ExtBot(
        settings.telegram_token.get_secret_value(),
        base_url=f"{settings.telegram_api_url}/bot",
        base_file_url=f"{settings.telegram_api_url}/file/bot",
        request=AiohttpRequest(pacer),
        get_updates_request=AiohttpRequest(read_timeout_seconds=POLL_READ_SECONDS),
    )


def make_application(bot: ExtBot[None], handlers: Handlers, *, before: Handlers = ()) -> BotApplication:
    """Make the application that gives updates to handlers, the first that fits.

    Those of `before` are asked first, and end an update's way with ApplicationHandlerStop or let it through.
    """
    application: BotApplication = Application.builder().bot(bot).updater(None).job_queue(None).build()
    application.add_handlers({-1: list(before), 0: list(handlers)})
    application.add_error_handler(_keep)
    return application


async def process(application: BotApplication, row: Claimed) -> None:
    """Handle one update; what a handler raised is raised here."""
    update = Update.de_json(row.payload, application.bot)
    trouble: list[BaseException] = []
    token = _TROUBLE.set(trouble)
    try:
        await application.process_update(update)
    finally:
        _TROUBLE.reset(token)
    if trouble:
        raise trouble[0]


async def _keep(_update: object, context: Context) -> None:
    trouble = _TROUBLE.get()
    if trouble is not None and context.error is not None:
        trouble.append(context.error)
        raise ApplicationHandlerStop  # what failed half-way is tried again, not given to the next handler


async def register_webhook(bot: Bot, public_url: str, secret: str, kinds: Iterable[str]) -> None:
    """Tell Telegram where to send updates, signed with `secret`."""
    await bot.set_webhook(
        f"{public_url}/telegram/webhook", secret_token=secret, allowed_updates=list(kinds), max_connections=40
    )


async def forget_webhook(bot: Bot) -> None:
    """Let updates be polled again; waiting ones are kept."""
    await bot.delete_webhook(drop_pending_updates=False)
