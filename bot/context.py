"""What a handler is given: python-telegram-bot's context with our desks on it."""

from typing import Any

from telegram.ext import Application, CallbackContext, ExtBot

MEMBER_DESK = "member_desk"
STAFF_DESK = "staff_desk"


class Context(CallbackContext[ExtBot[None], dict[Any, Any], dict[Any, Any], dict[Any, Any]]):
    """A handler's context."""

    @property
    def member_desk(self) -> Any:  # noqa: ANN401 - the desk imports handlers' types, not the other way round
        """Give the desk for members' requests."""
        return self.application.bot_data[MEMBER_DESK]

    @property
    def staff_desk(self) -> Any:  # noqa: ANN401 - as above
        """Give the desk for staff's requests."""
        return self.application.bot_data[STAFF_DESK]


BotApplication = Application[ExtBot[None], Context, dict[Any, Any], dict[Any, Any], dict[Any, Any], Any]
