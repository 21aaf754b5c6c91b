"""The menu of commands in one member's chat, once its language may be another than the app's."""

from contextlib import suppress

from telegram import BotCommandScopeChat
from telegram.error import TelegramError

from bot.chat.members_menu import members_menu
from bot.member_chat.visit import Visit


async def show_menu(visit: Visit) -> None:
    """Show the commands in the chat's language; who is on the staff has a menu of their own, kept elsewhere."""
    if await visit.desk.requests.is_staff(visit.user.id):
        return
    menu = members_menu(visit.caller.language)
    with suppress(TelegramError):  # what is said is in the new language all the same
        await visit.bot.set_my_commands(menu, scope=BotCommandScopeChat(visit.user.id))
