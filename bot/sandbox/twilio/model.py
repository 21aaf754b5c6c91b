"""The nouns of the local Twilio: one text, and where it stands."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Final
from uuid import uuid4

from bot.sandbox.twilio.sms_segments import segments

Json = dict[str, Any]
API_VERSION: Final = "2010-04-01"
FINAL: Final = frozenset({"delivered", "undelivered", "failed", "canceled", "received"})


def new_sid(prefix: str) -> str:
    """Return a SID: two letters and 32 hexadecimal digits."""
    return prefix + uuid4().hex


@dataclass(slots=True, kw_only=True, eq=False)
class Sms:
    """One text. `status` and `error_code` move on; the rest stays (a redaction empties the body)."""

    to: str
    from_: str
    body: str
    status: str = "queued"
    direction: str = "outbound-api"
    sid: str = field(default_factory=lambda: new_sid("SM"))
    error_code: int | None = None
    status_callback: str | None = None
    service_sid: str | None = None
    validity_seconds: int | None = None
    segments: int = 1
    date: datetime = field(default_factory=lambda: datetime.now(UTC))
    sent_at: datetime | None = None
    updated_at: datetime | None = None

    def __post_init__(self) -> None:
        self.segments = segments(self.body)

    @property
    def outgoing(self) -> bool:
        """Whether the bot sent it."""
        return self.direction != "inbound"

    def move(self, status: str, error_code: int | None = None) -> None:
        """Reach a status."""
        self.status = status
        self.error_code = error_code
        self.updated_at = datetime.now(UTC)
        if self.sent_at is None and status in ("sent", "delivered", "undelivered"):
            self.sent_at = self.updated_at

    def as_json(self, account_sid: str) -> Json:
        """As the API shows it."""
        uri = f"/{API_VERSION}/Accounts/{account_sid}/Messages/{self.sid}"
        return {
            "sid": self.sid,
            "account_sid": account_sid,
            "messaging_service_sid": self.service_sid,
            "to": self.to,
            "from": self.from_,
            "body": self.body,
            "status": self.status,
            "num_segments": str(self.segments),
            "num_media": "0",
            "direction": self.direction,
            "api_version": API_VERSION,
            "price": None,
            "price_unit": "USD",
            "error_code": self.error_code,
            "error_message": None,
            "date_created": _rfc2822(self.date),
            "date_updated": _rfc2822(self.updated_at or self.date),
            "date_sent": _rfc2822(self.sent_at),
            "uri": f"{uri}.json",
            "subresource_uris": {"media": f"{uri}/Media.json"},
        }


def _rfc2822(moment: datetime | None) -> str | None:
    return None if moment is None else format_datetime(moment)
