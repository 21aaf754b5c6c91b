"""A channel's state under any news, in any order: what STOP outlives, what a new roll changes, who is where."""

import random
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from ballot_town import NOW, make_members, make_poll, numbers, stopped_numbers
from sqlalchemy import select, update

from messages.reach import (
    SMS,
    TELEGRAM,
    State,
    channels_of,
    link_telegram,
    members_at,
    set_channel_state,
    sync_sms_channels,
)
from messages.schema import channel
from voting.schema import member
from voting.store.database import Database

LATER = NOW + timedelta(hours=1)


async def texting_member(database: Database, state: State = State.ON) -> str:
    await make_poll(database)
    (number,) = numbers(1)
    await make_members(database, 1, sms=[number])
    if state is not State.ON:
        async with database.writing() as connection:
            await set_channel_state(connection, SMS, number, state, reason="before", now=NOW)
    return number


async def state_of(database: Database, kind: str = SMS, member_id: int = 1) -> tuple[str, str | None]:
    async with database.reading() as connection:
        (found,) = [one for one in await channels_of(connection, member_id) if one.kind == kind]
        return found.state, found.reason


# (before, the news) -> the state after; STOP ends only with START.
NEWS = {
    (State.ON, State.ON): State.ON,
    (State.ON, State.BLOCKED): State.BLOCKED,
    (State.ON, State.DEAD): State.DEAD,
    (State.ON, State.OPTED_OUT): State.OPTED_OUT,
    (State.BLOCKED, State.ON): State.ON,
    (State.BLOCKED, State.BLOCKED): State.BLOCKED,
    (State.BLOCKED, State.DEAD): State.DEAD,
    (State.BLOCKED, State.OPTED_OUT): State.OPTED_OUT,
    (State.DEAD, State.ON): State.ON,
    (State.DEAD, State.BLOCKED): State.BLOCKED,
    (State.DEAD, State.DEAD): State.DEAD,
    (State.DEAD, State.OPTED_OUT): State.OPTED_OUT,
    (State.OPTED_OUT, State.ON): State.ON,
    (State.OPTED_OUT, State.BLOCKED): State.OPTED_OUT,
    (State.OPTED_OUT, State.DEAD): State.OPTED_OUT,
    (State.OPTED_OUT, State.OPTED_OUT): State.OPTED_OUT,
}


@pytest.mark.parametrize(("before", "news"), NEWS, ids=[f"{before} then {news}" for before, news in NEWS])
async def test_news_of_an_address_changes_its_state_as_the_table_says(
    database: Database, before: State, news: State
) -> None:
    """What changes nothing keeps the reason and concerns nobody."""
    number = await texting_member(database, before)
    after = NEWS[before, news]
    async with database.writing() as connection:
        concerned = await set_channel_state(connection, SMS, number, news, reason="news", now=LATER)
        stopped = number in await stopped_numbers(connection)

    assert concerned == (after != before)
    assert await state_of(database) == (after, "news" if after != before else ("before" if before != "on" else None))
    assert stopped == (after is State.OPTED_OUT)


def test_the_table_of_news_has_every_pair_of_states() -> None:
    assert NEWS.keys() == {(before, news) for before in State for news in State}


async def test_news_of_a_number_is_news_for_everybody_who_shares_it_and_nobody_else(database: Database) -> None:
    await make_poll(database)
    shared, own = numbers(2)
    await make_members(database, 3, sms=[shared, own, shared], telegram=["71", "72", "73"])
    async with database.writing() as connection:
        assert await members_at(connection, SMS, shared) == [1, 3]
        assert await set_channel_state(connection, SMS, shared, State.DEAD, reason="30005", now=NOW) == 2
        assert await members_at(connection, SMS, "+447700900999") == []

    assert await state_of(database, SMS, 2) == ("on", None)
    assert [await state_of(database, TELEGRAM, number) for number in (1, 2, 3)] == [("on", None)] * 3


