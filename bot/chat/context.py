"""What a handler is given by python-telegram-bot, and when its update was received. A handler is made with its desk."""

from collections.abc import Sequence
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from telegram.ext import Application, BaseHandler, CallbackContext, ExtBot

_Nothing = dict[object, object]  # of what python-telegram-bot would remember: all that we remember is in the database

Context = CallbackContext[ExtBot[None], _Nothing, _Nothing, _Nothing]
BotApplication = Application[ExtBot[None], Context, _Nothing, _Nothing, _Nothing, None]
Handlers = Sequence[BaseHandler[Any, Context, Any]]  # as `Application.add_handlers` takes them, whatever each is for

# When the update that is being handled was stored: what a person does counts from then, however late it is handled.
RECEIVED_AT: ContextVar[datetime | None] = ContextVar("RECEIVED_AT", default=None)
