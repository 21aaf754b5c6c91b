"""What stories of staff do besides talking: waiting for a fact, raising many alerts, noting a number."""

import asyncio
from collections.abc import Awaitable, Callable

from town import Town, Townsperson

from bot.alerts import alerts
from bot.staff import enrolment
from voting.codes import codes
from voting.model import By

PATIENCE_SECONDS = 10.0


async def until(condition: Callable[[], Awaitable[bool]], timeout_seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(timeout_seconds):
        while not await condition():  # noqa: ASYNC110 - the fact is in a database
            await asyncio.sleep(0.02)


async def is_true(value: object) -> bool:
    """Make a fact something to wait for."""
    return bool(value)


async def raise_alerts(town: Town, count: int) -> None:
    """Raise many alerts in one moment."""
    async with town.database.writing() as connection:
        for number in range(count):
            facts = {"source": "telegram", "row": number}
            await alerts.raise_alert(connection, alerts.Kind.INBOX_FAILED, f"inbox:{number}", facts, town.clock())


async def set_phone(town: Town, name: str, number: str) -> None:
    """Note somebody's on-call number."""
    async with town.database.writing() as connection:
        person = next(one for one in await enrolment.everybody(connection) if one.name == name)
        await enrolment.set_phone(connection, person.id, number, by=By("Gwen", "command line", town.clock()))


async def sends_with(author: Townsperson, approver: Townsperson) -> None:
    """Have a notice that is drafted approved by somebody else, and send it."""
    await author.presses("Send for approval")
    await approver.hears(f"{author.name.capitalize()} asks you to look at this")
    await approver.presses("Approve")
    await author.hears(f"{approver.name.capitalize()} has approved notice 1")
    await author.presses("Send it now")


def wrong_vote_code(town: Town) -> str:
    """Make a vote code that is well written and nobody's."""
    return codes.printed(codes.Kind.VOTE, codes.generate(codes.Kind.VOTE, town.poll.id))