async def test_a_stop_by_text_leaves_the_chat_on_and_a_blocked_chat_the_texts(database: Database) -> None:
    await make_poll(database)
    (number,) = numbers(1)
    await make_members(database, 1, sms=[number], telegram=["71"])
    async with database.writing() as connection:
        await set_channel_state(connection, SMS, number, State.OPTED_OUT, reason="STOP", now=NOW)
        assert await state_of_both(connection) == {TELEGRAM: "on", SMS: "opted_out"}
        await set_channel_state(connection, SMS, number, State.ON, reason=None, now=NOW)
        await set_channel_state(connection, TELEGRAM, "71", State.BLOCKED, reason="blocked", now=NOW)
        assert await state_of_both(connection) == {TELEGRAM: "blocked", SMS: "on"}


async def state_of_both(connection: object) -> dict[str, str]:
    return {found.kind: found.state for found in await channels_of(connection, 1)}  # type: ignore[arg-type]


# -- the chat ------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [State.BLOCKED, State.DEAD])
async def test_whoever_links_a_chat_again_is_reached_there_again(database: Database, state: State) -> None:
    """Also in another chat: a member has one."""
    await make_poll(database)
    await make_members(database, 1, telegram=["71"])
    async with database.writing() as connection:
        await set_channel_state(connection, TELEGRAM, "71", state, reason="x", now=NOW)
        await link_telegram(connection, 1, 72, LATER)
        (found,) = await channels_of(connection, 1)

    assert (found.address, found.state, found.reason, found.since) == ("72", State.ON, None, LATER)


# -- the roll's number ------------------------------------------------------------------------


@dataclass
class Belief:
    """What a person who watched would say of numbers and one member."""

    phone: str | None
    state: str = "on"
    address: str | None = None
    gone: bool = False
    stopped: set[str] = field(default_factory=set)

    def imported(self, phone: str | None) -> None:
        self.phone = phone
        if phone is None:
            if self.address is not None and self.state == "on":
                self.state, self.gone = "dead", True
        elif phone != self.address or self.gone:
            self.address, self.gone = phone, False
            self.state = "opted_out" if phone in self.stopped else "on"

    def heard(self, number: str, state: State) -> None:
        if state is State.OPTED_OUT:
            self.stopped.add(number)
        if state is State.ON:
            self.stopped.discard(number)
        if number == self.address and not (self.state == "opted_out" and state in {State.DEAD, State.BLOCKED}):
            self.gone = self.gone and self.state == state
            self.state = str(state)


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_rolls_and_news_come_the_channel_is_what_somebody_who_watched_would_say(
    database: Database, seed: int
) -> None:
    """Forty steps: numbers that change, vanish and come back; STOP, START and dead numbers between."""
    dice = random.Random(seed)
    await make_poll(database)
    known = numbers(3)
    await make_members(database, 1)
    belief = Belief(None)
    for step in range(40):
        now = NOW + timedelta(minutes=step)
        async with database.writing() as connection:
            if dice.random() < 0.5:
                phone = dice.choice([*known, None])
                await connection.execute(update(member).values(phone=phone))
                await sync_sms_channels(connection, now)
                belief.imported(phone)
            else:
                number, state = dice.choice(known), dice.choice(list(State))
                await set_channel_state(connection, SMS, number, state, reason="news", now=now)
                belief.heard(number, state)
            rows = list(await connection.execute(select(channel.c.address, channel.c.state)))
            stopped = await stopped_numbers(connection)

        assert rows == ([(belief.address, belief.state)] if belief.address else []), f"step {step}"
        assert stopped == belief.stopped


async def test_an_import_that_changes_nothing_keeps_the_time_of_every_state(database: Database) -> None:
    number = await texting_member(database, State.DEAD)
    async with database.writing() as connection:
        for _ in range(2):
            await sync_sms_channels(connection, LATER)
        (found,) = await channels_of(connection, 1)

    assert (found.address, found.state, found.reason, found.since) == (number, State.DEAD, "before", NOW)
