"""The postman over the local Telegram and Twilio: everyone is told once, at the pace, whatever the providers do."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from ballot_town import (
    FAST,
    NOW,
    StatusWebhook,
    chats,
    clock,
    make_members,
    make_poll,
    numbers,
    post_office,
    rows_of,
    send_notice,
    start_clock,
    states,
)
from sqlalchemy import select

from bot.sandbox import Fault, Sandbox
from messages.channels.channels import Outgoing
from messages.channels.verdicts import Verdict
from messages.ledger.outbox import Order, claim
from messages.ledger.planning import plan_message
from messages.notices.life import cancel, pause, resume
from messages.notices.notices import show
from messages.notices.reports import report
from messages.pace.pacer import Lane
from messages.postman.line_rest import FAILURES_MAX, Wire
from messages.reach import SMS
from messages.schema import channel, delivery
from voting.model import By
from voting.store.database import Database

CROWD = range(7_000_000, 7_100_000)

# A clock on which a provider is asked after a tenth of a second, and a lease is as long as the test.
HURRY = 300
HURRIED = replace(FAST, tempo=replace(FAST.tempo, lease=timedelta(hours=12)))


def hurried_clock() -> datetime:
    return NOW + (clock() - NOW) * HURRY


@pytest.fixture(autouse=True)
def _noon() -> None:
    start_clock()


async def crowd(database: Database, sandbox: Sandbox, telegram: int, sms: int = 0) -> tuple[list[str], list[str]]:
    """Make a poll with so many members on each channel; give their addresses."""
    await make_poll(database)
    sandbox.telegram.crowd = CROWD
    chat_ids, phones = chats(telegram), numbers(sms)
    if telegram:
        await make_members(database, telegram, telegram=chat_ids)
    if sms:
        await make_members(database, sms, sms=phones, first=telegram + 1)
    return chat_ids, phones


async def told(database: Database) -> int:
    """Count the rows that told somebody."""
    found = await states(database)
    return found.get("sent", 0) + found.get("delivered", 0)


def most_told(sandbox: Sandbox, phones: list[str]) -> int:
    """Give the most texts any of these phones got."""
    return max(len(sandbox.twilio.phone(number).messages) for number in phones)


async def test_everyone_hears_a_notice_once(database: Database) -> None:
    """Telegram where it is on, a text message otherwise; nobody twice, and then the notice is done."""
    async with Sandbox() as sandbox:
        people = [sandbox.telegram.person(f"P{place}") for place in range(10)]
        for person in people:
            await person.types("/start")
        _, phones = await crowd(database, sandbox, 0, 10)
        await make_members(database, 10, telegram=[str(person.id) for person in people], first=101)
        async with post_office(database, sandbox) as office:
            sent = await send_notice(database)

            async def done() -> bool:
                async with database.reading() as connection:
                    return (await show(connection, sent.id)).state == "done"

            await office.until(done)

        assert await states(database) == {"sent": 20}
        assert all(sum("running late" in message.text for message in person.messages) == 1 for person in people)
        assert most_told(sandbox, phones) == 1


async def test_a_blocked_bot_and_a_dead_number_become_states_and_the_text_stands_in_for_the_chat(
    database: Database,
) -> None:
    async with Sandbox() as sandbox:
        await make_poll(database)
        ada, bea = sandbox.telegram.person("Ada"), sandbox.telegram.person("Bea")
        for person in (ada, bea):
            await person.types("/start")
        await ada.blocks()
        bea.deactivated = True
        fallback, dead, stopped = numbers(3)
        sandbox.twilio.phone(dead).dead = 21614
        await make_members(database, 2, telegram=[str(ada.id), str(bea.id)], sms=[fallback, dead])
        await make_members(database, 1, sms=[stopped], first=3)
        await sandbox.twilio.phone(stopped).texts("STOP")
        async with post_office(database, sandbox) as office:
            sent = await send_notice(database)
            await office.until_settled()
            async with database.reading() as connection:
                found = await report(connection, sent.id)
                kept = {(row.member_id, row.kind): row.state for row in await connection.execute(select(channel))}

        await sandbox.twilio.phone(fallback).hears("running late")
        assert kept == {
            (1, "telegram"): "blocked",
            (1, "sms"): "on",
            (2, "telegram"): "dead",
            (2, "sms"): "dead",
            (3, "sms"): "opted_out",
        }
        assert (found.outcomes["told"], found.outcomes["not_reached"]) == (1, 2)
        assert office.troubles == []


FAULTS = [
    Fault("429", rate=0.03, count=2),
    Fault("5xx_before", rate=0.02, count=4),
    Fault("5xx_after", rate=0.02, count=4),
    Fault("drop_before", rate=0.02, count=4),
    Fault("drop_after", rate=0.02, count=4),
    Fault("slow", rate=0.05, count=20, delay_seconds=0.2),
]
CALLBACK_FAULTS = ["callback_doubled", "callback_reordered", "callback_early", "callback_lost"]


def faults_of(kinds: list[Fault]) -> list[Fault]:
    return [
        Fault(one.kind, rate=one.rate, count=one.count, delay_seconds=one.delay_seconds, retry_after=1) for one in kinds
    ]


async def test_without_a_crash_nobody_is_told_twice_and_no_limit_is_exceeded(database: Database) -> None:
    """With every fault of both providers switched on: ledger and meters agree, one by one."""
    async with Sandbox(seed=3) as sandbox, StatusWebhook() as webhook:
        _, phones = await crowd(database, sandbox, 250, 120)
        sandbox.telegram.rate_per_second, sandbox.twilio.rate_segments_per_second = 150, 120
        for fault in faults_of(FAULTS):
            sandbox.faults.telegram.add(fault)
        for fault in faults_of(FAULTS):
            sandbox.faults.twilio.add(fault)
        for kind in CALLBACK_FAULTS:
            sandbox.faults.twilio.add(Fault(kind, rate=0.1, count=None, method="callback"))
        async with post_office(
            database,
            sandbox,
            telegram_rate=150,
            sms_rate=120,
            public_url=webhook.url,
            now=hurried_clock,
            timing=HURRIED,
        ) as office:
            webhook.office = office
            sent = await send_notice(database)

            async def all_known() -> bool:
                async with database.reading() as connection:
                    open_rows = delivery.c.state.in_(("ready", "sending")) | (
                        (delivery.c.channel == SMS) & (delivery.c.state != "delivered")
                    )
                    return (await connection.execute(select(delivery.c.id).where(open_rows))).first() is None

            await office.until(all_known, 60)
            async with database.reading() as connection:
                found = await report(connection, sent.id)

        assert sandbox.telegram.meter.max_in_window() <= 150
        assert sandbox.twilio.meter.max_weight_in_window() <= 120
        assert most_told(sandbox, phones) == 1
        assert sandbox.twilio.meter.counted == 120
        assert found.by_channel["sms"] == found.delivered == 120
        told, unknown = found.by_channel["telegram"], found.outcomes["unknown"]
        assert told + unknown == 250
        assert told <= sandbox.telegram.meter.counted <= told + unknown
        assert sum(sandbox.faults.telegram.played.values()) > 10


async def test_telegram_down_for_a_while_costs_a_handful_and_then_everybody_else_is_told(database: Database) -> None:
    """Errors without end open the line's breaker: it probes, one by one, until there is an answer again."""
    async with Sandbox() as sandbox:
        await crowd(database, sandbox, 150)
        down = sandbox.faults.telegram.add(Fault("5xx_before", count=None))
        async with post_office(database, sandbox) as office:
            await send_notice(database)

            async def broken() -> bool:
                return sum(sandbox.faults.telegram.played.values()) >= FAILURES_MAX + 2

            await office.until(broken)
            sandbox.faults.telegram.remove(down)
            await office.until_settled()

        found = await states(database)
        burnt = found.pop("unknown:connection_lost")
        assert burnt <= 16 + 4
        assert found == {"sent": 150 - burnt}


