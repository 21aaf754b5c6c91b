"""Who hears a notice: each name of the public interface, and whom it means."""

from datetime import date

import pytest
from ballot_town import NOW, make_members, make_poll, numbers, send_notice, stopped_numbers
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from messages import audience
from messages.audience import Audience, Group, parse
from messages.reach import (
    SMS,
    TELEGRAM,
    State,
    channels_of,
    link_telegram,
    members_at,
    set_channel_state,
    set_chat_language,
    sync_sms_channels,
)
from messages.refusals import AudienceUnknown
from messages.schema import delivery
from voting.schema import lock, member, pack
from voting.store.database import Database

IN_WINDOW, AFTER_WINDOW = date(2022, 8, 5), date(2022, 8, 6)


async def town(database: Database) -> None:
    """Make ten members, each of another kind.

    1 not posted, 2 posted, 3 delivered, 4 posted and voted, 5 no pack at all, 6 not eligible, 7 another area, 8 Welsh,
    9 an old pack posted and a new one not, 10 voted by post.
    """
    await make_poll(database)
    await make_members(database, 6)
    await make_members(database, 1, first=7, area="Isle of Man")
    await make_members(database, 1, first=8, language="cy")
    await make_members(database, 2, first=9)
    posted = date(2022, 8, 2)
    packs = [
        (1, 1, "live", None, None),
        (2, 1, "live", posted, None),
        (3, 1, "live", posted, posted),
        (4, 1, "live", posted, None),
        (6, 1, "live", posted, None),
        (7, 1, "live", posted, None),
        (8, 1, "live", posted, None),
        (9, 1, "replaced", posted, None),
        (9, 2, "live", None, None),
        (10, 1, "live", posted, None),
    ]
    async with database.writing() as connection:
        await connection.execute(update(member).where(member.c.id == 6).values(eligible=False))
        for number, (member_id, serial, state, dispatched, delivered) in enumerate(packs, start=1):
            await connection.execute(
                insert(pack).values(
                    id=number,
                    member_id=member_id,
                    serial=serial,
                    pack_hash=b"p%d" % number,
                    state=state,
                    issued_at=NOW,
                    dispatched_on=dispatched,
                    delivered_on=delivered,
                )
            )
        for member_id, pack_id in ((4, 4), (10, 10)):
            await connection.execute(insert(lock).values(member_id=member_id, how="post", at=NOW, pack_id=pack_id))


async def members_of(database: Database, name: str, today: date = IN_WINDOW) -> list[int]:
    async with database.reading() as connection:
        where = audience.where(parse(name), today=today)
        return list((await connection.execute(select(member.c.id).where(where).order_by(member.c.id))).scalars())


async def test_each_audience_means_the_members_it_says(database: Database) -> None:
    """Nobody who may not vote is ever among them."""
    await town(database)

    assert await members_of(database, "all") == [1, 2, 3, 4, 5, 7, 8, 9, 10]
    assert await members_of(database, "not_dispatched") == [1, 5, 9]
    assert await members_of(database, "not_voted") == [1, 2, 3, 5, 7, 8, 9]
    assert await members_of(database, "area:Isle of Man") == [7]
    assert await members_of(database, "language:cy") == [8]


async def test_a_pack_is_overdue_only_when_the_newest_window_is_over(database: Database) -> None:
    await town(database)

    assert await members_of(database, "overdue", IN_WINDOW) == []
    assert await members_of(database, "overdue", AFTER_WINDOW) == [1, 2, 7, 8, 9]


async def test_unreached_are_those_no_row_told_nor_may_have_told(database: Database) -> None:
    """Failed and without a channel: yes. Unknown, sent, or told through the household's number: no."""
    await make_poll(database)
    (number,) = numbers(1)
    await make_members(database, 2, sms=[number, number])
    await make_members(database, 3, sms=numbers(3), first=3)
    await make_members(database, 1, first=6)
    sent = await send_notice(database)
    async with database.writing() as connection:
        for member_id, state in ((1, "sent"), (3, "failed"), (4, "unknown"), (5, "delivered")):
            await connection.execute(update(delivery).where(delivery.c.member_id == member_id).values(state=state))

    assert await members_of(database, f"unreached:{sent.id}") == [3, 6]


