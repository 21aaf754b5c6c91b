"""What a delivery becomes after an attempt to send it: pure rules, one Settlement each.

answer          the row becomes              and
sent            sent
blocked, dead   failed                       the channel is off; Telegram falls back to SMS
refused         failed
later           ready in a while, once       failed the second time
slow down       ready                        the pacer holds the provider, or the one chat
exhausted       ready                        the pacer holds until tomorrow, staff told
unreachable     ready                        the line waits a little
on the way      ready, behind the others     after a few the notice is paused, staff told
our set-up      ready, behind the others     the notice is paused, staff told; alone: again in a while
doubtful        failed                       after several: as our set-up, and these rows are ready again
migrated        ready, to the new address
unknown         unknown                      resolved by asking (SMS) or by the notice's policy (Telegram)
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from messages.channels.channels import Sent
from messages.channels.verdicts import CHANNEL_STATE, SendFailed, Verdict
from messages.reach import SMS

LATER_AFTER: Final = timedelta(minutes=30)
TRIES_MAX: Final = 2  # of a message its receiver could not take; the second time it has failed
RESENDS_MAX: Final = 5  # of a message that may have arrived and may be sent again; each time behind the others
MOMENT: Final = timedelta(0)
SETUP_AFTER: Final = timedelta(seconds=30)  # until a message to one person is tried again with our set-up wrong
EXHAUSTED_FOR: Final = timedelta(hours=24)  # Twilio 63038: the limit counts a rolling 24 hours
RESOLVE_AFTER: Final = timedelta(seconds=30)  # a provider needs a moment to list what it was just handed
SILENT_AFTER: Final = timedelta(minutes=10)  # a text message without a final callback is asked for


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row that this process may send until its lease ends; `fence` proves that nobody claimed it since."""

    id: int
    fence: int
    channel: str
    address: str
    language: str
    purpose: str
    facts: dict[str, Any] | None
    lane: int
    segments: int
    tries: int
    notice_id: int | None
    member_id: int | None
    send_before: datetime | None
    on_unknown: str = "resend"  # of the notice; a message to one person is rather told twice than not


@dataclass(frozen=True, slots=True)
class Settlement:
    """What to write on a row that still has this fence; None leaves a column as it is."""

    claimed: Claimed
    state: str
    reason: str | None = None
    provider_id: str | None = None
    not_before: datetime | None = None
    ask_at: datetime | None = None  # when the provider is asked what became of it
    address: str | None = None
    tries: int = 0  # to add
    failure: SendFailed | None = None

    @property
    def channel_state(self) -> str | None:
        """The state of the member's channel that follows."""
        return CHANNEL_STATE.get(self.failure.verdict) if self.failure else None


def after_sent(claimed: Claimed, sent: Sent, now: datetime) -> Settlement:
    """Say what becomes of a row the provider took."""
    ask_at = now + SILENT_AFTER if claimed.channel == SMS else None
    return Settlement(claimed, "sent", provider_id=sent.provider_id, ask_at=ask_at)


def after_no_slot(claimed: Claimed) -> Settlement:
    """Put a row back into the queue: nothing was sent."""
    return Settlement(claimed, "ready")


def after_failure(claimed: Claimed, failure: SendFailed, now: datetime) -> Settlement:
    """Say what becomes of a row whose sending failed; see the table above."""
    match failure.verdict:
        case Verdict.LATER if claimed.tries + 1 < TRIES_MAX:
            changes: dict[str, Any] = {"state": "ready", "not_before": now + LATER_AFTER, "tries": 1}
        case Verdict.SLOW_DOWN if failure.obeyed:
            changes = {"state": "ready", "not_before": now + timedelta(seconds=failure.retry_after_seconds or 0)}
        case Verdict.SLOW_DOWN | Verdict.UNREACHABLE:
            changes = {"state": "ready"}
        case Verdict.EXHAUSTED:
            changes = {"state": "ready", "not_before": now}
        case Verdict.OUR_SETUP | Verdict.ON_THE_WAY:  # of a notice: behind the others, which it must not hold up
            changes = {"state": "ready", "not_before": now + (SETUP_AFTER if claimed.notice_id is None else MOMENT)}
        case Verdict.MIGRATED:
            changes = {"state": "ready", "address": failure.migrate_to}
        case Verdict.UNKNOWN:
            return after_unknown(claimed, failure, now)
        case _:
            changes = {"state": "failed"}
    return Settlement(claimed, reason=failure.reason, failure=failure, **changes)


def after_unknown(claimed: Claimed, failure: SendFailed, now: datetime) -> Settlement:
    """Keep a row that may have arrived: Twilio can be asked; at Telegram the notice's policy decides."""
    reason = failure.reason
    if claimed.channel == SMS:
        return Settlement(claimed, "unknown", reason, ask_at=now + RESOLVE_AFTER, failure=failure)
    if claimed.on_unknown == "resend" and claimed.tries + 1 < RESENDS_MAX:
        return Settlement(claimed, "ready", reason, not_before=now, tries=1, failure=failure)
    return Settlement(claimed, "unknown", reason, failure=failure)


def after_not_found(claimed: Claimed, now: datetime) -> Settlement:
    """Queue a row again: the provider was asked and does not know it, so it never arrived there."""
    if claimed.tries + 1 < RESENDS_MAX:
        return Settlement(claimed, "ready", "not_found", not_before=now, tries=1)
    return Settlement(claimed, "failed", "not_found")
