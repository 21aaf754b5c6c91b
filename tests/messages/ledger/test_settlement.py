"""What a row becomes after an attempt: every line of the table in settlement.py, for a notice and for one person."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from ballot_town import NOW
from hypothesis import given
from hypothesis import strategies as st

from messages.channels.channels import Sent
from messages.channels.verdicts import CHANNEL_STATE, SendFailed, Verdict
from messages.ledger.settlement import (
    LATER_AFTER,
    RESENDS_MAX,
    RESOLVE_AFTER,
    SETUP_AFTER,
    SILENT_AFTER,
    TRIES_MAX,
    Claimed,
    Settlement,
    after_failure,
    after_no_slot,
    after_not_found,
    after_sent,
)
from messages.reach import SMS, TELEGRAM

OF_NOTICE = Claimed(
    id=1,
    fence=1,
    channel=TELEGRAM,
    address="71",
    language="cy",
    purpose="reminder",
    facts=None,
    lane=3,
    segments=1,
    tries=0,
    notice_id=5,
    member_id=9,
    send_before=None,
    on_unknown="leave",
)
TO_ONE = replace(OF_NOTICE, notice_id=None, on_unknown="resend", facts={"code": "1"})
TEXT = replace(OF_NOTICE, channel=SMS, address="+447700900001")
LAST_TRY = {"tries": TRIES_MAX - 1}
LAST_RESEND = {"tries": RESENDS_MAX - 1}


def failed(verdict: Verdict, **named: Any) -> SendFailed:
    return SendFailed(verdict, "why", **named)


FAILURES = [
    pytest.param(OF_NOTICE, failed(Verdict.BLOCKED), {"state": "failed"}, id="blocked"),
    pytest.param(OF_NOTICE, failed(Verdict.DEAD), {"state": "failed"}, id="nobody there"),
    pytest.param(TEXT, failed(Verdict.OPTED_OUT), {"state": "failed"}, id="said STOP"),
    pytest.param(TEXT, failed(Verdict.BAD_NUMBER), {"state": "failed"}, id="no mobile number"),
    pytest.param(OF_NOTICE, failed(Verdict.REFUSED), {"state": "failed"}, id="refused"),
    pytest.param(OF_NOTICE, failed(Verdict.DOUBTFUL), {"state": "failed"}, id="doubtful"),
    pytest.param(
        TEXT,
        failed(Verdict.LATER),
        {"state": "ready", "not_before": NOW + LATER_AFTER, "tries": 1},
        id="later, the first time",
    ),
    pytest.param(
        replace(TEXT, **LAST_TRY), failed(Verdict.LATER), {"state": "failed"}, id="later, once more than we try"
    ),
    pytest.param(
        OF_NOTICE,
        failed(Verdict.SLOW_DOWN, retry_after_seconds=7.0, obeyed=True),
        {"state": "ready", "not_before": NOW + timedelta(seconds=7)},
        id="slow down, and this chat waits by itself",
    ),
    pytest.param(
        OF_NOTICE,
        failed(Verdict.SLOW_DOWN, obeyed=True),
        {"state": "ready", "not_before": NOW},
        id="slow down, and the provider does not say how long",
    ),
    pytest.param(
        TEXT,
        failed(Verdict.SLOW_DOWN, retry_after_seconds=7.0),
        {"state": "ready"},
        id="slow down: the pacer holds all",
    ),
    pytest.param(OF_NOTICE, failed(Verdict.UNREACHABLE), {"state": "ready"}, id="no connection"),
    pytest.param(TEXT, failed(Verdict.EXHAUSTED), {"state": "ready", "not_before": NOW}, id="the limit of the day"),
    pytest.param(
        OF_NOTICE, failed(Verdict.OUR_SETUP), {"state": "ready", "not_before": NOW}, id="our set-up: behind the others"
    ),
    pytest.param(
        TO_ONE,
        failed(Verdict.OUR_SETUP),
        {"state": "ready", "not_before": NOW + SETUP_AFTER},
        id="our set-up, to one person: in a while",
    ),
    pytest.param(
        OF_NOTICE, failed(Verdict.ON_THE_WAY), {"state": "ready", "not_before": NOW}, id="on the way: behind the others"
    ),
    pytest.param(
        TO_ONE,
        failed(Verdict.ON_THE_WAY),
        {"state": "ready", "not_before": NOW + SETUP_AFTER},
        id="on the way, to one person: in a while",
    ),
    pytest.param(
        OF_NOTICE,
        failed(Verdict.MIGRATED, migrate_to="-1007"),
        {"state": "ready", "address": "-1007"},
        id="the group has a new id",
    ),
    pytest.param(
        TEXT,
        failed(Verdict.UNKNOWN),
        {"state": "unknown", "ask_at": NOW + RESOLVE_AFTER},
        id="unknown at Twilio: asked",
    ),
    pytest.param(OF_NOTICE, failed(Verdict.UNKNOWN), {"state": "unknown"}, id="unknown at Telegram: left"),
    pytest.param(
        TO_ONE,
        failed(Verdict.UNKNOWN),
        {"state": "ready", "not_before": NOW, "tries": 1},
        id="unknown at Telegram, to one person: rather twice",
    ),
    pytest.param(
        replace(TO_ONE, **LAST_RESEND), failed(Verdict.UNKNOWN), {"state": "unknown"}, id="unknown, and not for ever"
    ),
]


@pytest.mark.parametrize(("claimed", "failure", "changes"), FAILURES)
def test_a_failure_leaves_a_row_as_the_table_says(
    claimed: Claimed, failure: SendFailed, changes: dict[str, Any]
) -> None:
    """Whatever the table does not name stays: the address, the tries, the time."""
    assert after_failure(claimed, failure, NOW) == Settlement(claimed, reason="why", failure=failure, **changes)


def test_the_table_of_failures_names_every_verdict() -> None:
    assert {parameters.values[1].verdict for parameters in FAILURES} == set(Verdict)


@pytest.mark.parametrize("verdict", Verdict)
def test_only_a_verdict_about_the_address_turns_its_channel_off(verdict: Verdict) -> None:
    off = after_failure(TEXT, failed(verdict, migrate_to="-1"), NOW).channel_state

    assert off == CHANNEL_STATE.get(verdict)
    assert (off is not None) == (verdict in {Verdict.BLOCKED, Verdict.DEAD, Verdict.BAD_NUMBER, Verdict.OPTED_OUT})


def test_what_went_turns_no_channel_off() -> None:
    assert after_sent(TEXT, Sent("SM1"), NOW).channel_state is None


def test_only_twilio_is_asked_what_became_of_a_message_it_took() -> None:
    """Telegram reports nothing after its answer."""
    assert after_sent(TEXT, Sent("SM1"), NOW) == Settlement(TEXT, "sent", provider_id="SM1", ask_at=NOW + SILENT_AFTER)
    assert after_sent(OF_NOTICE, Sent("17"), NOW) == Settlement(OF_NOTICE, "sent", provider_id="17")


def test_without_a_slot_a_row_is_as_it_was_before_its_claim() -> None:
    """No try is counted and no reason is written: nothing was sent."""
    assert after_no_slot(OF_NOTICE) == Settlement(OF_NOTICE, "ready")


@pytest.mark.parametrize(
    ("tries", "state"),
    [(0, "ready"), (RESENDS_MAX - 2, "ready"), (RESENDS_MAX - 1, "failed"), (RESENDS_MAX + 5, "failed")],
    ids=["the first time", "the last time but one", "the last time", "more than the last"],
)
def test_a_message_twilio_does_not_know_is_sent_again_a_few_times(tries: int, state: str) -> None:
    settlement = after_not_found(replace(TEXT, tries=tries), NOW)

    assert (settlement.state, settlement.reason) == (state, "not_found")
    assert (settlement.tries, settlement.not_before) == ((1, NOW) if state == "ready" else (0, None))


@given(
    claimed=st.builds(
        replace,
        st.sampled_from([OF_NOTICE, TO_ONE, TEXT]),
        tries=st.integers(0, 2 * RESENDS_MAX),
        on_unknown=st.sampled_from(["leave", "resend"]),
    ),
    verdict=st.sampled_from(Verdict),
    seconds=st.none() | st.floats(0, 1e6),
    obeyed=st.booleans(),
)
def test_no_row_goes_round_for_ever_and_nobody_is_told_twice_without_leave(
    claimed: Claimed, verdict: Verdict, seconds: float | None, obeyed: bool
) -> None:
    """A row that may have arrived is queued again only where that is allowed, and then the try is counted."""
    failure = failed(verdict, retry_after_seconds=seconds, obeyed=obeyed, migrate_to="-1")
    settlement = after_failure(claimed, failure, NOW)

    assert settlement.state in {"ready", "failed", "unknown"}
    assert settlement.not_before is None or settlement.not_before >= NOW
    if verdict is Verdict.UNKNOWN and settlement.state == "ready":
        assert claimed.channel == TELEGRAM
        assert claimed.on_unknown == "resend"
        assert (settlement.tries, claimed.tries + 1 < RESENDS_MAX) == (1, True)
    if verdict is Verdict.LATER and settlement.state == "ready":
        assert (settlement.tries, claimed.tries + 1 < TRIES_MAX) == (1, True)
    if settlement.state != "ready":
        assert (settlement.not_before, settlement.tries) == (None, 0)