async def test_a_household_whose_one_message_failed_was_not_reached(database: Database) -> None:
    await make_poll(database)
    (number,) = numbers(1)
    await make_members(database, 2, sms=[number, number])
    sent = await send_notice(database)
    async with database.writing() as connection:
        await connection.execute(update(delivery).where(delivery.c.member_id == 1).values(state="failed"))

    assert await members_of(database, f"unreached:{sent.id}") == [1, 2]


@pytest.mark.parametrize(
    "name",
    ["", "everyone", "all:", "all:x", "area", "area:", "area: ", "language", "unreached:x", "unreached", "not voted"],
)
def test_a_name_that_means_nobody_is_refused(name: str) -> None:
    with pytest.raises(AudienceUnknown):
        parse(name)


@given(st.sampled_from(Group), st.text("abcABC 0123456789:-", min_size=1).map(str.strip).filter(bool))
def test_an_audience_and_its_name_are_the_same_thing(group: Group, value: str) -> None:
    takes_value = group in audience.WITH_VALUE
    meant = Audience(group, ("7" if group is Group.UNREACHED else value) if takes_value else "")

    assert parse(str(meant)) == meant
    assert parse(f"  {meant} ") == meant


async def test_a_language_chosen_in_the_chat_is_for_the_chat_and_the_rolls_is_for_texts(database: Database) -> None:
    """Member 1 chose in the chat, 2 did not, 3 chose and then blocked the bot, 4 chose before the chat was linked."""
    await make_poll(database)
    await make_members(database, 4, telegram=["71", "72", "73", "74"], sms=numbers(4))
    async with database.writing() as connection:
        await set_chat_language(connection, 71, "cy")
        await set_chat_language(connection, 73, "cy")
        await set_channel_state(connection, TELEGRAM, "73", State.BLOCKED, reason="blocked", now=NOW)
        await link_telegram(connection, 4, 75, NOW, language="cy")

    await send_notice(database)

    async with database.reading() as connection:
        rows = await connection.execute(select(delivery).order_by(delivery.c.member_id))
        planned = [(row.channel, row.language) for row in rows]
    assert planned == [(TELEGRAM, "cy"), (TELEGRAM, "en-GB"), (SMS, "en-GB"), (TELEGRAM, "cy")]


async def phones(database: Database, **by_member: str | None) -> None:
    async with database.writing() as connection:
        for name, phone in by_member.items():
            await connection.execute(update(member).where(member.c.id == int(name[1:])).values(phone=phone))
        await sync_sms_channels(connection, NOW)


async def sms_state(database: Database, member_id: int) -> tuple[str, str]:
    async with database.reading() as connection:
        (found,) = [one for one in await channels_of(connection, member_id) if one.kind == SMS]
        return found.address, str(found.state)


async def test_the_rolls_numbers_become_channels_again_and_again(database: Database) -> None:
    await make_poll(database)
    await make_members(database, 2)
    old, new = numbers(2)

    await phones(database, m1=old)
    await phones(database)
    assert await sms_state(database, 1) == (old, "on")
    async with database.writing() as connection:
        await set_channel_state(connection, SMS, old, State.DEAD, reason="30005", now=NOW)
    await phones(database)
    assert await sms_state(database, 1) == (old, "dead")
    await phones(database, m1=new)
    assert await sms_state(database, 1) == (new, "on")
    await phones(database, m1=None)
    assert await sms_state(database, 1) == (new, "dead")
    await phones(database, m1=new)
    assert await sms_state(database, 1) == (new, "on")


async def test_stop_belongs_to_the_number_whatever_the_roll_does_with_it(database: Database) -> None:
    """Removed, given to somebody else, given back: only START ends it."""
    await make_poll(database)
    await make_members(database, 2)
    number, other = numbers(2)
    await phones(database, m1=number, m2=number)
    async with database.writing() as connection:
        assert await set_channel_state(connection, SMS, number, State.OPTED_OUT, reason="STOP", now=NOW) == 2
        assert await members_at(connection, SMS, number) == [1, 2]

    await phones(database, m1=other, m2=None)
    await phones(database, m1=number)
    assert await sms_state(database, 1) == (number, "opted_out")
    async with database.writing() as connection:
        assert await stopped_numbers(connection) == {number}
        await set_channel_state(connection, SMS, number, State.DEAD, reason="30005", now=NOW)
    assert await sms_state(database, 1) == (number, "opted_out")
    async with database.writing() as connection:
        await set_channel_state(connection, SMS, number, State.ON, reason=None, now=NOW)
        assert await stopped_numbers(connection) == set()
    assert await sms_state(database, 1) == (number, "on")
