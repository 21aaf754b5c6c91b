"""The postman over the local Telegram and Twilio: everyone is told once, whatever the providers do."""

from ballot_town import StatusWebhook, chats, make_members, make_poll, numbers, post_office, send_notice, states

from bot.sandbox import Sandbox
from voting.database import Database


async def test_everyone_hears_a_notice_once(database: Database) -> None:
    """Telegram where it is on, a text message otherwise; nobody twice."""
    await make_poll(database)
    async with Sandbox() as sandbox:
        people = [sandbox.telegram.person(f"P{place}") for place in range(20)]
        for person in people:
            await person.types("/start")
        await make_members(database, 20, telegram=[str(person.id) for person in people])
        phones = numbers(20)
        await make_members(database, 20, sms=phones, first=101)
        async with post_office(database, sandbox) as office:
            await send_notice(database)
            await office.until_settled()

        assert await states(database) == {"sent": 40}
        assert all(sum("running late" in m.text for m in person.messages) == 1 for person in people)
        assert all(len(sandbox.twilio.phone(number).messages) == 1 for number in phones)
