"""While Telegram takes nothing for over a minute, a notice goes by text if its author wished so; else it waits."""

from datetime import timedelta
from decimal import Decimal

import pytest
from ballot_town import (
    NOW,
    WAYS,
    PostOffice,
    chats,
    make_members,
    make_poll,
    numbers,
    post_office,
    send_notice,
    start_clock,
    states,
)
from sqlalchemy import insert, update

from bot.sandbox import Fault, Sandbox
from messages.ledger.aftermath import HELD
from messages.notices.approval import approval_hash
from messages.notices.model import Content
from messages.notices.notices import approve, draft, edit, show, submit
from messages.notices.preview import preview
from messages.notices.reports import report
from messages.notices.sending import send
from messages.postman import held
from messages.postman.line_rest import LONG_WAIT_SECONDS
from messages.reach import SMS, TELEGRAM, State
from messages.refusals import NoticeChanged
from messages.schema import channel, notice, opt_out
from voting.model import By
from voting.store.database import Database

CROWD = range(7_000_000, 7_100_000)
HOUR = 3600


@pytest.fixture(autouse=True)
def _noon() -> None:
    start_clock()


def hold(office: PostOffice, seconds: float = HOUR) -> None:
    """Let Telegram want quiet from everybody."""
    office.postman.lines[TELEGRAM].pacer.slow_down(seconds)


async def members(database: Database, sandbox: Sandbox, count: int) -> list[str]:
    """Make members with a chat and a number each; give the numbers."""
    sandbox.telegram.crowd = CROWD
    phones = numbers(count)
    await make_poll(database)
    await make_members(database, count, telegram=chats(count), sms=phones)
    return phones


def texts(sandbox: Sandbox, phones: list[str]) -> list[int]:
    return [len(sandbox.twilio.phone(number).messages) for number in phones]


async def test_a_notice_goes_by_text_while_telegram_takes_nothing(database: Database) -> None:
    """Everybody with a number hears it once, by text; who has none waits for Telegram and hears it there."""
    async with Sandbox() as sandbox:
        phones = await members(database, sandbox, 5)
        await make_members(database, 1, telegram=["7000900"], first=6)
        async with post_office(database, sandbox, run=True) as office:
            hold(office)
            sent = await send_notice(database, texts_when_held=True)
            await office.until(lambda: settled(database, {"sent": 5, f"skipped:{HELD}": 5, "ready": 1}))
            office.postman.lines[TELEGRAM].pacer._spacing.held_until = 0.0
            await office.until_settled()
            async with database.reading() as connection:
                found = await report(connection, sent.id)

        assert texts(sandbox, phones) == [1] * 5
        assert sandbox.telegram.meter.counted == 1
        assert found.outcomes["told"] == found.members == 6
        assert found.by_channel == {SMS: 5, TELEGRAM: 1}
        assert found.why_not == {}


async def settled(database: Database, wanted: dict[str, int]) -> bool:
    """Tell whether the ledger is so; what arrived counts as sent."""
    counted = await states(database)
    counted["sent"] = counted.pop("delivered", 0) + counted.get("sent", 0)
    return {name: count for name, count in counted.items() if count} == wanted


@pytest.mark.parametrize(
    ("wish", "seconds"),
    [(False, HOUR), (True, LONG_WAIT_SECONDS - 5)],
    ids=["not wished", "less than a minute"],
)
async def test_otherwise_it_waits_for_telegram(database: Database, wish: bool, seconds: float) -> None:
    """No text is paid for that nobody wished."""
    async with Sandbox() as sandbox:
        phones = await members(database, sandbox, 3)
        async with post_office(database, sandbox) as office:
            hold(office, seconds)
            await send_notice(database, texts_when_held=wish)
            for _ in range(5):
                await office.postman.keep_house()

            assert await states(database) == {"ready": 3}
        assert texts(sandbox, phones) == [0] * 3


async def test_a_refusal_by_telegram_itself_is_such_a_wait(database: Database) -> None:
    """Over the wire: chat after chat is refused for an hour; also the rows that met the refusal go by text."""
    async with Sandbox() as sandbox:
        phones = await members(database, sandbox, 6)
        async with post_office(database, sandbox, telegram_rate=50) as office:
            sandbox.faults.telegram.add(Fault("429", count=None, retry_after=HOUR))
            await send_notice(database, texts_when_held=True)
            await office.until_settled()
            assert [(one.kind, one.detail) for one in office.troubles] == [("waits", "429")]

        assert texts(sandbox, phones) == [1] * 6
        assert sandbox.telegram.meter.counted == 0


async def test_a_few_at_a_time_so_that_the_rest_goes_by_telegram_when_it_is_back(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "AHEAD_MAX", 2)
    async with Sandbox() as sandbox:
        await members(database, sandbox, 6)
        async with post_office(database, sandbox, run=False) as office:
            await send_notice(database, texts_when_held=True)
            async with database.writing() as connection:
                assert await held.texts_instead(connection, office.postman.aftermath, NOW) == 2
                assert await held.texts_instead(connection, office.postman.aftermath, NOW) == 0

    assert await states(database) == {f"skipped:{HELD}": 2, "ready": 6}


