"""Alerts as facts: joined, edited, acknowledged, paged, and never lost by a crash; on both engines."""

import asyncio
from datetime import datetime, timedelta

import pytest
from enrolled import BY, enrolled
from prepared import NOW, SECRETS, make_poll
from sqlalchemy import func, insert, select, update
from telegram import Bot

from bot.alerts import alerts, hooks
from bot.alerts.alerts import Kind
from bot.alerts.pages import page_due
from bot.alerts.pump import AGAIN_AFTER, LEASE, STORM, AlertPump
from bot.member.requests import Report, ReportKind
from bot.sandbox import Fault, Sandbox
from bot.schema import alert, alert_message, staff_group
from bot.staff import enrolment
from bot.staff.roles import Role
from messages.schema import delivery
from voting.model import By
from voting.store.database import Database

LATER = NOW + timedelta(minutes=11)


async def raised(database: Database, kind: Kind = Kind.PROBE_FAILED, occasion: str = "a", **facts: object) -> int:
    given = facts or {"probe": "locks are receipts", "detail": "3, 4"}
    async with database.writing() as connection:
        return await alerts.raise_alert(connection, kind, occasion, given, NOW)


async def shown(database: Database, alert_id: int) -> alerts.Alert:
    async with database.reading() as connection:
        return await alerts.show(connection, alert_id)


