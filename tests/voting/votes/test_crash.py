"""Processes that race, and processes that die in the middle of it: one vote each, and no confirmed one is lost."""

import asyncio
import json
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from electorate import Electorate, Letter, open_electorate
from forked import Talking, talking
from prepared import NOW, SECRETS
from soak import KILLS
from sqlalchemy import select

from voting import schema, secrets_file
from voting.store.database import Database

WAITING = 64
CONFIRMED_BETWEEN_KILLS = (1, 150)
MEMBERS = 200 * KILLS
PROCESSES = 4
RACERS_EACH = 64
PATIENCE_SECONDS = 120.0  # until the next line

ROOT = Path(__file__).parents[3]


@asynccontextmanager
async def process(folder: Path, url: str, letters: Sequence[Letter], **told: Any) -> AsyncIterator[Talking]:
    """Start a voting process; kill it with -9 when the block ends before it does."""
    path, secrets = (folder / f"{what}-{os.urandom(4).hex()}.json" for what in ("told", "secrets"))
    secrets_file.save(secrets, SECRETS)
    common = {"database_url": url, "secrets": str(secrets), "now": NOW.isoformat()}
    path.write_text(json.dumps(common | {"letters": [asdict(letter) for letter in letters]} | told), encoding="utf-8")
    words = (str(ROOT / "tests" / "parts" / "voting_process.py"), str(path))
    async with talking(*words, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}) as child:
        yield child


async def lines_of(child: Talking) -> AsyncIterator[list[str]]:
    """Yield what a process says, whole lines only: the last may be cut off by its end."""
    while True:
        async with asyncio.timeout(PATIENCE_SECONDS):
            line = await child.says.readline()
        if not line.endswith(b"\n"):
            return
        yield line.decode().split()


class Witness:
    """Remembers what voting processes have said."""

    def __init__(self) -> None:
        self.papers: dict[str, str] = {}
        self.confirmed: dict[str, str] = {}
        self.done = False

    async def listen(self, child: Talking, confirmed_max: int | None) -> None:
        """Listen until the process is done or has confirmed so many votes."""
        enough = None if confirmed_max is None else len(self.confirmed) + confirmed_max
        async for kind, *words in lines_of(child):
            if kind == "PAPER":
                self.papers[words[0]] = words[1]
            elif kind == "CONFIRMED":
                assert self.confirmed.setdefault(words[0], words[1]) == words[1]
            else:
                self.done = True
            if len(self.confirmed) == enough:
                return


async def insist_on(town: Electorate, witness: Witness) -> None:
    """Every confirmed receipt stands, every lock has its ballot, every identity holds."""
    async with town.database.reading() as connection:
        locks = {str(row.member_id): row.receipt for row in await connection.execute(select(schema.lock))}
    lost = {member: receipt for member, receipt in witness.confirmed.items() if locks.get(member) != receipt}
    assert lost == {}
    assert await town.count("ballot") == len(locks)
    assert await town.broken_probes() == []


@pytest.mark.crash
async def test_kill_9_under_load_loses_no_confirmed_vote_and_doubles_none(
    database: Database, database_url: str, engine_name: str, tmp_path: Path
) -> None:
    """Killed at random moments with 64 waiting; whoever got no answer presses the same paper again afterwards."""
    chance = random.Random(engine_name)
    town, witness = await open_electorate(database, MEMBERS), Witness()

    for _ in range(KILLS):
        rest = [letter for letter in town.letters if str(letter.member_id) not in witness.confirmed]
        told = {"job": "vote", "waiting": WAITING, "papers": witness.papers}
        async with process(tmp_path, database_url, rest, **told) as child:
            await witness.listen(child, chance.randint(*CONFIRMED_BETWEEN_KILLS))
        await insist_on(town, witness)
        assert not witness.done, "the kill came too late to mean anything"

    # The last one dies of nothing; papers opened but never told of are opened anew, which is innocent too.
    locked = await the_locked(town)
    rest = [
        letter for letter in town.letters if letter.member_id not in locked or str(letter.member_id) in witness.papers
    ]
    told = {"job": "vote", "waiting": WAITING, "papers": witness.papers}
    async with process(tmp_path, database_url, rest, **told) as child:
        await witness.listen(child, None)

    assert witness.done
    assert len(witness.confirmed) == MEMBERS == await town.count("lock")
    assert await town.count("attempt") == 0
    await insist_on(town, witness)


async def the_locked(town: Electorate) -> set[int]:
    async with town.database.reading() as connection:
        return set((await connection.execute(select(schema.lock.c.member_id))).scalars())


async def test_four_processes_with_64_presses_each_on_one_member_make_one_lock(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    """A third of the presses come from the member's own chat: each learns what is true for their chat."""
    town = await open_electorate(database, members=2)
    ada = town.letters[0]
    answers: list[list[str]] = []
    everybody_ready = asyncio.Barrier(PROCESSES)
    async with asyncio.TaskGroup() as group:
        for number in range(PROCESSES):
            chats = [ada.chat if place % 3 == 0 else f"telegram:{number}0{place}00" for place in range(RACERS_EACH)]
            running = process(tmp_path, database_url, [ada], job="race", chats=chats)
            group.create_task(race(answers, everybody_ready, running))

    locked = await the_lock(town)
    assert len(answers) == PROCESSES * RACERS_EACH
    said = Counter(kind for kind, _, _ in answers)
    assert said["FRESH"] == 1
    assert {receipt for kind, _, receipt in answers if kind in {"FRESH", "AGAIN"}} == {locked.receipt}
    assert {chat for kind, chat, _ in answers if kind in {"FRESH", "AGAIN"}} == {locked.chat}
    assert all(word == "AlreadyVoted" and chat != locked.chat for kind, chat, word in answers if kind == "REFUSED")
    assert (await town.count("lock"), await town.count("ballot"), await town.count("attempt")) == (1, 1, 0)
    assert await town.broken_probes() == []


async def race(answers: list[list[str]], everybody_ready: asyncio.Barrier, running: Any) -> None:
    """Have one process race, once every process has opened its papers, and gather what it says."""
    async with running as child:
        async for words in lines_of(child):
            if words == ["READY"]:
                await everybody_ready.wait()
                child.types("go")
            else:
                answers.append(words)


async def the_lock(town: Electorate) -> Any:
    async with town.database.reading() as connection:
        return (await connection.execute(select(schema.lock))).one()
