"""Mini Apps of the local Telegram: the menu button that opens one, and the address that a phone opens.

What stands behind "#" is made as Telegram documents it: "Initializing Mini Apps" and "Validating data received via
the Mini App", https://core.telegram.org/bots/webapps
"""

import base64
import hashlib
import hmac
import json
import secrets
from typing import Final
from urllib.parse import quote, urlencode

from bot.sandbox.telegram.keyboards import app_url
from bot.sandbox.telegram.model import Json, User
from bot.sandbox.telegram.params import Params
from bot.sandbox.telegram.world import TelegramWorld

VERSION: Final = "8.0"
LIGHT: Final = {"bg_color": "#ffffff", "text_color": "#000000", "button_color": "#2481cc"}
DARK: Final = {"bg_color": "#17212b", "text_color": "#f5f5f5", "button_color": "#5288c1"}
SIGNATURE_BYTES: Final = 64
COMMANDS: Final[Json] = {"type": "commands"}


def set_menu_button(world: TelegramWorld, params: Params) -> bool:
    """Set the button beside everybody's text field; that of one chat is not played."""
    button = params.tree("menu_button") or COMMANDS
    if button["type"] == "web_app":
        app_url(button["web_app"])
    world.menu_button = COMMANDS if button["type"] == "default" else button
    return True


def get_menu_button(world: TelegramWorld, _: Params) -> Json:
    """Return it."""
    return world.menu_button or COMMANDS


def opened(url: str, token: str, user: User, at: int, *, dark: bool = False) -> str:
    """Give the address that this person's phone opens at this second."""
    theme = json.dumps(DARK if dark else LIGHT)
    data = {
        "tgWebAppData": init_data(token, user, at),
        "tgWebAppVersion": VERSION,
        "tgWebAppPlatform": "web",
        "tgWebAppThemeParams": theme,
    }
    return f"{url}#{urlencode(data, quote_via=quote)}"


def init_data(token: str, user: User, at: int) -> str:
    """Write who opened a Mini App, and when, signed with the bot's token."""
    person = {"id": user.id, "first_name": user.first_name, "allows_write_to_pm": True}
    if user.language_code is not None:
        person["language_code"] = user.language_code
    facts = {
        "query_id": secrets.token_urlsafe(18),
        "user": json.dumps(person, separators=(",", ":"), ensure_ascii=False),
        "auth_date": str(at),
        # Telegram's own, for others than the bot. Nobody here can check it; the hash is over it all the same.
        "signature": base64.urlsafe_b64encode(secrets.token_bytes(SIGNATURE_BYTES)).decode().rstrip("="),
    }
    text = "\n".join(f"{name}={value}" for name, value in sorted(facts.items()))
    key = hmac.digest(b"WebAppData", token.encode(), hashlib.sha256)
    return urlencode(facts | {"hash": hmac.new(key, text.encode(), hashlib.sha256).hexdigest()}, quote_via=quote)
