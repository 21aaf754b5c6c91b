"""One act turns on again what a provider's errors turned off within a span, and nothing that a person did."""

from datetime import timedelta

import pytest
from ballot_town import NOW, chats, make_members, make_poll, numbers
from sqlalchemy import select, update

from messages import reach
from messages.channels_back import ChannelUnknown, ErrorsNotNamed, Span, SpanEmpty, channels_back
from messages.reach import BY_MEMBER, NUMBER_REMOVED, SMS, TELEGRAM, State, set_channel_state
from messages.refusals import NoReasonGiven
from messages.schema import channel, opt_out
from voting.model import By
from voting.schema import chain
from voting.store.database import Database

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
BY = By("Gwen", "command line", NOW + 2 * HOUR)
REASON = "a proxy answered"

# kind, state, reason, when it went off, whether it comes back; the span is from NOW for an hour, its ends included.
OFF = {
    "blocked, as Telegram said": (TELEGRAM, State.BLOCKED, "blocked", NOW, True),
    "a chat that is not found": (TELEGRAM, State.DEAD, "chat_not_found", NOW + HOUR, True),
    "blocked by their own act": (TELEGRAM, State.BLOCKED, BY_MEMBER, NOW + MINUTE, False),
    "before the span": (TELEGRAM, State.BLOCKED, "blocked", NOW - MINUTE, False),
    "after the span": (TELEGRAM, State.BLOCKED, "blocked", NOW + HOUR + MINUTE, False),
    "on all the time": (TELEGRAM, State.ON, None, NOW, False),
    "a landline": (SMS, State.DEAD, "21635", NOW + MINUTE, True),
    "an unknown phone, not named": (SMS, State.DEAD, "30005", NOW + MINUTE, False),
    "said STOP": (SMS, State.OPTED_OUT, "STOP", NOW + MINUTE, False),
    "replied STOP, as Twilio said": (SMS, State.OPTED_OUT, "21610", NOW + MINUTE, False),
    "taken away by the roll": (SMS, State.DEAD, NUMBER_REMOVED, NOW + MINUTE, False),
}


def span(kind: str, **changes: object) -> Span:
    errors = ("21635",) if kind == SMS else ()
    return Span(**{"kind": kind, "since": NOW, "until": NOW + HOUR, "errors": errors} | changes)  # type: ignore[arg-type]


async def one_that(database: Database, kind: str, state: State, reason: str | None, since: object) -> str:
    """Make a member whose channel is so; give the address."""
    (address,) = numbers(1) if kind == SMS else chats(1)
    await make_poll(database)
    await make_members(database, 1, **{kind: [address]})  # type: ignore[arg-type]
    async with database.writing() as connection:
        await connection.execute(update(channel).values(state=state, reason=reason, since=since))
    return address


async def state_now(database: Database) -> tuple[str, str | None]:
    async with database.reading() as connection:
        row = (await connection.execute(select(channel.c.state, channel.c.reason))).one()
        return row.state, row.reason


@pytest.mark.parametrize(("kind", "state", "reason", "since", "back"), OFF.values(), ids=OFF.keys())
async def test_what_comes_back(
    database: Database, kind: str, state: State, reason: str | None, since: object, back: bool
) -> None:
    await one_that(database, kind, state, reason, since)

    async with database.writing() as connection:
        found = await channels_back(connection, span(kind), REASON, by=BY)

    assert found == ({reason: 1} if back else {})
    assert await state_now(database) == (("on", None) if back else (state, reason))
    async with database.reading() as connection:
        body = (await connection.execute(select(chain.c.body).where(chain.c.kind == "channels_back"))).scalar_one()
    assert (body["channel"], body["by_error"], body["reason"]) == (kind, found, REASON)


async def test_a_number_on_the_list_of_stops_stays_off_whatever_its_channel_says(database: Database) -> None:
    address = await one_that(database, SMS, State.DEAD, "21635", NOW)
    async with database.writing() as connection:
        await connection.execute(opt_out.insert().values(address=address, since=NOW))
        assert await channels_back(connection, span(SMS), REASON, by=BY) == {}

    assert (await state_now(database))[0] == "dead"


WRONG = {
    "a channel that there is not": (span("fax"), REASON, ChannelUnknown),
    "a span that ends before it begins": (span(TELEGRAM, until=NOW - MINUTE), REASON, SpanEmpty),
    "dead numbers without their error": (span(SMS, errors=()), REASON, ErrorsNotNamed),
    "no reason": (span(TELEGRAM), " \n", NoReasonGiven),
}


@pytest.mark.parametrize(("asked", "reason", "refusal"), WRONG.values(), ids=WRONG.keys())
async def test_what_is_refused(database: Database, asked: Span, reason: str, refusal: type[Exception]) -> None:
    await one_that(database, SMS, State.DEAD, "21635", NOW)

    async with database.writing() as connection:
        with pytest.raises(refusal) as raised:
            await channels_back(connection, asked, reason, by=BY)

    assert "21635 (1)" in str(raised.value) or refusal is not ErrorsNotNamed
    assert (await state_now(database))[0] == "dead"


async def test_the_error_alone_is_asked_for_when_one_is_named(database: Database) -> None:
    """Telegram's errors come back all together, or only the named."""
    await one_that(database, TELEGRAM, State.DEAD, "deactivated", NOW)

    async with database.writing() as connection:
        assert await channels_back(connection, span(TELEGRAM, errors=("blocked",)), REASON, by=BY) == {}
        assert await channels_back(connection, span(TELEGRAM), REASON, by=BY) == {"deactivated": 1}


ORDERS = {
    "their act after the error": ("blocked", BY_MEMBER),
    "the error after their act": (BY_MEMBER, "blocked"),
    "another error after their act": (BY_MEMBER, "deactivated"),
}


@pytest.mark.parametrize("reasons", ORDERS.values(), ids=ORDERS.keys())
async def test_a_person_s_own_block_stands_whatever_was_said(database: Database, reasons: tuple[str, str]) -> None:
    """Who blocks the bot after a proxy turned the chat off by mistake has blocked it."""
    address = await one_that(database, TELEGRAM, State.ON, None, NOW - HOUR)
    async with database.writing() as connection:
        for place, reason in enumerate(reasons):
            state = State.DEAD if reason == "deactivated" else State.BLOCKED
            at = NOW + place * MINUTE
            await set_channel_state(connection, TELEGRAM, address, state, reason=reason, now=at)
        assert await channels_back(connection, span(TELEGRAM), REASON, by=BY) == {}
        assert await reach.hear_from(connection, TELEGRAM, [address], NOW + HOUR) == 1  # until they write again

    assert await state_now(database) == ("on", None)
