"""kill -9 of `ballotline run` itself while people vote in the chat: nobody has to do anything over again.

Everybody acts once and waits. What was handed over is answered after the next start; whoever was told of a lock
keeps it, with the same receipt; an attempt made in the last moment reaches staff.
"""

import asyncio
import os
import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from mortal_town import PATIENCE_SECONDS, MortalTown
from soak import SOAK
from sqlalchemy import func, insert, select
from town import Resident, Town, Townsperson

from bot.inbox import predecessors
from bot.inbox.inbox import Envelope, Letter, claim, store
from bot.schema import inbox
from messages.pace.pace_keeper import SILENT_SECONDS
from voting import schema
from voting.audit.probes import run_probes
from voting.hour_keys import HourKeys
from voting.store.database import Database

ROUNDS = 12 if SOAK else 1  # of two kills each
VOTERS_EACH = 8

pytestmark = pytest.mark.crash


@pytest.fixture
def engine_name() -> str:
    return "sqlite"


async def test_kill_9_of_the_service_loses_no_vote_no_answer_and_no_alert(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    chance = random.Random(7)
    names = [f"v{number}" for number in range(1 + ROUNDS + VOTERS_EACH * (ROUNDS + 1))]
    now = datetime.now(UTC)
    poll = {"opens_at": now - timedelta(days=1), "closes_at": now + timedelta(days=1)}
    residents = [Resident(name, None) for name in names]
    async with MortalTown(database, tmp_path, database_url, residents=residents, moment=now, **poll) as town:
        gwen = await town.staff("gwen")
        robbed, voters = names[: ROUNDS + 1], iter(names[ROUNDS + 1 :])
        receipts: dict[str, str] = {}
        cut_off = 0

        async def votes(name: str) -> None:
            receipts[name] = await town.member(name).votes("North Quay" if chance.random() < 0.5 else "South Quay")

        for name in robbed:
            await votes(name)
        for turn in range(ROUNDS):
            async with asyncio.TaskGroup() as group:
                for _ in range(VOTERS_EACH // 2):
                    group.create_task(votes(next(voters)))
                thief = town.stranger(f"thief{turn}")
                group.create_task(tries_stolen_codes(thief, town.member(robbed[turn]).pack.codes))
                await town.until_attempts(turn + 1)
                for _ in range(VOTERS_EACH // 2):
                    await asyncio.sleep(chance.random() * 0.1)
                    group.create_task(votes(next(voters)))
                await asyncio.sleep(0)  # the last one has begun, and nobody votes in one step
                await town.dies()
                cut_off += len(robbed) + VOTERS_EACH * (turn + 1) - len(receipts)
                await insist_on(town, receipts)
                await town.starts()
                await asyncio.sleep(chance.random() * 1.5)
                await town.dies()  # again, before it has caught up
                await insist_on(town, receipts)
                await town.starts()
            assert "has already been used" in thief.last.words
        for _ in range(VOTERS_EACH):
            await votes(next(voters))

        assert cut_off > 0, "the kills came too late to mean anything"
        for turn in range(ROUNDS):
            await gwen.hears(f"Case {turn + 1}", timeout_seconds=PATIENCE_SECONDS)
        assert receipts.keys() == set(names)
        await insist_on(town, receipts)
        assert await town.attempts() == ROUNDS
        assert [name for name in names if await town.case_of(name) is not None] == robbed[:ROUNDS]
        assert await town.count("North Quay") + await town.count("South Quay") == len(names)


async def tries_stolen_codes(thief: Townsperson, codes: str) -> None:
    await thief.insists(codes)


async def insist_on(town: Town, receipts: dict[str, str]) -> None:
    """Whoever was told of a lock has it, with that receipt, and every identity holds."""
    async with town.database.reading() as connection:
        locks = {row.receipt for row in await connection.execute(select(schema.lock.c.receipt))}
        broken = [probe for probe in await run_probes(connection) if not probe.holds]
    assert set(receipts.values()) <= locks
    assert broken == []


async def test_after_kill_9_the_next_process_waits_for_no_silence_before_it_answers(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    poll = {"opens_at": now - timedelta(days=1), "closes_at": now + timedelta(days=1)}
    residents = [Resident("ada", None)]
    async with MortalTown(database, tmp_path, database_url, residents=residents, moment=now, **poll) as town:
        ada = town.member("ada")
        await ada.asks(ada.types("/status"))
        await town.dies()
        await ada.types("/status")
        heard = len(ada.person.messages)

        await town.starts()
        async with asyncio.timeout(SILENT_SECONDS):  # of a holder that might still live nobody hears so soon
            while len(ada.person.messages) == heard:  # noqa: ASYNC110 - another process's doing
                await asyncio.sleep(0.01)


# -- rows of a process that is gone ------------------------------------------------------


async def test_rows_of_a_process_that_is_surely_gone_are_taken_back_and_no_others(database: Database) -> None:
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await child.wait()
    here = predecessors.place()
    now = datetime.now(UTC)
    holders = {
        f"{here}/{child.pid}/dead": True,
        f"{here}/{os.getpid()}/alive": False,
        f"{here}/1/of another user": False,
        f"elsewhere/{child.pid}/dead": False,
        "123-abcd": False,
    }
    envelope = Envelope(HourKeys.make())
    async with database.writing() as connection:
        letters = [Letter("telegram", who, who, {"update_id": 1}) for who in holders]
        await store(connection, envelope, letters, now)
    for who in holders:
        async with database.writing() as connection:
            await connection.execute(
                inbox.update().where(inbox.c.key == who).values(claimed_by=who, lease_until=now + timedelta(seconds=20))
            )

    async with database.writing() as connection:
        assert await predecessors.take_back(connection) == 1

    async with database.writing() as connection:
        again = await claim(connection, envelope, who="me", now=now, most=10)
    assert {row.key for row in again} == {who for who, gone in holders.items() if gone}


async def test_a_finished_row_is_nobodys_to_take_back(database: Database) -> None:
    now = datetime.now(UTC)
    row = {"source": "telegram", "key": "1", "queue": "q", "received_at": now, "state": "done", "claimed_by": "x"}
    async with database.writing() as connection:
        await connection.execute(insert(inbox).values(**row))
        assert await predecessors.take_back(connection, gone=lambda _: True) == 0
        assert await connection.scalar(select(func.count()).where(inbox.c.claimed_by == "x")) == 1
