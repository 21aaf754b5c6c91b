"""kill -9 at random moments of a broadcast: nobody is lost, and at most what was in flight is told twice or unknown.

`make test` kills a few times; `make soak` 30 times in a broadcast to 5,000.
"""

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from ballot_town import make_members, make_poll, numbers, rows_of, send_notice, states
from soak import BROADCAST_KILLS as KILLS
from soak import BROADCAST_MEMBERS as MEMBERS

from bot.sandbox import Fault, Sandbox
from messages.postman.line import IN_FLIGHT_MAX
from voting.store.database import Database

ROOT = Path(__file__).parents[3]
RATE = max(60.0, MEMBERS / KILLS / 2)  # of each provider: the broadcast lasts longer than the killing
PATIENCE_SECONDS = 60 + MEMBERS / 20

pytestmark = pytest.mark.crash


@pytest.fixture
async def forking() -> AsyncIterator[asyncio.subprocess.Process]:
    """What forks postmen."""
    parent = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "tests" / "parts" / "crashing_postman.py"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    yield parent
    assert parent.stdin is not None
    parent.stdin.close()
    await parent.communicate()
    assert parent.returncode == 0


@asynccontextmanager
async def postman(parent: asyncio.subprocess.Process, told: dict[str, Any]) -> AsyncIterator[None]:
    """Start a postman; kill it with -9 when the block ends."""
    assert parent.stdin is not None
    assert parent.stdout is not None
    parent.stdin.write(json.dumps(told).encode() + b"\n")
    word, child = (await parent.stdout.readline()).split()
    assert word == b"ready"
    try:
        yield
    finally:
        os.kill(int(child), signal.SIGKILL)
        assert await parent.stdout.readline() == b"dead\n"


@pytest.mark.parametrize("policy", ["leave", "resend"])
async def test_kill_9_in_a_broadcast_loses_nobody_and_doubles_at_most_what_was_in_flight(
    database: Database, database_url: str, forking: asyncio.subprocess.Process, policy: str
) -> None:
    chance = random.Random(policy)
    half = MEMBERS // 2
    async with Sandbox() as sandbox:
        await make_poll(database)
        people = [sandbox.telegram.person(f"P{place}") for place in range(half)]
        for person in people:
            await person.types("/start")
        phones = numbers(half)
        await make_members(database, half, telegram=[str(person.id) for person in people])
        await make_members(database, half, sms=phones, first=half + 1)
        sent = await send_notice(database, on_unknown=policy)
        told = {
            "database_url": database_url,
            "telegram_url": sandbox.telegram.api_url,
            "token": sandbox.telegram.token,
            "twilio_url": sandbox.twilio.api_url,
            "account_sid": sandbox.twilio.account_sid,
            "auth_token": sandbox.twilio.auth_token,
            "sender": sandbox.twilio.sender,
            "telegram_rate": RATE,
            "sms_rate": RATE,
            "began": time.time(),
        }
        for faults in (sandbox.faults.telegram, sandbox.faults.twilio):
            faults.add(Fault("slow", rate=0.3, count=None, delay_seconds=0.1))  # something is always on its way
        for _ in range(KILLS):
            counted = sandbox.telegram.meter.counted
            async with postman(forking, told):
                await until_more_than(counted, sandbox)
                await asyncio.sleep(chance.random() * 0.6)
        assert (await states(database)).get("ready", 0) > 0, "the kills came too late to mean anything"
        async with postman(forking, told):
            await until_done(database)

        texts = Counter({number: len(sandbox.twilio.phone(number).messages) for number in phones})
        messages = Counter(
            {str(one.id): sum("running late" in message.text for message in one.messages) for one in people}
        )
        rows = await rows_of(database)

    told_by = {row.address: row.state for row in rows}
    assert len(rows) == MEMBERS == len(told_by)
    assert set(told_by.values()) <= {"sent", "delivered", "unknown"}
    lost = [address for address, state in told_by.items() if state != "unknown" and not (texts | messages)[address]]
    assert lost == [], "the ledger says told, the phone says nothing"
    assert all(state != "unknown" for address, state in told_by.items() if address in texts)
    assert len(sandbox.faults.telegram.played) > 0
    doubled = sum(count - 1 for count in (texts | messages).values() if count > 1)
    unknown = Counter(told_by.values())["unknown"]
    if policy == "leave":
        assert doubled == 0
        assert unknown <= KILLS * IN_FLIGHT_MAX
    else:
        assert all(messages[address] or state == "unknown" for address, state in told_by.items() if address in messages)
        assert unknown <= KILLS
        assert doubled <= KILLS * IN_FLIGHT_MAX
    assert sum(messages.values()) == sandbox.telegram.meter.counted
    assert sum(texts.values()) == sandbox.twilio.meter.counted
    assert sent.id == rows[0].notice_id


async def until_more_than(counted: int, sandbox: Sandbox) -> None:
    """Wait until the broadcast goes on: a kill before that would prove nothing."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while sandbox.telegram.meter.counted <= counted:  # noqa: ASYNC110 - another process's doing
            await asyncio.sleep(0.01)


async def until_done(database: Database) -> None:
    """Wait until nothing is queued, on its way, or to be asked for."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while any(  # noqa: ASYNC110 - what is waited for is another process's doing
            row.state in ("ready", "sending") or (row.state == "unknown" and row.lease_until)
            for row in await rows_of(database)
        ):
            await asyncio.sleep(0.2)
