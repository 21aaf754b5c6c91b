"""What Telegram signed for a Mini App: who opened it, and when. A wrong, old or foreign one is refused.

"Validating data received via the Mini App", https://core.telegram.org/bots/webapps
"""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl

from bot.page.refusals import InitDataWrong

LIFE: Final = timedelta(days=1)  # a page may stay open for long; a stolen one is of no use for ever
AHEAD_MAX: Final = timedelta(minutes=5)  # of Telegram's clock before ours
BYTES_MAX: Final = 4_096


def read_init_data(written: str, token: str, now: datetime) -> int:
    """Give the number of the account that opened the Mini App of the bot with this token; InitDataWrong."""
    if len(written) > BYTES_MAX:
        raise InitDataWrong
    pairs = parse_qsl(written, keep_blank_values=True)
    fields = dict(pairs)
    given = fields.pop("hash", "")
    signed = "\n".join(f"{name}={value}" for name, value in sorted(fields.items()))
    key = hmac.digest(b"WebAppData", token.encode(), hashlib.sha256)
    right = hmac.new(key, signed.encode(), hashlib.sha256).hexdigest()
    if len(pairs) != len(fields) + 1 or not hmac.compare_digest(given.encode(), right.encode()):
        raise InitDataWrong
    try:
        opened_at = datetime.fromtimestamp(int(fields["auth_date"]), UTC)
        user_id = json.loads(fields["user"])["id"]
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        raise InitDataWrong from None
    if not isinstance(user_id, int) or not -AHEAD_MAX <= now - opened_at <= LIFE:
        raise InitDataWrong
    return user_id
