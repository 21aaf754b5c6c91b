"""What a handler is given: python-telegram-bot's context with our desks on it."""

from typing import Any

from telegram.ext import Application, CallbackContext, ExtBot

from bot.member.desk import MemberDesk

MEMBER_DESK = "member_desk"
STAFF_DESK = "staff_desk"


class Context(CallbackContext[ExtBot[None], dict[Any, Any], dict[Any, Any], dict[Any, Any]]):
    """A handler's context."""

    @property
    def member_desk(self) -> MemberDesk:
        """Give the desk for members' requests."""
        desk: MemberDesk = self.application.bot_data[MEMBER_DESK]
        return desk

    @property
    def staff_desk(self) -> Any:  # noqa: ANN401 - the staff's desk is the staff's to name
        """Give the desk for staff's requests."""
        return self.application.bot_data[STAFF_DESK]


BotApplication = Application[ExtBot[None], Context, dict[Any, Any], dict[Any, Any], dict[Any, Any], Any]
