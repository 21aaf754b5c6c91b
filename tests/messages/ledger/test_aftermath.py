"""What follows from a settled row: channels off, a text instead of a chat, a notice paused, staff told, once."""

from dataclasses import replace
from typing import Any

import pytest
from ballot_town import NOW, chats, make_members, make_poll, numbers, send_notice
from sqlalchemy import select, update

from messages.channels.channels import Sent
from messages.channels.verdicts import UNCLEAR, SendFailed, Verdict
from messages.ledger.aftermath import Aftermath, Trouble
from messages.ledger.outbox import Order, Skipped, claim, settle
from messages.ledger.settlement import Claimed, Settlement, after_failure, after_sent
from messages.ledger.suspects import SEVERAL
from messages.reach import SMS, TELEGRAM, State, channels_of, set_channel_state
from messages.schema import delivery, notice
from voting.store.database import Database


class House:
    """An aftermath over a database, and what it told."""

    def __init__(self, database: Database, *, sms: bool = True) -> None:
        self.database = database
        self.heard: list[Trouble] = []
        self.moved: list[tuple[str, str]] = []
        self.aftermath = Aftermath(on_trouble=self._hear, on_migrated=self._move, sms=sms)

    async def _hear(self, _connection: object, trouble: Trouble) -> None:
        self.heard.append(trouble)

    async def _move(self, _connection: object, old: str, new: str) -> None:
        self.moved.append((old, new))

    async def claims(self, kind: str, notice_id: int, most: int = 100) -> list[Claimed]:
        async with self.database.writing() as connection:
            return (await claim(connection, Order(kind, notice_id, "leave"), most, NOW))[0]

    async def settles(self, *settlements: Settlement) -> None:
        async with self.database.writing() as connection:
            await settle(connection, settlements, NOW)
            await self.aftermath.after_settled(connection, settlements, NOW)

    async def skips(self, *skipped: Skipped) -> None:
        async with self.database.writing() as connection:
            await self.aftermath.after_skipped(connection, skipped, NOW)

    async def rows(self) -> list[Any]:
        async with self.database.reading() as connection:
            return list(await connection.execute(select(delivery).order_by(delivery.c.id)))

    async def notice(self) -> tuple[str, str | None]:
        async with self.database.reading() as connection:
            found = (await connection.execute(select(notice.c.state, notice.c.pause_reason))).one()
            return found.state, found.pause_reason

    def kinds(self) -> list[tuple[str, str, str]]:
        return [(trouble.provider, trouble.kind, trouble.detail) for trouble in self.heard]


async def members(database: Database, count: int = 1, *, texts: bool = True) -> None:
    await make_poll(database)
    await make_members(database, count, telegram=chats(count), sms=numbers(count) if texts else None)


def failed(row: Claimed, verdict: Verdict, reason: str = "why", **named: Any) -> Settlement:
    return after_failure(row, SendFailed(verdict, reason, **named), NOW)


# verdict -> does a text follow, is the notice paused, what is staff told
CONSEQUENCES: dict[Verdict, tuple[bool, bool, str | None]] = {
    Verdict.BLOCKED: (True, False, None),
    Verdict.DEAD: (True, False, None),
    Verdict.OPTED_OUT: (True, False, None),
    Verdict.BAD_NUMBER: (True, False, None),
    Verdict.REFUSED: (False, False, None),
    Verdict.LATER: (False, False, None),
    Verdict.SLOW_DOWN: (False, False, None),
    Verdict.UNREACHABLE: (False, False, None),
    Verdict.OUR_SETUP: (False, True, "our_setup"),
    Verdict.DOUBTFUL: (False, False, None),
    Verdict.ON_THE_WAY: (False, False, None),
    Verdict.EXHAUSTED: (False, False, "exhausted"),
    Verdict.MIGRATED: (False, False, None),
    Verdict.UNKNOWN: (False, False, None),
}


@pytest.mark.parametrize("verdict", Verdict)
async def test_each_verdict_alone_has_its_consequences_and_no_other(database: Database, verdict: Verdict) -> None:
    await members(database)
    sent = await send_notice(database)
    house = House(database)
    (row,) = await house.claims(TELEGRAM, sent.id)

    await house.settles(failed(row, verdict))

    text, paused, told = CONSEQUENCES[verdict]
    assert [one.channel for one in await house.rows()] == [TELEGRAM, SMS][: 1 + text]
    assert await house.notice() == (("paused", "telegram:why") if paused else ("sending", None))
    assert house.kinds() == ([("telegram", told, "why")] if told else [])


