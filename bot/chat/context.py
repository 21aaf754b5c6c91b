"""What a handler is given by python-telegram-bot: nothing of ours, for handlers are made with the desk they ask."""

from collections.abc import Sequence
from typing import Any

from telegram.ext import Application, BaseHandler, CallbackContext, ExtBot

_Nothing = dict[object, object]  # of what python-telegram-bot would remember: all that we remember is in the database

Context = CallbackContext[ExtBot[None], _Nothing, _Nothing, _Nothing]
BotApplication = Application[ExtBot[None], Context, _Nothing, _Nothing, _Nothing, None]
Handlers = Sequence[BaseHandler[Any, Context, Any]]  # as `Application.add_handlers` takes them, whatever each is for
