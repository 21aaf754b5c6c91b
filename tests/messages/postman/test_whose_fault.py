"""Refusals in mid-broadcast: one recipient's is theirs, our set-up's burns nobody, a page is nobody's."""

from datetime import datetime, timedelta

import pytest
from ballot_town import (
    NOW,
    PostOffice,
    StatusWebhook,
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
from sqlalchemy import insert, select

from bot.sandbox import Fault, Sandbox
from messages import texts_resumed
from messages.ledger.suspects import SEVERAL
from messages.notices.life import resume
from messages.notices.notices import show
from messages.pace.pace_keeper import PaceKeeper
from messages.pace.pacer import Pacer
from messages.postman.line import IN_FLIGHT_MAX
from messages.reach import SMS, TELEGRAM
from messages.refusals import NoReasonGiven
from messages.schema import channel
from messages.schema import pacer as pacers
from voting.model import By
from voting.store.database import Database

MANY = 40
PAGE = "<html><h1>403 Forbidden</h1><p>blocked by the office's proxy</p></html>"
FILTERED = ("undelivered", 30007)


@pytest.fixture(autouse=True)
def _noon() -> None:
    start_clock()


async def people(database: Database, sandbox: Sandbox, many: int = MANY) -> list[str]:
    """Make a poll with so many members by text; give their numbers."""
    await make_poll(database)
    phones = numbers(many)
    await make_members(database, many, sms=phones)
    return phones


async def state_of(database: Database, notice_id: int = 1) -> tuple[str, str | None]:
    async with database.reading() as connection:
        found = await show(connection, notice_id)
    return found.state, found.pause_reason


async def until_state(office: PostOffice, state: str) -> None:
    async def there() -> bool:
        moving = [found for found in await states(office.database) if found.startswith("sending")]
        return (await state_of(office.database))[0] == state and not moving

    await office.until(there)


async def goes_on(office: PostOffice) -> None:
    async with office.database.writing() as connection:
        await resume(connection, 1, by=By("Gwen", "command line", clock()))


@pytest.mark.parametrize("code", [21408, 30034, 29999], ids=["country", "unregistered", "unknown"])
async def test_one_recipients_refusal_is_theirs_and_everybody_else_is_told(database: Database, code: int) -> None:
    async with Sandbox() as sandbox:
        phones = await people(database, sandbox)
        sandbox.faults.twilio.add(Fault("error", code=code, to=phones[7], count=None))
        async with post_office(database, sandbox, sms_rate=200) as office:
            await send_notice(database)
            await office.until_settled()

        assert await states(database) == {"sent": MANY - 1, f"failed:{code}": 1}
        assert sandbox.faults.twilio.played["error"] == 1
        assert [trouble.kind for trouble in office.troubles] == (["unknown_code"] if code == 29999 else [])


async def test_one_filtered_text_is_its_recipients_and_is_paid_once(database: Database) -> None:
    """30007 comes by callback, after the text was really sent."""
    async with Sandbox() as sandbox, StatusWebhook() as webhook:
        phones = await people(database, sandbox)
        sandbox.twilio.phone(phones[7]).outcome = FILTERED
        async with post_office(database, sandbox, sms_rate=200, public_url=webhook.url) as office:
            webhook.office = office
            await send_notice(database)

            async def all_reported() -> bool:
                return await states(database) == {"delivered": MANY - 1, "failed:30007": 1}

            await office.until(all_reported)

        assert len(sandbox.twilio.phone(phones[7]).messages) == 1
        assert office.troubles == []


CODES_OF_OURS = [21408, 29999, 21659, 21660, 20404]


@pytest.mark.parametrize("code", CODES_OF_OURS)
async def test_when_all_are_refused_it_pauses_after_a_few_and_burns_nobody(database: Database, code: int) -> None:
    """Once mended, everybody is told; and what was refused first is not what a resumed notice begins with."""
    async with Sandbox() as sandbox:
        phones = await people(database, sandbox)
        wrong = sandbox.faults.twilio.add(Fault("error", code=code, count=None))
        async with post_office(database, sandbox, sms_rate=50) as office:
            await send_notice(database)
            await until_state(office, "paused")

            refused = sandbox.faults.twilio.played["error"]
            assert refused <= SEVERAL + IN_FLIGHT_MAX < MANY, "a few, and what was on its way"
            assert await state_of(database) == ("paused", f"twilio:{code}")
            assert {state.partition(":")[0] for state in await states(database)} == {"ready"}
            assert [(trouble.kind, trouble.detail) for trouble in office.troubles][-1] == ("our_setup", str(code))
            assert sum(trouble.kind == "our_setup" for trouble in office.troubles) == 1

            first = {row.address for row in await rows_of(database) if row.reason == str(code)}
            sandbox.faults.twilio.remove(wrong)
            await goes_on(office)
            await office.until_settled()

        assert await states(database) == {"sent": MANY}
        assert all(len(sandbox.twilio.phone(number).messages) == 1 for number in phones)
        order = [sms.to for sms in sandbox.twilio.messages]
        assert first.isdisjoint(order[:5])


async def test_resumed_without_being_mended_it_never_asks_for_the_same_row_first(database: Database) -> None:
    async with Sandbox() as sandbox:
        await people(database, sandbox)
        sandbox.faults.twilio.add(Fault("error", code=21659, count=None))
        tried: list[int] = []
        async with post_office(database, sandbox, sms_rate=20) as office:
            await send_notice(database)
            for _ in range(4):
                await until_state(office, "paused")
                tried += [row.id for row in await rows_of(database) if row.fence and row.id not in tried]
                fences = [row.fence for row in await rows_of(database)]
                await goes_on(office)
            await until_state(office, "paused")

        assert max(fences) == 1, "nobody was tried twice while others waited"
        assert len(tried) >= 4


async def test_several_filtered_texts_pause_the_notice_and_are_tried_once_more(database: Database) -> None:
    async with Sandbox() as sandbox, StatusWebhook() as webhook:
        phones = await people(database, sandbox)
        for number in phones:
            sandbox.twilio.phone(number).outcome = FILTERED
        async with post_office(database, sandbox, sms_rate=50, public_url=webhook.url) as office:
            webhook.office = office
            await send_notice(database)
            await until_state(office, "paused")
            assert (await state_of(database))[1] == "twilio:30007"

            async def all_reported() -> bool:
                return set(await states(database)) <= {"ready", "ready:30007"}

            await office.until(all_reported)
            for number in phones:
                sandbox.twilio.phone(number).outcome = "delivered"
            await goes_on(office)

            async def all_told() -> bool:
                return set(await states(database)) == {"delivered"}

            await office.until(all_told)

        assert max(len(sandbox.twilio.phone(number).messages) for number in phones) <= 2


async def test_three_whose_country_is_off_are_the_end_of_it_after_one_more_try(database: Database) -> None:
    """A real but small fault never keeps a notice from its end."""
    async with Sandbox() as sandbox:
        phones = await people(database, sandbox, 6)
        for number in phones[:3]:
            sandbox.faults.twilio.add(Fault("error", code=21408, to=number, count=None))
        async with post_office(database, sandbox, sms_rate=50) as office:
            await send_notice(database)
            await until_state(office, "paused")
            await goes_on(office)
            await until_state(office, "done")

        assert await states(database) == {"sent": 3, "failed:21408": 3}


async def chatters(database: Database, sandbox: Sandbox, many: int) -> list[str]:
    """Make members with a chat and a number each; give the numbers."""
    persons = [sandbox.telegram.person(f"P{place}") for place in range(many)]
    for person in persons:
        await person.types("/start")
    await make_poll(database)
    phones = numbers(many)
    await make_members(database, many, telegram=[str(person.id) for person in persons], sms=phones)
    return phones


@pytest.mark.parametrize("kind", ["other_before", "other_after"])
@pytest.mark.parametrize("status", [200, 401, 403, 404])
async def test_a_proxys_page_says_nothing_about_anybody(database: Database, status: int, kind: str) -> None:
    """20 of 20 were marked as blocked, and texted: now it pauses, staff hear of it, and nobody's state changes."""
    async with Sandbox() as sandbox:
        phones = await chatters(database, sandbox, 20)
        fault = Fault(kind, method="sendMessage", code=status, body=PAGE, count=None)
        page = sandbox.faults.telegram.add(fault)
        async with post_office(database, sandbox, telegram_rate=50) as office:
            await send_notice(database)
            await until_state(office, "paused")
            assert await state_of(database) == ("paused", "telegram:unclear_answer")
            assert [(one.kind, one.detail) for one in office.troubles] == [("on_the_way", "unclear_answer")]

            sandbox.faults.telegram.remove(page)
            await goes_on(office)
            await office.until_settled()
            async with database.reading() as connection:
                states_now = set((await connection.execute(select(channel.c.state))).scalars())

        assert states_now == {"on"}
        assert all(not sandbox.twilio.phone(number).messages for number in phones)
        found = await states(database)
        unknown = found.get("unknown:unclear_answer", 0)
        assert found.get("sent", 0) + unknown == 20
        assert unknown <= (sandbox.faults.telegram.played[kind] if status == 200 else 0)


@pytest.mark.parametrize("status", [403, 404, 429])
async def test_a_page_instead_of_twilio_burns_nobody_either(database: Database, status: int) -> None:
    async with Sandbox() as sandbox:
        phones = await people(database, sandbox, 20)
        page = sandbox.faults.twilio.add(Fault("other_before", code=status, body=PAGE, count=None))
        async with post_office(database, sandbox, sms_rate=50) as office:
            await send_notice(database)
            await until_state(office, "paused")
            sandbox.faults.twilio.remove(page)
            await goes_on(office)
            await office.until_settled()

        assert await states(database) == {"sent": 20}
        assert all(len(sandbox.twilio.phone(number).messages) == 1 for number in phones)


async def test_one_chat_that_telegram_holds_holds_up_nobody_else(database: Database) -> None:
    async with Sandbox() as sandbox:
        await chatters(database, sandbox, 20)
        held = next(iter(sandbox.telegram.people))
        sandbox.faults.telegram.add(Fault("429", chat_id=held, method="sendMessage", retry_after=6))
        async with post_office(database, sandbox, telegram_rate=200) as office:
            began = clock()
            await send_notice(database)

            async def all_but_one() -> bool:
                return (await states(database)).get("sent") == 19

            await office.until(all_but_one)
            assert (clock() - began).total_seconds() < 5
            await office.until_settled()
            assert (clock() - began).total_seconds() >= 6

        assert await states(database) == {"sent": 20}


async def test_the_accounts_daily_limit_is_asked_for_once_and_waits_until_tomorrow(database: Database) -> None:
    """63038 comes with HTTP 429, and passes tomorrow; chats go on meanwhile."""
    async with Sandbox() as sandbox:
        await people(database, sandbox, 20)
        sandbox.faults.twilio.add(Fault("error", code=63038, count=None))
        async with post_office(database, sandbox, sms_rate=20) as office:
            await send_notice(database)

            async def told() -> bool:
                settled = {state.partition(":")[0] for state in await states(database)} == {"ready"}
                return bool(office.troubles) and settled

            await office.until(told)
            asked = sandbox.faults.twilio.played["error"]
            held_hours = office.postman.lines[SMS].pacer.held_for() / 3600
            assert 23.9 < held_hours <= 24
            assert asked <= 4
            assert {one.kind for one in office.troubles} >= {"exhausted"}
            assert office.postman.lines[TELEGRAM].pacer.held_for() == 0


async def test_texts_go_again_at_once_when_an_officer_says_that_the_limit_was_raised(database: Database) -> None:
    """The holder sees it at its next beat; nobody is told twice; a limit that was not raised holds them again."""
    async with Sandbox() as sandbox:
        phones = await people(database, sandbox, 10)
        limit = sandbox.faults.twilio.add(Fault("error", code=63038, count=None))
        async with post_office(database, sandbox, sms_rate=20) as office:
            await send_notice(database)
            pacer = office.postman.lines[SMS].pacer

            async def held() -> bool:
                async with database.reading() as connection:
                    return await texts_resumed.held_until(connection, clock()) is not None and pacer.held_for() > 0

            await office.until(held)
            await resume_texts(database)
            await office.until(held)  # not raised: Twilio says it again
            sandbox.faults.twilio.remove(limit)
            until = await resume_texts(database)
            await office.until_settled()

        assert until > clock() + timedelta(hours=23)
        assert {len(sandbox.twilio.phone(number).messages) for number in phones} == {1}


async def resume_texts(database: Database) -> datetime:
    async with database.writing() as connection:
        return await texts_resumed.resume(connection, "limit raised", by=By("Gwen", "command line", clock()))


async def test_a_hold_that_was_lifted_is_not_remembered_by_the_next_process(database: Database) -> None:
    """The service was down when the officer said so; of another provider nothing is lifted."""
    async with database.writing() as connection:
        for provider in ("twilio", "telegram"):
            row = {"provider": provider, "beat": 7, "hold_until": NOW + timedelta(hours=20)}
            await connection.execute(insert(pacers).values(row))
        await texts_resumed.resume(connection, "limit raised", by=By("Gwen", "command line", NOW))

    for provider, held_hours in (("twilio", 0), ("telegram", 20)):
        pace = Pacer(10)
        await PaceKeeper(database, provider, pace, process="b", now=lambda: NOW, silent_seconds=60).beat()
        assert round(pace.held_for() / 3600) == held_hours


@pytest.mark.parametrize(
    "hold", [None, timedelta(seconds=-1), timedelta(seconds=30)], ids=["never", "over", "a moment"]
)
async def test_texts_that_are_not_held_cannot_be_resumed(database: Database, hold: timedelta | None) -> None:
    async with database.writing() as connection:
        row = {"provider": "twilio", "beat": 7, "hold_until": None if hold is None else NOW + hold}
        await connection.execute(insert(pacers).values(row))
        for reason, refusal in (("limit raised", texts_resumed.TextsNotHeld), (" ", NoReasonGiven)):
            with pytest.raises(refusal):
                await texts_resumed.resume(connection, reason, by=By("Gwen", "command line", NOW))
