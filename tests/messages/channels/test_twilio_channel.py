"""Twilio: every code of the table through the real client, real limits of time, and asking before sending again."""

import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from ballot_town import numbers

from bot.sandbox import Fault, Sandbox
from messages.channels.channels import Outgoing
from messages.channels.slow_downs import SLOW_DOWNS
from messages.channels.twilio_channel import TwilioAccount, TwilioChannel
from messages.channels.verdicts import TWILIO, SendFailed, Verdict, twilio_verdict


@asynccontextmanager
async def channel_to(sandbox: Sandbox, **changes: str) -> AsyncIterator[TwilioChannel]:
    account = TwilioAccount(
        **(
            {
                "account_sid": sandbox.twilio.account_sid,
                "auth_token": sandbox.twilio.auth_token,
                "sender": sandbox.twilio.sender,
                "api_url": sandbox.twilio.api_url,
            }
            | changes
        )
    )
    async with TwilioChannel(account, timeout_seconds=5) as channel:
        yield channel


async def failure(sandbox: Sandbox, outgoing: Outgoing, **changes: str) -> SendFailed:
    async with channel_to(sandbox, **changes) as channel:
        with pytest.raises(SendFailed) as failed:
            await channel.send(outgoing)
    return failed.value


@pytest.mark.parametrize(("code", "verdict"), TWILIO.items(), ids=str)
async def test_a_code_in_an_answer_means_what_the_table_says(code: int, verdict: Verdict) -> None:
    async with Sandbox() as sandbox:
        sandbox.faults.twilio.add(Fault("error", code=code))

        failed = await failure(sandbox, Outgoing(numbers(1)[0], "Hello"))

    assert (failed.verdict, failed.reason, failed.surprising) == (verdict, str(code), False)


@pytest.mark.parametrize(
    ("code", "status", "verdict", "surprising"),
    [
        (29999, 400, Verdict.DOUBTFUL, True),
        (29999, 429, Verdict.SLOW_DOWN, False),
        (29999, 401, Verdict.DOUBTFUL, True),
        (None, 503, Verdict.UNKNOWN, False),
        (29999, None, Verdict.DOUBTFUL, True),
        (None, None, Verdict.REFUSED, False),
    ],
    ids=["new 4xx", "new 429", "new 401", "5xx", "new, in a callback", "a callback without a code"],
)
def test_an_unknown_code_is_judged_by_how_many_fail_so_and_staff_hear_of_it(
    code: int | None,
    status: int | None,
    verdict: Verdict,
    surprising: bool,
) -> None:
    assert twilio_verdict(code, status) == (verdict, surprising)


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        (Fault("429"), Verdict.SLOW_DOWN),
        (Fault("5xx_before"), Verdict.UNKNOWN),
        (Fault("5xx_after"), Verdict.UNKNOWN),
        (Fault("drop_before"), Verdict.UNKNOWN),
        (Fault("drop_after"), Verdict.UNKNOWN),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
async def test_a_fault_of_the_wire_means_what_can_be_known_of_it(fault: Fault, verdict: Verdict) -> None:
    """Only 429 is known not to have been processed; after anything else Twilio has to be asked."""
    async with Sandbox() as sandbox:
        sandbox.faults.twilio.add(fault)

        assert (await failure(sandbox, Outgoing(numbers(1)[0], "Hello"))).verdict is verdict
        assert sandbox.twilio.meter.counted in (0, 1)


@pytest.mark.parametrize(("kind", "counts"), [("429", 1), ("5xx_before", 0)])
async def test_only_too_many_requests_is_counted_as_such(kind: str, counts: int) -> None:
    counted = SLOW_DOWNS.labels("twilio")
    before = counted._value.get()
    async with Sandbox() as sandbox:
        sandbox.faults.twilio.add(Fault(kind))
        await failure(sandbox, Outgoing(numbers(1)[0], "Hello"))

    assert counted._value.get() == before + counts


