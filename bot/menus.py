"""The menu of commands beside the text field, in each language."""

from collections.abc import Iterable
from typing import Final

from telegram import Bot, BotCommand, BotCommandScopeAllPrivateChats

from messages.texts import fit_language, text

COMMANDS: Final = ("start", "status", "vote", "verify", "missing", "language", "sms", "privacy", "help")


async def publish(bot: Bot, languages: Iterable[str]) -> None:
    """Tell Telegram the members' commands: the first language for everybody, each for its own speakers."""
    tags = [fit_language(tag) for tag in languages]
    await bot.set_my_commands(_menu(tags[0]), scope=BotCommandScopeAllPrivateChats())
    for tag in tags:
        # Telegram knows two-letter codes here: https://core.telegram.org/bots/api#setmycommands
        await bot.set_my_commands(
            _menu(tag), scope=BotCommandScopeAllPrivateChats(), language_code=tag.partition("-")[0]
        )


def _menu(language: str) -> list[BotCommand]:
    return [BotCommand(name, text("words", f"command.{name}", language)) for name in COMMANDS]
