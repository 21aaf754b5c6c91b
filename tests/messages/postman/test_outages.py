"""A bad afternoon: Telegram down for a minute in mid-broadcast, Twilio that wants quiet, credentials that went wrong.

Nobody is lost or told twice, what cannot go waits, and staff hear what only they can mend.
"""

from dataclasses import replace

import pytest
from ballot_town import (
    FAST,
    PostOffice,
    chats,
    clock,
    make_members,
    make_poll,
    numbers,
    post_office,
    send_notice,
    start_clock,
    states,
)
from soak import SOAK

from bot.sandbox import Fault, Sandbox
from messages.notices.life import resume
from messages.notices.notices import show
from messages.notices.reports import report
from messages.postman.line import IN_FLIGHT_MAX
from messages.postman.line_rest import FAILURES_MAX, REST_SECONDS
from messages.reach import SMS, TELEGRAM
from voting.model import By
from voting.store.database import Database

CROWD = range(7_000_000, 7_100_000)
ON_TELEGRAM = 300
BY_TEXT = 200
RATE = 200  # of each provider: a broadcast of a second and a half

# A line rests 0.5, 1, 2, 5, then 10 seconds between two probes: so many fail in a minute. Here a minute is 1.2 s.
PROBES_OF_A_MINUTE = 9
MINUTE_SOON_OVER = replace(FAST, tempo=replace(FAST.tempo, rest_seconds=[rest / 50 for rest in REST_SECONDS]))
QUIET_ANSWERS = 10 if SOAK else 3  # of 20429: each holds all texts for a second, and one probes


@pytest.fixture(autouse=True)
def _noon() -> None:
    start_clock()


async def prepare(database: Database, sandbox: Sandbox) -> list[str]:
    """Make a poll with members on both channels; give the numbers."""
    sandbox.telegram.crowd = CROWD
    phones = numbers(BY_TEXT)
    await make_poll(database)
    await make_members(database, ON_TELEGRAM, telegram=chats(ON_TELEGRAM))
    await make_members(database, BY_TEXT, sms=phones, first=ON_TELEGRAM + 1)
    return phones


async def until_under_way(office: PostOffice, kind: str, count: int = 40) -> None:
    """Wait until so many were sent through a line."""

    async def under_way() -> bool:
        return office.postman.lines[kind].counts.sent >= count

    await office.until(under_way)


def texts_each(sandbox: Sandbox, phones: list[str]) -> set[int]:
    """Give how many texts these phones got, each number once."""
    return {len(sandbox.twilio.phone(number).messages) for number in phones}


@pytest.mark.parametrize(
    ("fault", "policy"), [("5xx_before", "leave"), ("drop_before", "resend"), ("5xx_after", "resend")]
)
async def test_telegram_down_for_a_minute_in_mid_broadcast(database: Database, fault: str, policy: str) -> None:
    """Texts go on meanwhile; what was on its way and the probes may be unknown, all others wait and are told."""
    async with Sandbox() as sandbox:
        phones = await prepare(database, sandbox)
        async with post_office(database, sandbox, telegram_rate=RATE, sms_rate=RATE, timing=MINUTE_SOON_OVER) as office:
            sent = await send_notice(database, on_unknown=policy)
            await until_under_way(office, TELEGRAM)
            down = sandbox.faults.telegram.add(Fault(fault, count=None))

            async def a_minute_and_all_texts() -> bool:
                failed = sandbox.faults.telegram.played[fault]
                return failed >= FAILURES_MAX + PROBES_OF_A_MINUTE and texts_each(sandbox, phones) == {1}

            await office.until(a_minute_and_all_texts)
            sandbox.faults.telegram.remove(down)
            await office.until_settled()
            async with database.reading() as connection:
                found = await report(connection, sent.id)

        failed = sandbox.faults.telegram.played[fault]
        assert failed <= IN_FLIGHT_MAX + PROBES_OF_A_MINUTE + FAILURES_MAX
        assert sum(found.why_not.values()) == found.outcomes["unknown"]
        assert found.by_channel[SMS] == BY_TEXT
        assert found.by_channel[TELEGRAM] + found.outcomes["unknown"] == ON_TELEGRAM
        assert found.outcomes["unknown"] <= (failed if policy == "leave" else 0)
        doubled = failed if fault == "5xx_after" and policy == "resend" else 0
        assert sandbox.telegram.meter.counted <= ON_TELEGRAM + doubled
        assert office.troubles == []


async def test_twilio_that_wants_quiet_for_a_while_is_left_alone_and_everybody_is_told(database: Database) -> None:
    """Twilio answers 20429 for a while in mid-broadcast: it costs time, nobody is lost, chats go on meanwhile."""
    async with Sandbox() as sandbox:
        phones = await prepare(database, sandbox)
        async with post_office(database, sandbox, telegram_rate=RATE, sms_rate=RATE) as office:
            sent = await send_notice(database)
            await until_under_way(office, SMS)
            sandbox.faults.twilio.add(Fault("429", count=QUIET_ANSWERS))
            await office.until_settled(60)
            async with database.reading() as connection:
                found = await report(connection, sent.id)
            assert office.postman.lines[SMS].pacer.rate < RATE == office.postman.lines[TELEGRAM].pacer.rate

        assert sandbox.faults.twilio.played["429"] == QUIET_ANSWERS
        assert found.outcomes["told"] == ON_TELEGRAM + BY_TEXT
        assert texts_each(sandbox, phones) == {1}
        assert office.troubles == []


async def test_credentials_revoked_in_mid_broadcast_pause_it_and_once_mended_it_goes_on(database: Database) -> None:
    """Staff are told once, nobody is burnt, nobody is told twice; the same process goes on."""
    async with Sandbox() as sandbox:
        phones = await prepare(database, sandbox)
        right = sandbox.twilio.calls.auth_token
        async with post_office(database, sandbox, telegram_rate=RATE, sms_rate=RATE) as office:
            sent = await send_notice(database)
            await until_under_way(office, SMS)
            sandbox.twilio.calls.auth_token = "revoked"

            async def paused_and_quiet() -> bool:
                moving = [state for state in await states(database) if state.startswith("sending")]
                async with database.reading() as connection:
                    return (await show(connection, sent.id)).state == "paused" and not moving

            await office.until(paused_and_quiet)
            async with database.reading() as connection:
                assert (await show(connection, sent.id)).pause_reason == "twilio:20003"
            assert [(one.provider, one.kind, one.detail) for one in office.troubles] == [
                ("twilio", "our_setup", "20003")
            ]
            assert set(await states(database)) <= {"ready", "ready:20003", "sending", "sent"}

            sandbox.twilio.calls.auth_token = right
            async with database.writing() as connection:
                await resume(connection, sent.id, by=By("Gwen", "command line", clock()))
            await office.until_settled()
            async with database.reading() as connection:
                found = await report(connection, sent.id)

        assert found.outcomes["told"] == ON_TELEGRAM + BY_TEXT
        assert texts_each(sandbox, phones) == {1}
        assert sandbox.telegram.meter.counted == ON_TELEGRAM
        assert len(office.troubles) == 1
