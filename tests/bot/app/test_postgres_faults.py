"""PostgreSQL as people run it: a role without rights, a password file, restarts, poolers, a standby that takes over."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from forwarder import Forwarder
from mortal_town import MortalTown
from postgres_server import USER, PostgresServer, postgres_servers
from prepared import SECRETS
from sqlalchemy import text
from town import Resident

from voting.audit.probes import run_probes
from voting.audit.signer import Signer
from voting.store.database import Database
from voting.store.upgrade import upgrade

VOTERS = [f"v{number}" for number in range(8)]
PATIENCE_SECONDS = 60.0

pytestmark = pytest.mark.crash


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What asyncpg reads besides the URL is the test's own."""
    for name in list(os.environ):
        if name.startswith("PG"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
async def server(postgres_url: str) -> AsyncIterator[PostgresServer]:
    assert postgres_url  # the wheel has made itself at home
    async with postgres_servers() as [server]:
        yield server


@asynccontextmanager
async def migrated(url: str) -> AsyncIterator[Database]:
    """Give an empty poll's database."""
    database = Database(url, Signer(SECRETS))
    try:
        await upgrade(database)
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def town_on(database: Database, url: str, folder: Path) -> AsyncIterator[MortalTown]:
    """Give a town whose poll is open; `url`: how `run` reaches what `database` is."""
    now = datetime.now(UTC)
    town = MortalTown(
        database,
        folder,
        url,
        may_complain=True,
        residents=[Resident(name, None) for name in VOTERS],
        moment=now,
        opens_at=now - timedelta(days=1),
        closes_at=now + timedelta(days=1),
    )
    async with town:
        yield town


async def all_voted_once(town: MortalTown, receipts: dict[str, str]) -> None:
    """Everybody has the receipt that they were told of, nobody counts twice, and nothing looks odd to anybody."""
    assert receipts.keys() == set(VOTERS)
    assert await town.count("North Quay") == len(VOTERS)
    for name, receipt in receipts.items():
        lock = await town.lock_of(name)
        assert lock is not None
        assert lock.receipt == receipt
        assert await town.case_of(name) is None
    async with town.database.reading() as connection:
        assert [probe for probe in await run_probes(connection) if not probe.holds] == []


class Voting:
    """All vote at the same time; whoever is cut off in mid-vote does nothing but wait for the answer."""

    def __init__(self, town: MortalTown) -> None:
        self.town, self.receipts = town, dict[str, str]()

    async def begins(self, group: asyncio.TaskGroup) -> None:
        """Let all begin, and return when the first are done and others are not."""
        for name in VOTERS:
            group.create_task(self._one(name))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not self.receipts:  # noqa: ASYNC110 - another process's doing
                await asyncio.sleep(0.005)
        assert len(self.receipts) < len(VOTERS), "the fault comes too late to mean anything"

    async def _one(self, name: str) -> None:
        self.receipts[name] = await self.town.member(name).votes("North Quay")


# -- a role without rights, and a password file ------------------------------------------


async def test_a_plain_role_with_a_password_file_and_a_short_statement_timeout(
    server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSFILE", str(server.passfile))
    await server.says(f"ALTER ROLE {USER} SET statement_timeout = '5s'")
    async with migrated(server.url) as database, town_on(database, server.url, tmp_path) as town:
        voting = Voting(town)

        async with asyncio.TaskGroup() as group:
            await voting.begins(group)

        await all_voted_once(town, voting.receipts)
        async with database.reading() as connection:
            assert await connection.scalar(text("SHOW statement_timeout")) == "5s"
            assert await connection.scalar(text("SHOW is_superuser")) == "off"


# -- gone in mid-vote, and back ----------------------------------------------------------


async def test_the_server_crashes_in_mid_vote_and_starts_again(
    server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSFILE", str(server.passfile))
    async with migrated(server.url) as database, town_on(database, server.url, tmp_path) as town:
        voting = Voting(town)

        async with asyncio.TaskGroup() as group:
            await voting.begins(group)
            await server.stops("immediate")
            await server.starts()

        await all_voted_once(town, voting.receipts)


@pytest.mark.parametrize("how", ["refused", "silent"])
async def test_the_server_cannot_be_reached_for_ten_seconds(
    how: str, server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSFILE", str(server.passfile))
    async with (
        migrated(server.url) as database,
        Forwarder(server.port) as way,
        town_on(database, server.url.replace(str(server.port), str(way.port)), tmp_path) as town,
    ):
        voting = Voting(town)

        async with asyncio.TaskGroup() as group:
            await voting.begins(group)
            if how == "refused":
                await way.cuts()
            else:
                way.freezes()
            await asyncio.sleep(10)  # the fault itself
            before = await town.locks()
            if how == "refused":
                await way.opens()
            else:
                way.thaws()

        assert before < len(VOTERS)
        await all_voted_once(town, voting.receipts)