@pytest.mark.parametrize("verdict", [Verdict.REFUSED, Verdict.DOUBTFUL, Verdict.LATER])
async def test_a_code_no_table_knows_reaches_staff_whatever_its_verdict(database: Database, verdict: Verdict) -> None:
    await members(database)
    sent = await send_notice(database)
    house = House(database)
    (row,) = await house.claims(TELEGRAM, sent.id)

    await house.settles(failed(row, verdict, "29999", surprising=True))

    assert house.kinds() == [("telegram", "unknown_code", "29999")]


async def test_a_group_that_moved_is_told_with_both_its_ids_and_without_a_new_one_not_at_all(
    database: Database,
) -> None:
    await members(database)
    sent = await send_notice(database)
    house = House(database)
    (row,) = await house.claims(TELEGRAM, sent.id)
    await house.settles(failed(row, Verdict.MIGRATED))
    assert house.moved == []

    await house.settles(failed(row, Verdict.MIGRATED, migrate_to="-1007"))

    assert house.moved == [(row.address, "-1007")]


# -- several alike ------------------------------------------------------------------------


@pytest.mark.parametrize("verdict", [Verdict.ON_THE_WAY, Verdict.UNKNOWN])
async def test_a_notice_is_paused_when_nothing_gets_through(database: Database, verdict: Verdict) -> None:
    """Several in a row without an answer of the provider's; one fewer, or one that went, is no evidence."""
    await members(database, SEVERAL + 2)
    sent = await send_notice(database)
    house = House(database)
    rows = await house.claims(TELEGRAM, sent.id)

    await house.settles(*(failed(row, verdict, UNCLEAR) for row in rows[: SEVERAL - 1]))
    await house.settles(after_sent(rows[SEVERAL - 1], Sent("1"), NOW))
    assert (await house.notice(), house.heard) == (("sending", None), [])
    await house.settles(*(failed(row, verdict, UNCLEAR) for row in rows[:SEVERAL]))

    assert await house.notice() == ("paused", f"telegram:{UNCLEAR}")
    assert house.kinds() == [("telegram", "on_the_way", UNCLEAR)]


async def test_several_doubtful_alike_are_our_set_up_and_wait_behind_the_others(database: Database) -> None:
    """Once: what fails again after staff resumed the notice is failed for good."""
    await members(database, SEVERAL)
    sent = await send_notice(database)
    house = House(database)
    rows = await house.claims(TELEGRAM, sent.id)

    await house.settles(*(failed(row, Verdict.DOUBTFUL, "30007") for row in rows))

    found = await house.rows()
    assert {(row.state, row.tries, row.settled_at) for row in found} == {("ready", 1, None)}
    assert await house.notice() == ("paused", "telegram:30007")
    assert house.kinds() == [("telegram", "our_setup", "30007")]

    async with database.writing() as connection:
        await connection.execute(update(notice).values(state="sending", pause_reason=None))
    again = await house.claims(TELEGRAM, sent.id)
    await house.settles(*(failed(row, Verdict.DOUBTFUL, "30007") for row in again))
    assert {(row.state, row.reason) for row in await house.rows()} == {("failed", "30007")}
    assert await house.notice() == ("sending", None)


async def test_doubtful_for_different_reasons_are_their_recipients(database: Database) -> None:
    await members(database, SEVERAL)
    sent = await send_notice(database)
    house = House(database)
    rows = await house.claims(TELEGRAM, sent.id)

    await house.settles(*(failed(row, Verdict.DOUBTFUL, f"{place}") for place, row in enumerate(rows)))

    assert {row.state for row in await house.rows()} == {"failed"}
    assert (await house.notice(), house.heard) == (("sending", None), [])


@pytest.mark.parametrize("state", ["paused", "canceled", "done"])
async def test_a_notice_that_is_not_being_sent_is_not_paused_and_staff_are_told_once(
    database: Database, state: str
) -> None:
    await members(database, 3)
    sent = await send_notice(database)
    house = House(database)
    rows = await house.claims(TELEGRAM, sent.id)
    async with database.writing() as connection:
        await connection.execute(update(notice).values(state=state))

    await house.settles(*(failed(row, Verdict.OUR_SETUP) for row in rows))

    assert (await house.notice(), house.heard) == ((state, None), [])


