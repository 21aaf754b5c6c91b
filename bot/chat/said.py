"""One message in a chat, ready to be sent: words, buttons, and whether it may be passed on."""

import html
from dataclasses import dataclass

from messages.channels.channels import Buttons


@dataclass(frozen=True, slots=True)
class Said:
    """`html` with inline `rows` of (label, payload), or with one key that shares the person's number.

    `secret`: shown and deleted as Telegram allows for what must not be forwarded.
    """

    html: str
    rows: Buttons = ()
    contact_key: str | None = None
    removes_keys: bool = False
    secret: bool = False


def plainly(words: str) -> Said:
    """Say words that are no HTML, such as a refusal's sentence."""
    return Said(html.escape(words, quote=False))
