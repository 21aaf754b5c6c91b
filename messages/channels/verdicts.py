"""What a provider's error means for the message, the address and the broadcast: tables, read by both channels.

A channel never decides whether to send again. It says what happened (a Verdict); the postman acts.
"""

from enum import StrEnum
from typing import Final


class Verdict(StrEnum):
    """Why a message did not go, and so what to do."""

    BLOCKED = "blocked"  # the person blocked the bot: another channel
    DEAD = "dead"  # nobody is there any more
    OPTED_OUT = "opted_out"  # the person said STOP
    BAD_NUMBER = "bad_number"  # not a number that takes messages
    REFUSED = "refused"  # this message, for a reason of its own; the address may be fine
    LATER = "later"  # once more, later
    SLOW_DOWN = "slow_down"  # not processed: wait as long as it says, then send
    UNREACHABLE = "unreachable"  # no connection was made, so nothing was sent: send again soon
    OUR_SETUP = "our_setup"  # everybody would fail: pause the broadcast, tell staff, burn nothing
    MIGRATED = "migrated"  # the group has a new id: send there
    UNKNOWN = "unknown"  # it may have arrived


# The channel's state after a verdict about the address.
CHANNEL_STATE: Final = {
    Verdict.BLOCKED: "blocked",
    Verdict.DEAD: "dead",
    Verdict.BAD_NUMBER: "dead",
    Verdict.OPTED_OUT: "opted_out",
}

# Verdicts after which the same row is sent again.
AGAIN: Final = frozenset({Verdict.LATER, Verdict.SLOW_DOWN, Verdict.UNREACHABLE, Verdict.OUR_SETUP, Verdict.MIGRATED})


class SendFailed(Exception):  # noqa: N818 - STYLE's word for it
    """A message did not go, or may not have gone. `reason` is one word or the provider's code, for people and reports.

    `surprising`: no table knows this code; staff should hear of it.
    """

    def __init__(
        self,
        verdict: Verdict,
        reason: str,
        *,
        retry_after_seconds: float | None = None,
        migrate_to: str | None = None,
        surprising: bool = False,
    ) -> None:
        super().__init__(f"{verdict}: {reason}")
        self.verdict = verdict
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds
        self.migrate_to = migrate_to
        self.surprising = surprising


# https://www.twilio.com/docs/api/errors, by code; the meaning is the same in an answer and in a callback.
TWILIO: Final = {
    # the number
    21610: Verdict.OPTED_OUT,  # replied STOP
    21211: Verdict.BAD_NUMBER,  # not a phone number
    21614: Verdict.BAD_NUMBER,  # not a mobile number
    21612: Verdict.BAD_NUMBER,  # no route from this sender to this number
    30004: Verdict.BAD_NUMBER,  # message blocked by the number's owner or carrier
    30005: Verdict.BAD_NUMBER,  # unknown handset
    30006: Verdict.BAD_NUMBER,  # landline or unreachable carrier
    # our set-up
    20003: Verdict.OUR_SETUP,  # wrong credentials
    21408: Verdict.OUR_SETUP,  # this country is not switched on
    21606: Verdict.OUR_SETUP,  # this sender cannot send
    21704: Verdict.OUR_SETUP,  # the messaging service has no sender
    21617: Verdict.OUR_SETUP,  # the body is too long
    30002: Verdict.OUR_SETUP,  # account suspended
    30007: Verdict.OUR_SETUP,  # filtered as spam
    30034: Verdict.OUR_SETUP,  # sender not registered
    30450: Verdict.OUR_SETUP,  # account not allowed to
    # passing
    20429: Verdict.SLOW_DOWN,  # too many requests: not processed, always safe to send again
    30001: Verdict.LATER,  # queue overflow
    21611: Verdict.LATER,  # queue of this sender is full
    30003: Verdict.LATER,  # handset off or out of reach
    30008: Verdict.LATER,  # unknown error on the way
    30036: Verdict.LATER,  # validity period ran out; send_before decides whether it still makes sense
}

# core.telegram.org/bots/api gives descriptions, not codes: (begin of the description in lower case, verdict, reason).
TELEGRAM_FORBIDDEN: Final = (
    ("forbidden: bot was blocked by the user", Verdict.BLOCKED, "blocked"),
    ("forbidden: user is deactivated", Verdict.DEAD, "deactivated"),
    ("forbidden: bot can't initiate conversation", Verdict.DEAD, "never_started"),
    ("forbidden: bot was kicked", Verdict.DEAD, "kicked"),
)
TELEGRAM_BAD_REQUEST: Final = (
    ("chat not found", Verdict.DEAD, "chat_not_found"),
    ("user not found", Verdict.DEAD, "chat_not_found"),
    ("peer_id_invalid", Verdict.DEAD, "chat_not_found"),
    ("have no rights to send", Verdict.REFUSED, "no_rights"),
    ("not enough rights", Verdict.REFUSED, "no_rights"),
    ("can't parse entities", Verdict.OUR_SETUP, "markup"),
    ("message is too long", Verdict.OUR_SETUP, "too_long"),
    ("message text is empty", Verdict.OUR_SETUP, "empty"),
    ("button_", Verdict.OUR_SETUP, "button"),
)


def twilio_verdict(code: int | None, status: int | None = None) -> tuple[Verdict, bool]:
    """Give what a code means, and whether it surprised us; an unknown one is judged by its HTTP class.

    A 5xx may have been processed before it broke: it is not known whether the message went. In a callback
    (no HTTP status) an unknown code is a message that failed for a reason of its own.
    """
    if code in TWILIO:
        return TWILIO[code], False
    if status is None:
        return Verdict.REFUSED, code is not None
    if status == 429:  # noqa: PLR2004 - Too Many Requests
        return Verdict.SLOW_DOWN, False
    if status in (401, 403):
        return Verdict.OUR_SETUP, False
    if status >= 500:  # noqa: PLR2004 - server's fault
        return Verdict.UNKNOWN, False
    return Verdict.REFUSED, True
