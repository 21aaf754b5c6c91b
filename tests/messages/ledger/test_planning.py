"""Whom a notice reaches how: every state of both channels, told by the ledger and by a rule written once more here."""

import itertools
import random
from datetime import date, timedelta
from typing import Any

import pytest
from ballot_town import NOW, chats, make_members, make_poll, numbers, send_notice
from sqlalchemy import insert, select, update

from messages.ledger.planning import MESSAGE_LIFE, NoticePlan, plan_message, plan_notice, planned_rows
from messages.pace.pacer import Lane
from messages.reach import SMS, TELEGRAM, State
from messages.schema import channel, delivery, notice
from voting.schema import member
from voting.store.database import Database

NONE = "no such channel"
CHANNEL_STATES = (NONE, *State)
PHONE_REASONS = (None, "landline")
EVERY_MEMBER = list(itertools.product(CHANNEL_STATES, CHANNEL_STATES, PHONE_REASONS))


async def one_of_each(database: Database) -> None:
    """Make a member for each way in which two channels can be."""
    await make_poll(database)
    await make_members(database, len(EVERY_MEMBER))
    rows = []
    for member_id, (telegram, sms, _) in enumerate(EVERY_MEMBER, start=1):
        for kind, state, address in ((TELEGRAM, telegram, str(member_id)), (SMS, sms, f"+44770090{member_id:04}")):
            if state != NONE:
                rows.append(
                    {"member_id": member_id, "kind": kind, "address": address, "state": str(state), "since": NOW}
                )
    async with database.writing() as connection:
        await connection.execute(insert(channel), rows)
        for member_id, (_, _, reason) in enumerate(EVERY_MEMBER, start=1):
            await connection.execute(update(member).where(member.c.id == member_id).values(phone_reason=reason))


def as_it_should_be(providers: frozenset[str], telegram: str, sms: str, reason: str | None) -> tuple[str, str, str]:
    """Say channel, state and reason as a person would: the chat, else a text, else why neither."""
    if telegram == State.ON and TELEGRAM in providers:
        return TELEGRAM, "ready", ""
    if sms == State.ON and SMS in providers:
        return SMS, "ready", ""
    why = {
        kind: f"{kind}_off" if state == State.ON else str(state)
        for kind, state in ((SMS, sms), (TELEGRAM, telegram))
        if state != NONE
    }
    return (
        TELEGRAM if telegram != NONE else SMS,
        "skipped",
        why.get(SMS) or why.get(TELEGRAM) or reason or "no_channel",
    )


def a_plan(notice_id: int, **changes: Any) -> NoticePlan:
    values: dict[str, Any] = {
        "notice_id": notice_id,
        "kind": "reminder",
        "audience": "all",
        "urgent": False,
        "segments": {"en-GB": 2, "cy": 3},
        "today": date(2022, 8, 3),
        "now": NOW,
    }
    return NoticePlan(**(values | changes))


async def planned(database: Database, plan: NoticePlan) -> list[Any]:
    async with database.reading() as connection:
        rows = planned_rows(plan).subquery("planned")
        return list(await connection.execute(select(rows).order_by(rows.c.member_id)))


@pytest.mark.parametrize(
    "providers",
    [frozenset({TELEGRAM, SMS}), frozenset({TELEGRAM}), frozenset({SMS}), frozenset()],
    ids=["both", "Telegram only", "texts only", "everything off"],
)
async def test_every_member_has_one_row_on_the_best_channel_or_the_nearest_reason(
    database: Database, providers: frozenset[str]
) -> None:
    """All of 50 pairs of channels: SMS gives the reason before Telegram does, and both before the roll."""
    await one_of_each(database)

    found = await planned(database, a_plan(1, providers=providers))

    assert [(row.channel, row.state, row.reason or "") for row in found] == [
        as_it_should_be(providers, *way) for way in EVERY_MEMBER
    ]


async def test_what_is_previewed_is_what_is_planned(database: Database) -> None:
    await one_of_each(database)
    seen = await planned(database, a_plan(1))
    sent = await send_notice(database, kind="reminder")

    async with database.reading() as connection:
        rows = list(await connection.execute(select(delivery).order_by(delivery.c.member_id)))

    assert {row.notice_id for row in rows} == {sent.id}
    assert [(row.member_id, row.channel, row.address, row.state, row.reason) for row in rows] == [
        (row.member_id, row.channel, row.address, row.state, row.reason) for row in seen
    ]


@pytest.mark.parametrize(("urgent", "lane"), [(False, Lane.REST), (True, Lane.URGENT)], ids=["the rest", "urgent"])
async def test_a_row_holds_what_the_notice_says(database: Database, urgent: bool, lane: Lane) -> None:
    await make_poll(database)
    await make_members(database, 1, telegram=["71"])

    (row,) = await planned(database, a_plan(7, urgent=urgent, send_before=NOW + timedelta(hours=1)))

    assert (row.notice_id, row.purpose, row.lane) == (7, "reminder", int(lane))
    assert (row.not_before, row.send_before) == (NOW, NOW + timedelta(hours=1))
    assert (row.fence, row.tries, row.rank) == (0, 0, 0)