async def test_a_silent_server_is_not_waited_for_longer_than_the_limit() -> None:
    """Twilio's own transport would hang for ever."""
    async with Sandbox() as sandbox:
        sandbox.faults.twilio.add(Fault("hang"))
        account = TwilioAccount(sandbox.twilio.account_sid, "x", sandbox.twilio.sender, api_url=sandbox.twilio.api_url)
        began = time.monotonic()
        async with TwilioChannel(account, timeout_seconds=0.2) as channel:
            with pytest.raises(SendFailed) as failed:
                await channel.send(Outgoing(numbers(1)[0], "Hello"))

    assert (failed.value.verdict, failed.value.reason) == (Verdict.UNKNOWN, "timeout")
    assert time.monotonic() - began < 4


async def test_nobody_listening_means_nothing_was_sent() -> None:
    async with Sandbox() as sandbox:
        pass
    failed = await failure(sandbox, Outgoing(numbers(1)[0], "Hello"))

    assert failed.verdict is Verdict.UNREACHABLE


async def test_wrong_credentials_are_our_own_fault() -> None:
    async with Sandbox() as sandbox:
        failed = await failure(sandbox, Outgoing(numbers(1)[0], "Hello"), auth_token="wrong")

    assert (failed.verdict, failed.reason) == (Verdict.OUR_SETUP, "20003")


async def test_a_text_goes_from_our_number_with_what_twilio_must_know() -> None:
    """The sender, how long it may wait, and where to report, with the id of our delivery."""
    number = numbers(1)[0]
    async with Sandbox() as sandbox, channel_to(sandbox, public_url="http://127.0.0.1:9") as channel:
        sent = await channel.send(
            Outgoing(number, "Hello", delivery_id=12, fence=3, send_before=datetime.now(UTC) + timedelta(minutes=10))
        )

        (sms,) = sandbox.twilio.phone(number).messages
        assert sent.provider_id == sms.sid
        assert sms.from_ == sandbox.twilio.sender
        assert sms.validity_seconds is not None
        assert 590 <= sms.validity_seconds <= 600
        assert sms.status_callback == "http://127.0.0.1:9/twilio/status?delivery=12-3"


@pytest.mark.parametrize("minutes", [-5, 60 * 24], ids=["already over", "longer than Twilio takes"])
async def test_the_validity_is_kept_within_what_twilio_takes(minutes: int) -> None:
    number = numbers(1)[0]
    async with Sandbox() as sandbox, channel_to(sandbox) as channel:
        await channel.send(Outgoing(number, "Hello", send_before=datetime.now(UTC) + timedelta(minutes=minutes)))

        assert sandbox.twilio.phone(number).messages[0].validity_seconds in (1, 36_000)


async def test_a_messaging_service_takes_the_place_of_a_number() -> None:
    number = numbers(1)[0]
    async with Sandbox() as sandbox:
        service = sandbox.twilio.messaging_service_sid
        async with channel_to(sandbox, messaging_service_sid=service) as channel:
            await channel.send(Outgoing(number, "Hello"))

        assert sandbox.twilio.phone(number).messages[0].service_sid == service


@pytest.mark.parametrize(("sender", "two_way"), [("+447700900001", True), ("BALLOT", False), (None, True)])
def test_nobody_can_answer_to_a_name(sender: str | None, *, two_way: bool) -> None:
    assert TwilioAccount("AC", "x", sender, messaging_service_sid="MG").two_way is two_way


async def test_twilio_is_asked_for_exactly_this_text_since_then() -> None:
    """Other words, other numbers and older messages are somebody else's."""
    here, there = numbers(2)
    async with Sandbox() as sandbox, channel_to(sandbox) as channel:
        first = await channel.send(Outgoing(here, "Hello"))
        await channel.send(Outgoing(here, "Hello there"))
        await channel.send(Outgoing(there, "Hello"))
        now = datetime.now(UTC)

        found = await channel.find(here, "Hello", now - timedelta(minutes=1))
        assert [one.provider_id for one in found] == [first.provider_id]
        assert await channel.find(here, "Hello", now + timedelta(minutes=1)) == []
        assert (await channel.fetch(first.provider_id)).provider_id == first.provider_id


async def test_no_number_and_no_word_gets_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    number = numbers(1)[0]
    async with Sandbox() as sandbox, channel_to(sandbox) as channel:
        await channel.send(Outgoing(number, "Hello to you alone"))
        await channel.find(number, "Hello to you alone", datetime.now(UTC) - timedelta(minutes=1))

    assert number[1:] not in caplog.text
    assert "alone" not in caplog.text