class Time:
    """A clock a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


def pump_of(database: Database, bot: Bot, time: Time) -> AlertPump:
    return AlertPump(database, SECRETS.button_key, bot, clock=time)


# -- raising -------------------------------------------------------------------------------


async def test_the_same_trouble_joins_the_same_alert(database: Database) -> None:
    await make_poll(database)
    first = await raised(database)

    assert await raised(database) == first
    assert (await shown(database, first)).version == 1
    assert await raised(database, probe="locks are receipts", detail="3, 5") == first
    assert (await shown(database, first)).version == 2
    assert await raised(database, occasion="b") != first


async def test_what_ended_is_raised_again_from_the_beginning(database: Database) -> None:
    await make_poll(database)
    first = await raised(database)
    async with database.writing() as connection:
        known = await alerts.acknowledge(connection, first, by=BY)
        assert known.next_page_at is None

    assert await raised(database) == first

    again = await shown(database, first)
    assert again.acknowledged_by is None
    assert again.ended_at is None
    assert again.next_page_at == NOW + timedelta(minutes=10)


async def test_the_first_who_acknowledges_counts(database: Database) -> None:
    await make_poll(database)
    first = await raised(database)
    async with database.writing() as connection:
        await alerts.acknowledge(connection, first, by=BY)
        second = await alerts.acknowledge(connection, first, by=By("Huw", "chat", LATER))
    assert second.acknowledged_by == "Gwen"
    assert second.acknowledged_at == NOW


async def test_an_alert_that_is_not_there_is_refused(database: Database) -> None:
    async with database.writing() as connection:
        with pytest.raises(alerts.AlertGone):
            await alerts.acknowledge(connection, 99, by=BY)


async def test_an_alert_is_gone_with_the_transaction_of_its_fact(database: Database) -> None:
    """Neither is there without the other."""
    await make_poll(database)
    with pytest.raises(ZeroDivisionError):
        async with database.writing() as connection:
            await alerts.raise_alert(connection, Kind.INBOX_FAILED, "a", {}, NOW)
            raise ZeroDivisionError
    async with database.reading() as connection:
        assert await alerts.open_alerts(connection) == []


# -- showing -------------------------------------------------------------------------------


async def test_everybody_who_may_take_an_alert_hears_it_when_nobody_is_on_duty(
    database: Database, sandbox: Sandbox, bot: Bot, time: Time
) -> None:
    await make_poll(database)
    gwen, huw, mair = await people(database, sandbox)
    await raised(database)

    await pump_of(database, bot, time).step()

    await gwen.hears("The books do not add up")
    await huw.hears("The books do not add up")
    assert not mair.messages[1:]  # comms take no alerts


async def test_only_those_on_duty_hear_it_when_somebody_is(
    database: Database, sandbox: Sandbox, bot: Bot, time: Time
) -> None:
    await make_poll(database)
    gwen, huw, _ = await people(database, sandbox)
    async with database.writing() as connection:
        person = await enrolment.find(connection, huw.id)
        assert person is not None
        await enrolment.set_duty(connection, person.id, on=True, by=BY)
    await raised(database)

    await pump_of(database, bot, time).step()

    await huw.hears("The books do not add up")
    assert not gwen.messages[1:]


async def people(database: Database, sandbox: Sandbox):  # type: ignore[no-untyped-def]  # noqa: ANN201 - three Persons
    """Enrol an officer, a supporter and somebody of comms who have started the bot."""
    found = []
    for name, role in (("Gwen", Role.OFFICER), ("Huw", Role.SUPPORT), ("Mair", Role.COMMS)):
        person = sandbox.telegram.person(name)
        await person.types("/start")
        await enrolled(database, name, role, user_id=person.id)
        found.append(person)
    return found


async def test_a_crash_before_the_note_of_a_sent_alert_shows_it_once_more_and_never_not_at_all(
    database: Database, sandbox: Sandbox, bot: Bot, time: Time
) -> None:
    await make_poll(database)
    gwen, _, _ = await people(database, sandbox)
    await raised(database)
    await pump_of(database, bot, time).step()
    await gwen.hears("The books do not add up")
    async with database.writing() as connection:  # as a crash between sending and noting leaves it
        await connection.execute(
            update(alert_message).values(message_id=None, shown_version=0, sent_at=None, lease_until=NOW + LEASE)
        )
    before = len(gwen.messages)

    await pump_of(database, bot, time).step()
    assert len(gwen.messages) == before  # another process may still be at it
    time.now = NOW + LEASE
    await pump_of(database, bot, time).step()
    await pump_of(database, bot, time).step()

    assert len(gwen.messages) == before + 1


async def test_two_processes_show_an_alert_once(database: Database, sandbox: Sandbox, bot: Bot, time: Time) -> None:
    await make_poll(database)
    gwen, _, _ = await people(database, sandbox)
    await raised(database)

    for _ in range(2):
        await pump_of(database, bot, time).step()

    assert sum("The books do not add up" in message.words for message in gwen.messages) == 1


async def test_an_alert_on_its_way_is_nobody_elses_however_long_telegram_takes(
    database: Database, sandbox: Sandbox, bot: Bot, time: Time
) -> None:
    """Its lease is short, so that it is taken over soon after kill -9; as long as its process lives it is kept."""
    await make_poll(database)
    gwen, _, _ = await people(database, sandbox)
    await raised(database)
    sandbox.faults.telegram.add(Fault("slow", method="sendMessage", count=None, delay_seconds=1))
    sending = asyncio.create_task(AlertPump(database, SECRETS.button_key, bot, clock=time, kept_seconds=0.01).step())
    await gwen.hears("The books do not add up")  # said, and the answer to it is still on its way
    for _ in range(3):
        time.now += LEASE / 2
        await leases_until(database, time.now + LEASE)

    await pump_of(database, bot, time).step()
    assert not sending.done()
    await sending

    assert sum("The books do not add up" in message.words for message in gwen.messages) == 1


async def leases_until(database: Database, moment: datetime) -> None:
    """Wait for what is being sent to be kept until then."""
    async with asyncio.timeout(10):
        while True:
            async with database.reading() as connection:
                leases = set(await connection.scalars(select(alert_message.c.lease_until)))
            if leases == {moment}:
                return


async def test_a_telegram_that_is_away_is_tried_again(
    database: Database, sandbox: Sandbox, bot: Bot, time: Time
) -> None:
    await make_poll(database)
    gwen, _, _ = await people(database, sandbox)
    await raised(database)
    sandbox.faults.telegram.add(Fault("5xx_before", method="sendMessage", count=2))
    pump = pump_of(database, bot, time)

    await pump.step()
    time.now = NOW + AGAIN_AFTER
    await pump.step()

    await gwen.hears("The books do not add up")


async def test_a_colleague_who_blocked_the_bot_does_not_keep_others_from_hearing(
    database: Database, sandbox: Sandbox, bot: Bot, time: Time
) -> None:
    await make_poll(database)
    gwen, huw, _ = await people(database, sandbox)
    await gwen.blocks()
    await raised(database)

    await pump_of(database, bot, time).step()

    await huw.hears("The books do not add up")


async def test_who_was_removed_sees_no_further_news(database: Database, sandbox: Sandbox, bot: Bot, time: Time) -> None:
    await make_poll(database)
    gwen, huw, _ = await people(database, sandbox)
    alert_id = await raised(database)
    await pump_of(database, bot, time).step()
    await gwen.hears("The books do not add up")
    async with database.writing() as connection:
        person = await enrolment.find(connection, gwen.id)
        assert person is not None
        await enrolment.remove(connection, person.id, by=BY)
        await alerts.acknowledge(connection, alert_id, by=By("Huw", "chat", NOW))

    time.now = NOW + LEASE
    await pump_of(database, bot, time).step()

    await huw.hears("Acknowledged by Huw")
    assert not any("Acknowledged" in message.words for message in gwen.messages)


async def test_a_group_that_moved_is_followed(database: Database, sandbox: Sandbox, bot: Bot, time: Time) -> None:
    await make_poll(database)
    gwen, _, _ = await people(database, sandbox)
    group = sandbox.telegram.group("Ballot staff", members=[gwen])
    async with database.writing() as connection:
        values = {"chat_id": group.chat_id, "title": "Ballot staff", "set_by": "Gwen", "set_at": NOW}
        await connection.execute(insert(staff_group).values(values))
    new_id = group.migrate()
    await raised(database)
    pump = pump_of(database, bot, time)

    await pump.step()
    time.now = NOW + LEASE
    await pump.step()

    await gwen.hears("The books do not add up", chat=group)
    async with database.reading() as connection:
        assert await connection.scalar(select(staff_group.c.chat_id)) == new_id


async def test_a_storm_is_one_message_that_counts_up(
    database: Database, sandbox: Sandbox, bot: Bot, time: Time
) -> None:
    await make_poll(database)
    gwen, _, _ = await people(database, sandbox)
    pump = pump_of(database, bot, time)
    for number in range(3):
        await raised(database, occasion=f"first {number}")
    await pump.step()
    for number in range(STORM):
        await raised(database, occasion=f"second {number}")
    time.now += timedelta(seconds=3)
    await pump.step()
    await gwen.hears(f"{STORM} alerts")
    for number in range(7):
        await raised(database, occasion=f"third {number}")
    time.now += timedelta(seconds=3)
    await pump.step()

    await gwen.hears(f"{STORM + 7} alerts")
    assert len([message for message in gwen.messages if "⚠" in message.words]) == 4


# -- waking --------------------------------------------------------------------------------


async def planned(database: Database) -> list[tuple[str, str]]:
    async with database.reading() as connection:
        rows = await connection.execute(select(delivery.c.channel, delivery.c.address).order_by(delivery.c.id))
        return [(row.channel, row.address) for row in rows]


async def page(database: Database, now: datetime) -> int:
    async with database.writing() as connection:
        return await page_due(connection, SECRETS.button_key, now)


async def test_the_duty_list_is_woken_in_its_order_and_then_by_text_message(database: Database) -> None:
    await make_poll(database)
    listed = [await enrolled(database, name, Role.SUPPORT, user_id=place) for place, name in ((7, "Huw"), (8, "Sian"))]
    async with database.writing() as connection:
        await enrolment.set_duty_list(connection, [person.id for person in listed], by=BY)
        await enrolment.set_phone(connection, listed[0].id, "+447700900201", by=BY)
    await raised(database)

    assert await page(database, NOW + timedelta(minutes=9)) == 0
    assert await page(database, NOW + timedelta(minutes=10)) == 1
    assert await planned(database) == [("telegram", "8")]
    assert await page(database, NOW + timedelta(minutes=10)) == 0
    assert await page(database, NOW + timedelta(minutes=20)) == 1
    assert await planned(database) == [("telegram", "8"), ("sms", "+447700900201")]
    assert await page(database, NOW + timedelta(days=1)) == 0


@pytest.mark.parametrize("kind", [Kind.MISSING_PACKS, Kind.HELP_ASKED], ids=str)
async def test_what_can_wait_wakes_nobody(database: Database, kind: Kind) -> None:
    await make_poll(database)
    await enrolled(database)
    await raised(database, kind, count=1)

    assert await page(database, NOW + timedelta(days=1)) == 0


async def test_missing_packs_of_a_day_are_one_alert_that_counts(database: Database) -> None:
    await make_poll(database)
    async with database.writing() as connection:
        for member in range(3):
            report = Report(ReportKind.MISSING_PACK, f"missing:{member}", "telegram:7", None, NOW)
            await hooks.on_report(connection, report)
        (one,) = await alerts.open_alerts(connection)
        assert one.facts == {"count": 3}
        assert await connection.scalar(select(func.count()).select_from(alert)) == 1
