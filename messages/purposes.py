"""Which words a transactional message has: purpose -> key in the catalogue. What is not here has a renderer."""

from typing import Final

DOMAIN: Final = "notices"

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