async def test_a_provider_that_cannot_be_reached_loses_nobody(database: Database) -> None:
    """No connection is made, so nothing is unknown; all wait, and all are told."""
    sandbox = Sandbox()
    await sandbox.start()
    port = sandbox.port
    await crowd(database, sandbox, 30)
    async with post_office(database, sandbox) as office:
        await sandbox.stop()
        await send_notice(database)

        async def tried() -> bool:
            return office.postman.lines["telegram"].counts.failed.get(Verdict.UNREACHABLE, 0) >= FAILURES_MAX

        await office.until(tried)
        again = Sandbox()
        again.telegram.crowd = CROWD
        await again.start(port)
        await office.until_settled()
        assert await states(database) == {"sent": 30}
        await again.stop()


async def test_a_429_of_twilio_costs_time_and_nothing_else(database: Database) -> None:
    async with Sandbox() as sandbox:
        _, phones = await crowd(database, sandbox, 0, 12)
        sandbox.faults.twilio.add(Fault("429", count=3))
        async with post_office(database, sandbox, sms_rate=500) as office:
            await send_notice(database)
            await office.until_settled()
            assert office.postman.lines["sms"].pacer.rate < 500

        assert await states(database) == {"sent": 12}
        assert most_told(sandbox, phones) == 1


async def test_wrong_credentials_pause_the_notice_and_when_mended_everybody_is_told(database: Database) -> None:
    """Staff hear of it once; nobody is burnt; resuming sends to all."""
    async with Sandbox() as sandbox:
        _, phones = await crowd(database, sandbox, 0, 20)
        async with post_office(database, sandbox, auth_token="wrong") as office:
            sent = await send_notice(database)

            async def paused() -> bool:
                async with database.reading() as connection:
                    return (await show(connection, sent.id)).state == "paused"

            await office.until(paused)
        async with database.reading() as connection:
            assert (await show(connection, sent.id)).pause_reason == "twilio:20003"
        assert [(one.provider, one.detail) for one in office.troubles] == [("twilio", "20003")]
        assert set(await states(database)) <= {"ready", "ready:20003"}

        async with database.writing() as connection:
            await resume(connection, sent.id, by=By("Gwen", "command line", clock()))
        async with post_office(database, sandbox) as office:
            await office.until_settled()

        assert await states(database) == {"sent": 20}
        assert most_told(sandbox, phones) == 1


