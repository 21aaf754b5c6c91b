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
    DOUBTFUL = "doubtful"  # this recipient's when alone; our set-up when several fail so within a few messages
    ON_THE_WAY = "on_the_way"  # something between us and the provider refused it, so nothing was sent
    EXHAUSTED = "exhausted"  # the account's limit of the day: everything waits until tomorrow
    MIGRATED = "migrated"  # the group has a new id: send there
    UNKNOWN = "unknown"  # it may have arrived


# The channel's state after a verdict about the address.
CHANNEL_STATE: Final = {
    Verdict.BLOCKED: "blocked",
    Verdict.DEAD: "dead",
    Verdict.BAD_NUMBER: "dead",
    Verdict.OPTED_OUT: "opted_out",
}


UNCLEAR: Final = "unclear_answer"  # the reason of an answer that is not the provider's


class SendFailed(Exception):  # noqa: N818 - STYLE's word for it
    """A message did not go, or may not have gone. `reason` is one word or the provider's code, for people and reports.

    `surprising`: no table knows this code; staff should hear of it. `obeyed`: the transport keeps to
    `retry_after_seconds` itself, for the one chat or for all.
    """

    def __init__(
        self,
        verdict: Verdict,
        reason: str,
        *,
        retry_after_seconds: float | None = None,
        migrate_to: str | None = None,
        surprising: bool = False,
        obeyed: bool = False,
    ) -> None:
        super().__init__(f"{verdict}: {reason}")
        self.verdict = verdict
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds
        self.migrate_to = migrate_to
        self.surprising = surprising
        self.obeyed = obeyed


# Twilio's Error and Warning Dictionary (https://www.twilio.com/docs/api/errors), read in 2026; by code, the same in an
# answer and in a callback. A code that is not here is DOUBTFUL: how many fail so says what it is.
TWILIO: Final = {
    # the number
    21610: Verdict.OPTED_OUT,  # replied STOP
    21211: Verdict.BAD_NUMBER,  # not a phone number
    21268: Verdict.BAD_NUMBER,  # a premium-rate or information number
    21612: Verdict.BAD_NUMBER,  # no route from this sender to this number
    21614: Verdict.BAD_NUMBER,  # not a mobile number
    21635: Verdict.BAD_NUMBER,  # a landline
    30004: Verdict.BAD_NUMBER,  # message blocked by the number's owner or carrier
    30005: Verdict.BAD_NUMBER,  # unknown handset
    30006: Verdict.BAD_NUMBER,  # landline or unreachable carrier
    # our set-up
    20003: Verdict.OUR_SETUP,  # wrong credentials
    20404: Verdict.OUR_SETUP,  # no such account or sender
    21606: Verdict.OUR_SETUP,  # this sender cannot send
    21617: Verdict.OUR_SETUP,  # the body is too long
    21659: Verdict.OUR_SETUP,  # this sender is not a number of Twilio's, or not for this country
    21660: Verdict.OUR_SETUP,  # this sender is another account's
    21704: Verdict.OUR_SETUP,  # the messaging service has no sender
    30002: Verdict.OUR_SETUP,  # account suspended
    30450: Verdict.OUR_SETUP,  # account not allowed to
    # one recipient's or our set-up
    21408: Verdict.DOUBTFUL,  # this country is not switched on
    30007: Verdict.DOUBTFUL,  # filtered as spam
    30034: Verdict.DOUBTFUL,  # sender not registered
    # passing
    20429: Verdict.SLOW_DOWN,  # too many requests: not processed, always safe to send again
    21611: Verdict.LATER,  # queue of this sender is full
    21730: Verdict.LATER,  # maintenance at Twilio's
    30001: Verdict.LATER,  # queue overflow
    30003: Verdict.LATER,  # handset off or out of reach
    30008: Verdict.LATER,  # unknown error on the way
    30022: Verdict.LATER,  # faster than a carrier takes
    30036: Verdict.LATER,  # validity period ran out; send_before decides whether it still makes sense
    30410: Verdict.LATER,  # a carrier did not answer in time
    # until tomorrow
    30454: Verdict.EXHAUSTED,  # a trial account's limit
    63038: Verdict.EXHAUSTED,  # the account's limit in a rolling 24 hours; comes with HTTP 429
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
    """Give what a code means, and whether it surprised us; an unknown one is DOUBTFUL unless its HTTP class says more.

    A 5xx may have been processed before it broke: it is not known whether the message went. A callback (no HTTP
    status) without a code is a message that failed for a reason of its own.
    """
    if code in TWILIO:
        return TWILIO[code], False
    if status == 429:  # noqa: PLR2004 - Too Many Requests
        return Verdict.SLOW_DOWN, False
    if status is not None and status >= 500:  # noqa: PLR2004 - server's fault
        return Verdict.UNKNOWN, False
    if status is None and code is None:
        return Verdict.REFUSED, False
    return Verdict.DOUBTFUL, True
