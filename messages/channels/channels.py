"""What the postman asks of a provider: one message out, and an answer or a verdict. One file per provider does it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

Buttons = tuple[tuple[tuple[str, str], ...], ...]  # rows of (label, callback data, https URL or Mini App)
MINI_APP: Final = "app "  # before the URL of a page that Telegram opens inside itself


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message, in words. Telegram sends `html` where there is one, SMS always `text`."""

    address: str
    text: str
    html: str | None = None
    language: str = "en-GB"
    buttons: Buttons = ()
    delivery_id: int | None = None  # with `fence`, for the provider to say back
    fence: int = 0
    send_before: datetime | None = None
    topic_id: int | None = None  # of a staff group


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider took it and calls it `provider_id`."""

    provider_id: str


class Channel(Protocol):
    """One provider. It turns a message into a request and an answer into Sent or SendFailed; it never sends again."""

    kind: str

    async def send(self, outgoing: Outgoing) -> Sent:
        """Send once; SendFailed with a verdict if it did not go, or may not have gone."""
        ...


# Words for purposes that this floor does not know, such as alerts with buttons: (purpose's facts, language) -> message;
# the postman adds address and ids.
Renderer = Callable[[Mapping[str, Any], str], Outgoing]
