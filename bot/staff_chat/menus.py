"""The menu of commands beside the text field: members' in each language, staff's by what their role can do."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    MenuButtonDefault,
    MenuButtonWebApp,
    WebAppInfo,
)
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter

from bot.chat.members_menu import members_menu
from bot.staff import enrolment
from bot.staff.roles import Role, may
from bot.staff_chat.words import COMMANDS as STAFF_COMMANDS
from messages.words.texts import fit_language, text
from voting.store.database import Database

ONLY_IN_GROUPS: Final = frozenset({"here"})

Menu = tuple[Role, str]  # whose it is, and in which language


async def publish(bot: Bot, languages: Iterable[str]) -> None:
    """Tell Telegram the members' commands: the first language for everybody, each for its own speakers."""
    tags = [fit_language(tag) for tag in languages]
    await bot.set_my_commands(members_menu(tags[0]), scope=BotCommandScopeAllPrivateChats())
    for tag in tags:
        # Telegram knows two-letter codes here: https://core.telegram.org/bots/api#setmycommands
        await bot.set_my_commands(
            members_menu(tag), scope=BotCommandScopeAllPrivateChats(), language_code=tag.partition("-")[0]
        )


async def publish_page(bot: Bot, language: str, app_url: str) -> None:
    """Let the button beside the text field open the voting page; without an address, take back what did so."""
    if app_url:
        label = text("member", "button.page_menu", fit_language(language))
        await bot.set_chat_menu_button(menu_button=MenuButtonWebApp(label, WebAppInfo(app_url)))
    elif isinstance(await bot.get_chat_menu_button(), MenuButtonWebApp):
        await bot.set_chat_menu_button(menu_button=MenuButtonDefault())


@dataclass
class StaffMenus:
    """Keeps the menu in the private chat of everybody on the staff, and takes it away from who was removed.

    People are enrolled and removed in other processes too, so the staff's table is what is followed. Nothing is
    remembered over a restart: then every menu is set once more, which also brings a new version's commands.
    """

    bot: Bot
    database: Database
    _shown: dict[int, Menu | None] = field(default_factory=dict)

    async def refresh(self) -> None:
        """Set what changed since the last time; what Telegram does not take now is tried at the next."""
        async with self.database.reading() as connection:
            roles = await enrolment.menu_roles(connection)
        for user_id, menu in roles.items():
            if user_id in self._shown and self._shown[user_id] == menu:
                continue
            try:
                await self._show(user_id, menu)
            except (BadRequest, Forbidden):
                pass  # a chat that is gone has no menu to mend
            except (NetworkError, RetryAfter):
                return
            self._shown[user_id] = menu

    async def _show(self, user_id: int, menu: Menu | None) -> None:
        scope = BotCommandScopeChat(user_id)
        if menu is None:
            await self.bot.delete_my_commands(scope=scope)
        else:
            await self.bot.set_my_commands(staff_menu(*menu), scope=scope)


def staff_menu(role: Role, language: str) -> list[BotCommand]:
    """Give what somebody of this role can ask for in private; staff are often members, so theirs follows."""
    names = ["staff", *(name for name, act in STAFF_COMMANDS.items() if may(role, act) and name not in ONLY_IN_GROUPS)]
    return [*(BotCommand(name, text("staff", f"help.{name}", language)) for name in names), *members_menu(language)]
