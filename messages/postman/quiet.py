"""Quiet hours: when a text message would wake people. Local times of the poll's zone, whatever the clocks do."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

from voting.model import SmsRules


def is_quiet(now: datetime, rules: SmsRules, timezone: str) -> bool:
    """Whether text messages wait now. `quiet_from` belongs to the quiet, `quiet_until` no more; equal times: never."""
    local = now.astimezone(ZoneInfo(timezone)).time()
    begin, end = time.fromisoformat(rules.quiet_from), time.fromisoformat(rules.quiet_until)
    if begin <= end:
        return begin <= local < end
    return local >= begin or local < end