async def test_stop_and_a_number_that_is_off_stand(database: Database) -> None:
    """Who said STOP gets no text and waits for Telegram; one who says it in between is skipped by the claim."""
    async with Sandbox() as sandbox:
        phones = await members(database, sandbox, 3)
        async with database.writing() as connection:
            stopped = channel.c.kind == SMS, channel.c.address == phones[0]
            await connection.execute(update(channel).where(*stopped).values(state=State.OPTED_OUT))
            await connection.execute(insert(opt_out).values(address=phones[1], since=NOW))  # by another way in
        async with post_office(database, sandbox) as office:
            hold(office)
            await send_notice(database, texts_when_held=True)
            wanted = {"ready": 1, f"skipped:{HELD}": 2, "skipped:opted_out": 1, "sent": 1}
            await office.until(lambda: settled(database, wanted))

        assert texts(sandbox, phones) == [0, 0, 1]


async def test_a_household_with_one_number_gets_one_text(database: Database) -> None:
    async with Sandbox() as sandbox:
        sandbox.telegram.crowd = CROWD
        (phone,) = numbers(1)
        await make_poll(database)
        await make_members(database, 2, telegram=chats(2), sms=[phone, phone])
        async with post_office(database, sandbox) as office:
            hold(office)
            sent = await send_notice(database, texts_when_held=True)
            await office.until_settled()
            async with database.reading() as connection:
                found = await report(connection, sent.id)

        assert texts(sandbox, [phone]) == [1]
        assert (found.outcomes["told"], found.household) == (2, 1)


async def test_two_members_with_one_chat_get_a_text_each(database: Database) -> None:
    """The chat would have told both: each is told at their own number."""
    async with Sandbox() as sandbox:
        sandbox.telegram.crowd = CROWD
        phones = numbers(2)
        await make_poll(database)
        await make_members(database, 2, telegram=["7000001", "7000001"], sms=phones)
        async with post_office(database, sandbox) as office:
            hold(office)
            sent = await send_notice(database, texts_when_held=True)
            await office.until_settled()
            async with database.reading() as connection:
                found = await report(connection, sent.id)

        assert texts(sandbox, phones) == [1, 1]
        assert found.outcomes["told"] == 2


NIGHT = NOW + timedelta(hours=9)  # 22:00 in London


@pytest.mark.parametrize(("urgent", "planned"), [(False, 0), (True, 3)], ids=["not urgent", "urgent"])
async def test_at_night_only_an_urgent_notice_goes_by_text(database: Database, urgent: bool, planned: int) -> None:
    async with Sandbox() as sandbox:
        await members(database, sandbox, 3)
        async with post_office(database, sandbox, run=False) as office:
            await send_notice(database, texts_when_held=True, urgent=urgent)
            async with database.writing() as connection:
                assert await held.texts_instead(connection, office.postman.aftermath, NIGHT) == planned


async def test_texts_that_cannot_go_either_are_not_planned(database: Database) -> None:
    """Twilio wants quiet too: everything waits where it is."""
    async with Sandbox() as sandbox:
        await members(database, sandbox, 3)
        async with post_office(database, sandbox) as office:
            office.postman.lines[SMS].pacer.hold(HOUR)
            hold(office)
            await send_notice(database, texts_when_held=True)
            for _ in range(3):
                await office.postman.keep_house()

            assert await states(database) == {"ready": 3}


async def test_the_preview_says_what_it_would_cost_at_most(database: Database) -> None:
    """Two by Telegram with a number, in two languages; one by Telegram without; one by text anyhow."""
    await make_poll(database)
    await make_members(database, 1, telegram=["7000001"], sms=numbers(1))
    await make_members(database, 1, telegram=["7000002"], sms=numbers(1), first=2, language="cy")
    await make_members(database, 1, telegram=["7000003"], first=3)
    await make_members(database, 1, sms=numbers(1), first=4)
    by = By("Gwen", "command line", NOW)
    async with database.writing() as connection:
        plain = await preview(connection, await draft(connection, Content("pack_delayed"), ways=WAYS, by=by), now=NOW)
        wished = Content("pack_delayed", texts_when_held=True)
        seen = await preview(connection, await draft(connection, wished, ways=WAYS, by=by), now=NOW)

    each = {text.language: text.segments * Decimal("0.04") for text in seen.texts if text.segments}
    assert (plain.cost_most, plain.by_text_most, "texts_when_held" in plain.as_json()) == (None, 0, False)
    assert seen.cost == plain.cost == each["en-GB"]
    assert (seen.by_text_most, seen.cost_most) == (2, seen.cost + each["en-GB"] + each["cy"])
    assert seen.as_json()["texts_when_held"] == {"recipients_most": 2, "cost_most": str(seen.cost_most)}


async def test_the_approval_is_for_the_wish_and_its_price(database: Database) -> None:
    """A wish made after the approval voids it; another price is another hash."""
    await make_poll(database, approve_over=1)
    await make_members(database, 3, telegram=chats(3), sms=numbers(3))
    by, huw = By("Gwen", "command line", NOW), By("Huw", "command line", NOW)
    async with database.writing() as connection:
        made = await draft(connection, Content("pack_delayed", texts_when_held=True), ways=WAYS, by=by)
        offered = await submit(connection, made.id, by=by)
        approved = await approve(connection, made.id, by=huw)
        assert offered.cost == "0.00"
        assert Decimal(offered.cost_most) > 0
        await connection.execute(update(notice).where(notice.c.id == made.id).values(cost_most="0.01"))
        assert approval_hash(await show(connection, made.id)) != approved.approved_hash
        with pytest.raises(NoticeChanged):
            await send(connection, made.id, by=by)
        await connection.execute(update(notice).where(notice.c.id == made.id).values(cost_most=offered.cost_most))
        changed = await edit(connection, made.id, Content("pack_delayed"), version=approved.version, by=by)

    assert (changed.state, changed.approved_hash, changed.cost_most) == ("draft", None, None)
