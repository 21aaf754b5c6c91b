"""`ballotline run` outlives providers that answer one request in five with nonsense, while a ballot goes on.

Nothing is lost and nothing doubled: one lock for each voter, no attempt, the notice once to everybody or its fate is
said to be unknown; and every bad answer is counted.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from bad_answers import OF_TELEGRAM, OF_TWILIO
from ballot_town import WAYS
from mortal_town import MortalTown
from soak import SOAK
from sqlalchemy import func, select, update
from town import Member, Resident, Town

from bot.alerts.alerts import Kind
from bot.schema import alert
from messages import reach
from messages.notices import life, notices, sending
from messages.notices.model import Content
from messages.schema import channel, delivery
from voting import schema
from voting.audit.probes import run_probes
from voting.model import By
from voting.store.database import Database

SECONDS = 600 if SOAK else 5  # of simulated traffic, each way; then the providers are well again
PATIENCE_SECONDS = 10.0 if SOAK else 3.0  # of people whom nobody answers: they ask again
VOTERS = 100 if SOAK else 8
RECIPIENTS = 1_000 if SOAK else 40
RATE = 0.2
TRIES_MAX = 40
ODD_UPDATE = {"message_id": 1, "chat": {"id": -100777, "type": "group", "title": "x"}, "text": "without a date"}

pytestmark = pytest.mark.crash


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


async def votes(town: Town, member: Member, name: str) -> None:
    """Vote as a person does whom the network disturbs: ask again, never again once told that it is locked."""
    for _ in range(TRIES_MAX):
        if await town.lock_of(name) is not None:
            return
        try:
            await member.votes("North Quay")
        except AssertionError:
            continue  # heard nothing, or an apology
    assert await town.lock_of(name) is not None, member.transcript()


async def asks_now_and_then(town: Town, members: list[Member], until: float, chance: random.Random) -> None:
    """Ask this and that, and let somebody's group send what cannot be read, until it is time and all was dealt."""
    while monotonic() < until or len(town.sandbox.faults.telegram.played) < _dealt(town):
        await chance.choice(members).types(chance.choice(["/status", "/help", "hello"]))
        if chance.random() < 0.02:
            town.sandbox.telegram.update("message", ODD_UPDATE, chat_id=-100777)
        await asyncio.sleep(0.05)
        assert monotonic() < until + 120, "not every bad answer was met"


def _dealt(town: Town) -> int:
    """How many different ones are to be met: nobody polls where there is a webhook."""
    return len(OF_TELEGRAM) - (2 if town.webhooks else 0)


async def sends_notice(town: Town) -> int:
    async with town.database.writing() as connection:
        content = Content(kind="pack_delayed", on_unknown="leave", urgent=True)
        made = await notices.draft(connection, content, ways=WAYS, by=By("Gwen", "command line", town.clock()))
        await notices.approve(connection, made.id, by=By("Mair", "command line", town.clock()))
        await sending.send(connection, made.id, by=By("Gwen", "command line", town.clock()))
    return made.id


async def resumes_until_done(town: Town, notice_id: int, seconds: float) -> None:
    """Be the officer who looks at each alert, finds nothing to mend and goes on."""
    async with asyncio.timeout(seconds):
        while True:
            async with town.database.writing() as connection:
                state = (await notices.show(connection, notice_id)).state
                if state == "paused":
                    await life.resume(connection, notice_id, by=By("Gwen", "command line", town.clock()))
            if state == "done":
                return
            await asyncio.sleep(0.3)