@pytest.mark.parametrize(
    ("segments", "counts"),
    [
        ({"en-GB": 2, "cy": 3}, {"en-GB": 2, "cy": 3, "pl": 3}),
        ({"en-GB": 4}, {"en-GB": 4, "cy": 4, "pl": 4}),
        ({}, {"en-GB": 1, "cy": 1, "pl": 1}),
    ],
    ids=["by language, the longest for others", "one language", "not known yet"],
)
async def test_a_text_paces_by_the_segments_of_its_language_and_a_chat_message_is_one(
    database: Database, segments: dict[str, int], counts: dict[str, int]
) -> None:
    await make_poll(database)
    for first, language in enumerate(counts, start=1):
        await make_members(database, 1, sms=numbers(1), first=first, language=language)
        await make_members(database, 1, telegram=[f"7{first}"], first=10 + first, language=language)

    found = await planned(database, a_plan(1, segments=segments))

    assert {row.language: row.segments for row in found if row.channel == SMS} == counts
    assert {row.segments for row in found if row.channel == TELEGRAM} == {1}


@pytest.mark.parametrize("seed", range(3))
async def test_of_those_who_share_an_address_the_first_has_the_message(database: Database, seed: int) -> None:
    """Households of any size, in any order of members, some with a chat of their own, some who may not vote."""
    dice = random.Random(seed)
    await make_poll(database)
    shared = numbers(6)
    where = [dice.choice(shared) for _ in range(40)]
    await make_members(database, 40, sms=where)
    linked = dice.sample(range(1, 41), 8)
    lapsed = set(dice.sample(sorted(set(range(1, 41)) - set(linked)), 8))
    async with database.writing() as connection:
        rows = [
            {"member_id": one, "kind": TELEGRAM, "address": f"7{one}", "state": "on", "since": NOW} for one in linked
        ]
        await connection.execute(insert(channel), rows)
        await connection.execute(update(member).where(member.c.id.in_(lapsed)).values(eligible=False))

    found = {row.member_id: row for row in await planned(database, a_plan(1))}

    assert found.keys() == set(range(1, 41)) - lapsed
    told: set[str] = set()
    for member_id, row in sorted(found.items()):
        number = where[member_id - 1]
        if member_id in linked:
            assert (row.channel, row.state) == (TELEGRAM, "ready")
        else:
            assert (row.state, row.reason) == (("skipped", "household") if number in told else ("ready", None))
            told.add(number)


async def test_planning_counts_its_rows_by_what_they_are(database: Database) -> None:
    await make_poll(database)
    (shared,) = numbers(1)
    await make_members(database, 3, telegram=chats(3))
    await make_members(database, 2, sms=[shared] * 2, first=11)
    await make_members(database, 4, first=21)
    sent = await send_notice(database, send_at=NOW + timedelta(hours=1))

    async with database.writing() as connection:
        counts = await plan_notice(connection, a_plan(sent.id))
        await connection.execute(update(notice).values(state="sending"))

    assert counts == {"telegram": 3, "sms": 1, "household": 1, "skipped": 4}


# -- a message to one person -------------------------------------------------------------


async def message(database: Database, **changes: Any) -> int | None:
    values: dict[str, Any] = {
        "purpose": "link_code",
        "facts": {"code": "123456"},
        "channel": SMS,
        "address": "+447700900001",
        "language": "cy",
        "occasion": "one",
        "lane": Lane.CHAT,
        "now": NOW,
    }
    async with database.writing() as connection:
        return await plan_message(connection, **(values | changes))


@pytest.mark.parametrize(
    ("named", "not_before", "send_before"),
    [
        ({}, NOW, NOW + MESSAGE_LIFE),
        ({"not_before": NOW + timedelta(hours=1)}, NOW + timedelta(hours=1), NOW + MESSAGE_LIFE),
        ({"send_before": NOW + timedelta(minutes=10)}, NOW, NOW + timedelta(minutes=10)),
    ],
    ids=["at once, for a day", "not yet", "for ten minutes"],
)
async def test_a_message_has_its_time(database: Database, named: Any, not_before: Any, send_before: Any) -> None:
    made = await message(database, **named)

    async with database.reading() as connection:
        row = (await connection.execute(select(delivery))).one()
    assert (row.id, row.state, row.not_before, row.send_before) == (made, "ready", not_before, send_before)
    assert (row.facts, row.notice_id, row.lane, row.tries) == ({"code": "123456"}, None, 0, 0)


async def test_the_first_of_an_occasion_stays_as_it_was(database: Database) -> None:
    """A request that comes twice changes neither the words nor the address of what is planned."""
    assert await message(database) is not None
    assert await message(database, facts={"code": "999999"}, address="+447700900002") is None

    async with database.reading() as connection:
        row = (await connection.execute(select(delivery))).one()
    assert (row.facts, row.address) == ({"code": "123456"}, "+447700900001")