@pytest.mark.parametrize("stop", [pause, cancel], ids=["paused", "canceled"])
async def test_a_notice_stops_within_what_is_on_its_way(database: Database, stop: Any) -> None:
    async with Sandbox() as sandbox:
        await crowd(database, sandbox, 400)
        async with post_office(database, sandbox, telegram_rate=200) as office:
            sent = await send_notice(database)

            async def begun() -> bool:
                return sandbox.telegram.meter.counted >= 20

            await office.until(begun)
            async with database.writing() as connection:
                await stop(connection, sent.id, by=By("Gwen", "command line", clock()))
            counted = sandbox.telegram.meter.counted
            await asyncio.sleep(0.5)

            assert sandbox.telegram.meter.counted - counted <= 16 + 4


async def test_a_person_in_a_chat_is_answered_while_a_broadcast_fills_the_limit(database: Database) -> None:
    async with Sandbox() as sandbox:
        ada = sandbox.telegram.person("Ada")
        await ada.types("/start")
        await crowd(database, sandbox, 300)
        async with post_office(database, sandbox, telegram_rate=30) as office:
            await send_notice(database)

            async def begun() -> bool:
                return sandbox.telegram.meter.counted >= 5

            await office.until(begun)
            await plan(database, "receipt", channel="telegram", address=str(ada.id), purpose="literal")
            office.postman.wake()
            await ada.hears("Your receipt", timeout_seconds=2)


async def plan(database: Database, occasion: str, **changes: Any) -> int | None:
    values: dict[str, Any] = {
        "purpose": "link_code",
        "facts": {"code": "123456", "minutes": 10, "text": "Your receipt"},
        "channel": "sms",
        "address": "+447700900001",
        "language": "en-GB",
        "lane": Lane.CHAT,
        "now": clock(),
    }
    async with database.writing() as connection:
        return await plan_message(connection, occasion=occasion, **(values | changes))


async def test_messages_to_one_person_take_the_same_road(database: Database) -> None:
    """A one-time code with the catalogue's words; an alert with the words and buttons of whoever knows it."""

    def alert(facts: Any, language: str) -> Outgoing:
        return Outgoing(
            "", f"Case {facts['case']}", f"<b>Case {facts['case']}</b> {language}", buttons=((("Ack", "a"),),)
        )

    async with Sandbox() as sandbox:
        ada = sandbox.telegram.person("Ada")
        await ada.types("/start")
        async with post_office(database, sandbox, renderers={"alert": alert}) as office:
            await plan(database, "code")
            await plan(
                database,
                "alert",
                purpose="alert",
                facts={"case": 7},
                channel="telegram",
                address=str(ada.id),
                language="cy",
                lane=Lane.ALERT,
            )
            office.postman.wake()

            await sandbox.twilio.phone("+447700900001").hears("123456 is your code")
            await ada.hears("Case 7 cy")
            assert ada.buttons == ["Ack"]
            await office.until_settled()
        assert await states(database) == {"sent": 2}