@pytest.mark.parametrize("webhooks", [False, True], ids=["polled", "webhooked"])
async def test_the_service_outlives_every_bad_answer_and_nothing_is_lost_or_doubled(
    database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, webhooks: bool
) -> None:
    chance = random.Random(11)
    voters = [f"v{number}" for number in range(VOTERS)]
    by_text = [f"t{number}" for number in range(RECIPIENTS - VOTERS)]
    residents = [Resident(name, None) for name in voters]
    residents += [Resident(name, f"+4477001{number:05}") for number, name in enumerate(by_text)]
    now = datetime.now(UTC)
    poll = {"opens_at": now - timedelta(days=1), "closes_at": now + timedelta(days=1)}
    odd_ones = {"texts": True, "may_say": "a row of the inbox cannot be read"}
    town = MortalTown(
        database, tmp_path, database_url, residents=residents, webhooks=webhooks, moment=now, **odd_ones, **poll
    )
    async with town:
        members = [town.member(name) for name in voters]
        for name, member in zip(voters, members, strict=True):
            await member.asks(member.types("/start"))
            async with database.writing() as connection:
                row = await connection.scalar(
                    select(schema.member.c.id).where(schema.member.c.member_no == town.member_nos[name])
                )
                assert row is not None
                await reach.link_telegram(connection, row, member.id, town.clock())
        monkeypatch.setattr("town.PATIENCE_SECONDS", PATIENCE_SECONDS)
        faults = town.sandbox.faults
        faults.telegram.deal(OF_TELEGRAM, RATE)
        faults.twilio.deal(OF_TWILIO, RATE)
        notice_id = await sends_notice(town)
        await all_goes_on(town, voters, notice_id, chance)
        await town.settles(120)
        assert town.running, "the service ended"

        assert set(faults.telegram.played) >= {
            one.name for one in OF_TELEGRAM if not (webhooks and one.method == "getUpdates")
        }
        odd = await alerts_of(town, Kind.UNREADABLE)
        dealt = sum(faults.telegram.played.values())
        assert await bad_answers(town, "telegram") == dealt + odd
        assert await bad_answers(town, "twilio") == sum(faults.twilio.played.values())
        await insist_on_votes(town)
        await insist_on_notice(town, members, notice_id)


async def all_goes_on(town: MortalTown, voters: list[str], notice_id: int, chance: random.Random) -> None:
    """Vote, ask and look after the notice until it is time; then the providers are well, and all comes to its end."""
    members = [town.member(name) for name in voters]
    until = monotonic() + SECONDS
    async with asyncio.TaskGroup() as group:
        ends = [group.create_task(votes(town, member, name)) for name, member in zip(voters, members, strict=True)]
        asking = group.create_task(asks_now_and_then(town, members, until, chance))
        ends.append(group.create_task(resumes_until_done(town, notice_id, SECONDS + 300)))
        while not asking.done():
            assert town.running, "the service ended"
            await asyncio.sleep(0.1)
        town.sandbox.faults.telegram.clear()
        town.sandbox.faults.twilio.clear()
        while not all(end.done() for end in ends):
            assert town.running, "the service ended"
            await asyncio.sleep(0.5)
            await waits_no_longer(town)


async def waits_no_longer(town: Town) -> None:
    """What waits, to be sent again or asked about, is due at once: the process's own clock cannot be moved."""
    async with town.database.writing() as connection:
        now = town.clock()
        await connection.execute(update(delivery).where(delivery.c.not_before > now).values(not_before=now))


async def bad_answers(town: MortalTown, provider: str) -> float:
    return await town.measured("ballotline_bad_answers_total", f'provider="{provider}"')


async def alerts_of(town: Town, kind: Kind) -> int:
    async with town.database.reading() as connection:
        return int(await connection.scalar(select(func.count()).where(alert.c.kind == kind.value)) or 0)


async def insist_on_votes(town: Town) -> None:
    """One lock for each voter, nobody reported for their client's or our retries, and the books add up."""
    assert (await town.locks(), await town.count("North Quay"), await town.attempts()) == (VOTERS, VOTERS, 0)
    async with town.database.reading() as connection:
        assert [probe for probe in await run_probes(connection) if not probe.holds] == []


async def insist_on_notice(town: Town, members: list[Member], notice_id: int) -> None:
    """Everybody heard it once, or the ledger says that it is not known; no channel went off."""
    async with town.database.reading() as connection:
        rows = (await connection.execute(select(delivery).where(delivery.c.notice_id == notice_id))).all()
        off = await connection.scalar(select(func.count()).where(channel.c.state != "on"))
    assert off == 0
    assert len(rows) == RECIPIENTS
    heard = Counter({str(one.id): _times(one) for one in members})
    heard.update({number: len(town.sandbox.twilio.phone(number).inbox) for number in _numbers(rows)})
    for row in rows:
        assert row.state in {"sent", "delivered", "unknown"}, (row.state, row.reason)
        assert heard[row.address] <= 1
        assert heard[row.address] == 1 or row.state == "unknown"


def _numbers(rows: Sequence[Any]) -> list[str]:
    return [row.address for row in rows if row.channel == "sms"]


def _times(member: Member) -> int:
    arrived = {message.message_id for message in member.history if "running late" in message.words}
    return len(arrived)
