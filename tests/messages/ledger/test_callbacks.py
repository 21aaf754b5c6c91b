"""What Twilio reports, against every state a row can be in: taken if it is news of this try, or if it arrived."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from ballot_town import NOW, make_members, make_poll, numbers, send_notice
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from messages.ledger.aftermath import Aftermath, Trouble
from messages.ledger.callbacks import DIGITS_MAX, RANKS, StatusReport, read_report, record_status
from messages.ledger.planning import plan_message
from messages.ledger.settlement import LATER_AFTER, SILENT_AFTER
from messages.pace.pacer import Lane
from messages.reach import SMS
from messages.schema import delivery, notice, provider_event
from voting.store.database import Database

STATES = ("ready", "sending", "sent", "delivered", "failed", "unknown", "canceled", "skipped")
MOVING = {"ready", "sending", "sent", "failed", "unknown"}
ARRIVED = {"delivered", "read"}
REPORT = StatusReport("SM1", "sent")


async def one_row(database: Database, state: str, **values: Any) -> int:
    """Make a text message in a state, claimed twice so far (fence 2), known to Twilio as SM1."""
    await make_poll(database)
    await make_members(database, 1, sms=numbers(1))
    await send_notice(database)
    async with database.writing() as connection:
        changes = {"state": state, "fence": 2, "provider_id": "SM1", **values}
        await connection.execute(update(delivery).values(changes))
        return int((await connection.execute(select(delivery.c.id))).scalar_one())


async def reported(database: Database, report: StatusReport, aftermath: Aftermath | None = None) -> bool:
    async with database.writing() as connection:
        return await record_status(connection, report, aftermath=aftermath or Aftermath(), now=NOW)


async def row_of(database: Database) -> Any:
    async with database.reading() as connection:
        return (await connection.execute(select(delivery))).one()


def test_the_ranks_are_twilios_and_only_arrival_is_above_failure() -> None:
    """No status of this table can follow `delivered` but `read`."""
    assert sorted(RANKS, key=lambda name: (RANKS[name], name)) == [
        "accepted",
        "scheduled",
        "queued",
        "sending",
        "sent",
        "canceled",
        "failed",
        "undelivered",
        "delivered",
        "read",
    ]
    assert {name for name in RANKS if RANKS[name] > RANKS["failed"]} == ARRIVED


@pytest.mark.parametrize("status", RANKS)
@pytest.mark.parametrize("state", STATES)
async def test_a_status_is_taken_by_a_row_that_moves_and_arrival_by_every_row(
    database: Database, state: str, status: str
) -> None:
    """What was never sent to our knowledge, and arrived all the same, is told: the member has it."""
    delivery_id = await one_row(database, state)

    taken = await reported(database, StatusReport("SM1", status, 30006, delivery_id, 2))

    row = await row_of(database)
    assert taken is (state in MOVING or status in ARRIVED)
    if not taken:
        assert (row.state, row.rank, row.settled_at) == (state, 0, None)
    else:
        failed = RANKS[status] == RANKS["failed"]
        assert row.rank == RANKS[status]
        assert row.state == ("delivered" if status in ARRIVED else "failed" if failed else "sent")
        assert row.reason == ("30006" if failed else None)
        assert row.lease_until == (NOW + SILENT_AFTER if RANKS[status] < RANKS["failed"] else None)


@pytest.mark.parametrize(
    ("named", "taken"),
    [
        pytest.param({"fence": 2}, True, id="of this try"),
        pytest.param({"fence": 1}, False, id="of the try before"),
        pytest.param({"fence": 1, "status": "delivered"}, True, id="of the try before, and it arrived"),
        pytest.param({"fence": 3}, False, id="of a try there was not"),
        pytest.param({"delivery_id": None, "fence": None}, True, id="by the provider's id"),
        pytest.param(
            {"delivery_id": None, "fence": None, "provider_id": "SM2"}, False, id="by an id we never heard of"
        ),
        pytest.param({"delivery_id": 999}, False, id="of a row there is not"),
        pytest.param({"delivery_id": 999, "status": "delivered"}, False, id="arrived, of a row there is not"),
    ],
)
async def test_a_status_finds_its_row_by_our_number_and_fence_or_by_the_providers_id(
    database: Database, named: dict[str, Any], taken: bool
) -> None:
    delivery_id = await one_row(database, "sending")

    report = replace(REPORT, **{"delivery_id": delivery_id, "fence": 2, **named})
    assert await reported(database, report) is taken


async def test_a_status_of_a_text_never_touches_a_chat_message(database: Database) -> None:
    """A callback's URL carries a row's number: whoever makes one up reaches text messages only."""
    delivery_id = await one_row(database, "sending", channel="telegram")

    assert not await reported(database, StatusReport("SM1", "delivered", None, delivery_id, 2))
    assert not await reported(database, StatusReport("SM1", "delivered"))


async def test_each_status_of_a_message_is_kept_once_also_when_it_changes_nothing(database: Database) -> None:
    delivery_id = await one_row(database, "sent")
    for status in ("delivered", "delivered", "sent", "sent", "pondering"):
        await reported(database, StatusReport("SM1", status, None, delivery_id, 2))

    async with database.reading() as connection:
        rows = await connection.execute(
            select(provider_event.c.status, provider_event.c.delivery_id, func.count())
            .group_by(provider_event.c.status, provider_event.c.delivery_id)
            .order_by(provider_event.c.status)
        )
        assert [tuple(row) for row in rows] == [("delivered", delivery_id, 1), ("sent", delivery_id, 1)]


async def test_news_of_a_row_that_is_gone_is_kept_without_it(database: Database) -> None:
    await make_poll(database)
    await reported(database, StatusReport("SM9", "sent", None, 999, 1))

    async with database.reading() as connection:
        assert (await connection.execute(select(provider_event.c.delivery_id))).scalar_one() is None


async def test_the_time_of_sending_is_the_first_and_of_settling_the_last(database: Database) -> None:
    sent_at = NOW - timedelta(hours=1)
    delivery_id = await one_row(database, "sent", sent_at=sent_at, settled_at=sent_at, facts={"code": "1"})

    await reported(database, StatusReport("SM1", "delivered", None, delivery_id, 2))

    row = await row_of(database)
    assert (row.sent_at, row.settled_at, row.facts) == (sent_at, NOW, None)


# -- a failure that comes after the answer ---------------------------------------------------


@pytest.mark.parametrize(
    ("code", "tries", "state", "reason", "told"),
    [
        pytest.param(30003, 0, "ready", "30003", [], id="a handset that was off: once more"),
        pytest.param(30003, 1, "failed", "30003", [], id="off again: given up"),
        pytest.param(30005, 0, "failed", "30005", [], id="a handset there is not"),
        pytest.param(None, 0, "failed", "undelivered", [], id="no reason given"),
        pytest.param(39999, 0, "failed", "39999", ["unknown_code"], id="a code nobody knows reaches staff"),
        pytest.param(30002, 0, "ready", "30002", ["our_setup"], id="our account: the notice waits"),
    ],
)
async def test_a_late_failure_is_judged_by_its_code(
    database: Database, code: int | None, tries: int, state: str, reason: str, told: list[str]
) -> None:
    heard: list[Trouble] = []

    async def hear(_connection: object, trouble: Trouble) -> None:
        heard.append(trouble)

    delivery_id = await one_row(database, "sent", tries=tries)
    await reported(database, StatusReport("SM1", "undelivered", code, delivery_id, 2), Aftermath(on_trouble=hear))

    row = await row_of(database)
    assert (row.state, row.reason) == (state, reason)
    assert [trouble.kind for trouble in heard] == told
    assert row.not_before == (NOW + LATER_AFTER if (code, state) == (30003, "ready") else NOW)


@pytest.mark.parametrize(
    ("before", "after"),
    [("done", "sending"), ("sending", "sending"), ("paused", "paused"), ("canceled", "canceled")],
)
async def test_a_text_that_is_tried_once_more_wakes_a_notice_that_was_done_and_no_other(
    database: Database, before: str, after: str
) -> None:
    delivery_id = await one_row(database, "sent")
    async with database.writing() as connection:
        await connection.execute(update(notice).values(state=before, ended_at=NOW))

    await reported(database, StatusReport("SM1", "undelivered", 30003, delivery_id, 2))

    async with database.reading() as connection:
        found = (await connection.execute(select(notice.c.state, notice.c.ended_at))).one()
    assert found.state == after
    assert (found.ended_at is None) == (before == "done")


async def test_a_message_to_one_person_is_not_tried_again_for_its_words_are_forgotten(database: Database) -> None:
    async with database.writing() as connection:
        delivery_id = await plan_message(
            connection,
            purpose="link_code",
            facts={"code": "123456"},
            channel=SMS,
            address="+447700900001",
            language="cy",
            occasion="one",
            lane=Lane.CHAT,
            now=NOW,
        )
        await connection.execute(update(delivery).values(state="sent", fence=1))

    await reported(database, StatusReport("SM1", "undelivered", 30003, delivery_id, 1))

    row = await row_of(database)
    assert (row.state, row.reason, row.facts) == ("failed", "30003", None)


# -- reading -----------------------------------------------------------------------------------


MESS = {
    "as we wrote it": ("12-3", (12, 3)),
    "no parameter": (None, (None, None)),
    "an empty one": ("", (None, None)),
    "a number without a fence": ("12", (None, None)),
    "a fence without a number": ("-3", (None, None)),
    "words": ("twelve-3", (None, None)),
    "a sign": ("-12-3", (None, None)),
    "three parts": ("12-3-4", (None, None)),
    "a space": ("12 -3", (None, None)),
    "a plus": ("+12-3", (None, None)),
    "more digits than a column holds": (f"{'1' * (DIGITS_MAX + 1)}-3", (None, None)),
    "a fence of too many digits": (f"12-{'1' * (DIGITS_MAX + 1)}", (None, None)),
    "a fraction": ("1.5-3", (None, None)),
    "SQL": ("1-1 OR 1=1", (None, None)),
}


@pytest.mark.parametrize(("ours", "expected"), MESS.values(), ids=MESS.keys())
def test_what_is_not_written_as_we_write_it_is_nobodys(
    ours: str | None, expected: tuple[int | None, int | None]
) -> None:
    report = read_report("SM1", "sent", None, ours)

    assert (report.delivery_id, report.fence) == expected


@pytest.mark.parametrize(
    ("written", "code"), [("30003", 30003), ("", None), (None, None), ("30003x", None), ("-1", None), ("0", 0)]
)
def test_an_error_code_is_a_number_or_none(written: str | None, code: int | None) -> None:
    assert read_report("SM1", "failed", written, None).error_code == code


@given(st.integers(0, 10**DIGITS_MAX - 1), st.integers(0, 10**DIGITS_MAX - 1))
def test_a_row_and_its_fence_come_back_as_they_were_sent(delivery_id: int, fence: int) -> None:
    report = read_report("SM1", "sent", None, f"{delivery_id}-{fence}")

    assert (report.delivery_id, report.fence) == (delivery_id, fence)


@given(st.text(), st.text(), st.none() | st.text(), st.none() | st.text())
def test_whatever_is_posted_is_read(sid: str, status: str, code: str | None, ours: str | None) -> None:
    """Either both of our numbers or neither; no status but Twilio's has a rank."""
    report = read_report(sid, status, code, ours)

    assert (report.delivery_id is None) == (report.fence is None)
    assert (report.rank > 0) == (status in RANKS)
