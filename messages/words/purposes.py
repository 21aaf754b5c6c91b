"""Which words a transactional message has: purpose -> key in the catalogue. What is not here has a renderer."""

from collections.abc import Mapping
from typing import Any, Final

DOMAIN: Final = "notices"
LITERAL: Final = "literal"  # a purpose whose facts are the words themselves

# Texts that end with a link to the bot: each has a shorter one for where there is no bot.
POINT_TO_BOT: Final = frozenset(
    {
        "sms.pack_delayed",
        "sms.rule_changed",
        "sms.reminder",
        "sms.closing_soon",
        "sms.status.not_dispatched",
        "sms.status.dispatched",
        "sms.status.delivered",
    }
)

# Of these, texts that call to vote: they point to the voting page where there is one, else to the bot.
POINT_TO_PAGE: Final = frozenset({"sms.reminder", "sms.closing_soon"})

# Answers by text that name the voting page too, where there is one and the text stays short enough.
NAME_PAGE: Final = frozenset(
    {"sms.status.dispatched", "sms.status.delivered", "sms.status.shared", "sms.status.unknown_number", "sms.help"}
)

# purpose -> key by channel; the facts planned with the message fill the words
PURPOSES: Final = {
    "link_code": {"sms": "sms.link_code"},
    **{
        f"sms.{name}": {"sms": f"sms.{name}"}
        for name in (
            "status.not_dispatched",
            "status.dispatched",
            "status.delivered",
            "status.returned",
            "status.voted",
            "status.closed",
            "status.not_eligible",
            "status.shared",
            "status.unknown_number",
            "stop_confirmed",
            "start_confirmed",
            "help",
            "unknown",
        )
    },
}


def fitting(key: str, facts: Mapping[str, Any]) -> str:
    """Give the key of the words that fit: a text points to the bot or the page only where there is one."""
    if key in POINT_TO_PAGE and facts.get("page_url"):
        return key
    return f"{key}.no_bot" if key in POINT_TO_BOT and not facts.get("bot_url") else key