async def test_a_purpose_without_words_is_our_fault_and_not_lost(database: Database) -> None:
    async with Sandbox() as sandbox, post_office(database, sandbox) as office:
        await plan(database, "x", purpose="nobody wrote this")

        async def put_back() -> bool:
            return await states(database) == {"ready:no_words:nobody wrote this": 1}

        await office.until(put_back)
        assert office.troubles


async def test_twilio_is_asked_before_a_text_is_sent_again(database: Database) -> None:
    """One message arrived though its answer was lost, one never did: the first is found, the second sent."""
    async with Sandbox() as sandbox:
        _, (arrived, lost) = await crowd(database, sandbox, 0, 2)
        sandbox.faults.twilio.add(Fault("drop_after", method="create", to=arrived))
        sandbox.faults.twilio.add(Fault("drop_before", method="create", to=lost))
        async with post_office(database, sandbox, now=hurried_clock, timing=HURRIED) as office:
            await send_notice(database)

            async def both_sent() -> bool:
                return await told(database) == 2

            await office.until(both_sent)

        assert sum(sandbox.faults.twilio.played.values()) == 2
        assert [len(sandbox.twilio.phone(number).messages) for number in (arrived, lost)] == [1, 1]
        assert [row.tries for row in await rows_of(database)] == [0, 1]


async def test_a_text_whose_callbacks_were_lost_is_asked_for(database: Database) -> None:
    async with Sandbox() as sandbox:
        await crowd(database, sandbox, 0, 3)
        async with post_office(database, sandbox, now=hurried_clock, timing=HURRIED) as office:
            await send_notice(database)

            async def all_delivered() -> bool:
                return (await states(database)).get("delivered") == 3

            await office.until(all_delivered)


async def test_a_dead_process_leaves_its_texts_to_be_asked_for_and_its_chats_to_the_policy(database: Database) -> None:
    """Rows claimed by nobody alive become unknown; what Twilio never got is sent, what Telegram may have is not."""
    async with Sandbox() as sandbox:
        _, phones = await crowd(database, sandbox, 3, 3)
        sent = await send_notice(database)
        async with database.writing() as connection:
            for kind in ("telegram", "sms"):
                order = Order(kind, sent.id, "leave", lease=timedelta(0))
                assert len((await claim(connection, order, 2, hurried_clock()))[0]) == 2
        async with post_office(database, sandbox, now=hurried_clock, timing=HURRIED) as office:

            async def settled() -> bool:
                found = await states(database)
                return found.get("sent", 0) + found.get("delivered", 0) == 4

            await office.until(settled)

        assert (await states(database))["unknown:lease_expired"] == 2
        assert sandbox.telegram.meter.counted == 1
        assert most_told(sandbox, phones) == 1


async def test_a_second_process_sends_nothing_while_the_first_lives_and_all_when_it_is_gone(
    database: Database,
) -> None:
    async with Sandbox() as sandbox:
        await crowd(database, sandbox, 60)
        patient = replace(FAST, silent_seconds=30.0)
        async with post_office(database, sandbox, telegram_rate=100, timing=patient) as first:

            async def holds() -> bool:
                return first.postman.keepers["telegram"].holding

            await first.until(holds)
            async with post_office(database, sandbox, telegram_rate=100, timing=patient) as second:
                await send_notice(database)
                await first.until_settled()
                assert second.postman.lines["telegram"].counts.sent == 0
                assert not second.postman.keepers["telegram"].holding

        assert await states(database) == {"sent": 60}
        assert sandbox.telegram.meter.counted == 60


def test_a_wire_rests_after_failures_in_a_row_longer_each_time() -> None:
    """One success ends it; a message refused for its own sake is an answer."""
    wire = Wire(rests=(1.0, 5.0))
    for _ in range(FAILURES_MAX):
        assert not wire.broken
        wire.note(Verdict.UNKNOWN, 10.0)
    assert (wire.broken, wire.rest_until) == (True, 11.0)
    wire.note(Verdict.UNREACHABLE, 10.5)
    assert wire.rest_until == 11.0
    wire.note(Verdict.UNKNOWN, 11.0)
    assert wire.rest_until == 16.0
    wire.note(Verdict.BLOCKED, 16.0)
    assert not wire.broken