# -- a text instead -------------------------------------------------------------------------


async def test_a_text_in_place_of_a_chat_keeps_what_the_notice_said_of_it(database: Database) -> None:
    await members(database)
    sent = await send_notice(database, urgent=True, send_before=NOW.replace(hour=20))
    house = House(database)
    (row,) = await house.claims(TELEGRAM, sent.id)

    await house.settles(failed(row, Verdict.BLOCKED, "blocked"))

    first, text = await house.rows()
    assert (text.notice_id, text.member_id, text.fallback_of) == (sent.id, 1, first.id)
    assert (text.lane, text.language, text.purpose) == (first.lane, first.language, first.purpose)
    assert (text.send_before, text.not_before) == (first.send_before, NOW)
    assert text.segments == sent.segments["en-GB"]


@pytest.mark.parametrize("state", [State.OPTED_OUT, State.DEAD, State.BLOCKED])
async def test_no_text_follows_to_a_number_that_is_off(database: Database, state: State) -> None:
    await members(database)
    sent = await send_notice(database)
    house = House(database)
    (row,) = await house.claims(TELEGRAM, sent.id)
    async with database.writing() as connection:
        number = (await channels_of(connection, 1))[1].address
        await set_channel_state(connection, SMS, number, state, reason="x", now=NOW)

    await house.settles(failed(row, Verdict.BLOCKED, "blocked"))

    assert [(one.channel, one.state) for one in await house.rows()] == [(TELEGRAM, "failed")]


async def test_a_text_to_a_number_that_is_told_already_is_the_households(database: Database) -> None:
    """Two members with chats share a number: when both block the bot, the number hears the notice once."""
    await make_poll(database)
    (shared,) = numbers(1)
    await make_members(database, 2, telegram=chats(2), sms=[shared] * 2)
    sent = await send_notice(database)
    house = House(database)
    rows = await house.claims(TELEGRAM, sent.id)

    await house.settles(*(failed(row, Verdict.BLOCKED, "blocked") for row in rows))

    texts = [(row.state, row.reason) for row in await house.rows() if row.channel == SMS]
    assert sorted(texts) == [("ready", None), ("skipped", "household")]


@pytest.mark.parametrize(
    "changes",
    [{"channel": SMS}, {"notice_id": None}, {"member_id": None}],
    ids=["a text", "a message to one person", "a message to nobody on the roll"],
)
async def test_only_a_notice_in_a_chat_has_a_text_in_its_place(database: Database, changes: dict[str, Any]) -> None:
    await members(database)
    sent = await send_notice(database)
    house = House(database)
    (row,) = await house.claims(TELEGRAM, sent.id)

    await house.skips(Skipped(replace(row, **changes), State.BLOCKED))

    assert len(await house.rows()) == 1


@pytest.mark.parametrize(
    ("reason", "texts"),
    [(State.BLOCKED, 1), (State.DEAD, 1), (State.OPTED_OUT, 0), ("expired", 0), ("voted", 0)],
)
async def test_a_row_left_out_of_a_claim_has_a_text_only_if_its_chat_is_off(
    database: Database, reason: str, texts: int
) -> None:
    await members(database)
    sent = await send_notice(database)
    house = House(database)
    (row,) = await house.claims(TELEGRAM, sent.id)

    await house.skips(Skipped(row, reason), Skipped(row, reason))

    assert len(await house.rows()) == 1 + texts


@pytest.mark.parametrize(("reason", "promoted"), [("voted", 1), ("expired", 0), ("opted_out", 0)])
async def test_the_next_of_a_household_is_told_if_the_first_has_voted(
    database: Database, reason: str, promoted: int
) -> None:
    """The first by number, one at a time; a number that said STOP or a text that is late is nobody's."""
    await make_poll(database)
    (shared,) = numbers(1)
    await make_members(database, 3, sms=[shared] * 3)
    sent = await send_notice(database)
    house = House(database)
    (row,) = await house.claims(SMS, sent.id)

    await house.skips(Skipped(row, reason))

    ready = [one.member_id for one in await house.rows() if one.state == "ready"]
    assert ready == [2][:promoted]
