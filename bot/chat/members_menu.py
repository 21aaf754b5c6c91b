"""The members' commands in the menu beside the text field."""

from typing import Final

from telegram import BotCommand

from messages.words.texts import text

COMMANDS: Final = ("start", "status", "vote", "verify", "missing", "language", "sms", "privacy", "help")


def members_menu(language: str) -> list[BotCommand]:
    """Give what a member can ask for."""
    return [BotCommand(name, text("words", f"command.{name}", language)) for name in COMMANDS]
