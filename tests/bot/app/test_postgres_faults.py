"""PostgreSQL as people run it: a role without rights, a password file, restarts, poolers, a standby that takes over."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from forwarder import Forwarder
from mortal_town import MortalTown
from pgbouncer import in_front
from postgres_server import NAME, USER, PostgresServer, postgres_servers
from prepared import SECRETS
from proxies import certificate
from soak import FAULT_ROUNDS
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from town import Resident

from bot.commands.examination import pooler_findings
from voting.audit.probes import run_probes
from voting.audit.signer import Signer
from voting.refusals import DatabaseUnreachable
from voting.store.database import Database
from voting.store.revision import check
from voting.store.upgrade import upgrade

VOTERS = [f"v{number}" for number in range(8)]
PATIENCE_SECONDS = 60.0

pytestmark = pytest.mark.crash


@pytest.fixture(autouse=True, params=range(FAULT_ROUNDS))
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


@pytest.fixture
async def standby(postgres_url: str) -> AsyncIterator[tuple[PostgresServer, PostgresServer]]:
    """Give a server and its standby, without which it confirms nothing."""
    assert postgres_url  # as above
    async with postgres_servers(2) as [first, second]:
        await first.says("ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
        yield first, second


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


async def until_answered(ask: Callable[[], Awaitable[None]]) -> None:
    """Ask again while the pooler refuses: for a second after a login that failed it tries no other."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                return await ask()
            except (DBAPIError, DatabaseUnreachable):
                await asyncio.sleep(0.2)  # another program's doing


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


async def readiness(town: MortalTown) -> int:
    """Ask as whatever watches the service does."""
    async with aiohttp.ClientSession(town.url) as client, client.get("/readyz") as answer:
        return answer.status


# -- a role without rights, and a password file ------------------------------------------


async def test_a_plain_role_with_a_password_file_and_a_short_statement_timeout(
    server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSFILE", str(server.passfile))
    await server.says(f"ALTER ROLE {USER} SET statement_timeout = '5s'")
    async with migrated(server.url) as database:
        async with town_on(database, server.url, tmp_path) as town:
            voting = Voting(town)

            async with asyncio.TaskGroup() as group:
                await voting.begins(group)

            await all_voted_once(town, voting.receipts)
        async with database.reading() as connection:
            assert await connection.scalar(text("SHOW statement_timeout")) == "5s"
            assert await connection.scalar(text("SHOW is_superuser")) == "off"
        async with server.owner() as backup, backup.transaction(isolation="repeatable_read"):
            await backup.fetchval("SELECT count(*) FROM lock")
            assert not await database.compact(["ballot"]), "somebody of another role still sees the old rows"
        assert await database.compact(["ballot"])


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
                assert await readiness(town) == 503
            else:
                way.freezes()
            await asyncio.sleep(10)  # the fault itself
            before = await town.locks()
            if how == "refused":
                await way.opens()
            else:
                way.thaws()

        assert before < len(VOTERS)
        assert await readiness(town) == 200
        await all_voted_once(town, voting.receipts)
        if how == "refused":
            await way.cuts()
            await town.stops()  # in order: with nobody there to say goodbye to


# -- behind PgBouncer --------------------------------------------------------------------


async def test_behind_pgbouncer_in_transaction_mode_over_tls(server: PostgresServer, tmp_path: Path) -> None:
    """The URL says all: the pooler, and whose certificate is believed. The server behind it crashes in mid-vote."""
    async with (
        in_front(server) as pooler,
        migrated(pooler.url) as database,
        town_on(database, pooler.url, tmp_path) as town,
    ):
        voting = Voting(town)

        async with asyncio.TaskGroup() as group:
            await voting.begins(group)
            await server.stops("immediate")
            await server.starts()

        async def insist() -> None:
            await all_voted_once(town, voting.receipts)
            async with database.reading() as connection:
                assert await connection.scalar(text("SELECT count(*) FROM pg_prepared_statements")) == 0
            assert await pooler_findings(database.url) == []

        await until_answered(insist)


async def test_a_pooler_that_the_url_does_not_tell_of_is_found_and_a_certificate_of_others_refused(
    server: PostgresServer, tmp_path: Path
) -> None:
    async with in_front(server) as pooler:
        [found] = await pooler_findings(make_url(pooler.url_with("ssl=require")))
        others, _ = await asyncio.to_thread(certificate, tmp_path, "localhost")
        stranger = Database(pooler.url.replace(str(pooler.authority), str(others)))
        with pytest.raises(DatabaseUnreachable, match="certificate"):
            await check(stranger)
        await stranger.close()

    assert (found.ok, found.what_to_do) == (
        False,
        "add prepared_statement_cache_size=0 to the query of BALLOTLINE_DATABASE_URL",
    )


# -- the standby takes over --------------------------------------------------------------


async def test_a_standby_that_was_promoted_takes_the_votes(
    standby: tuple[PostgresServer, PostgresServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Replication is synchronous here: what was confirmed is on both. The URL names both."""
    first, second = standby
    monkeypatch.setenv("PGPASSFILE", str(first.passfile))
    hosts = "&".join(f"host=127.0.0.1:{server.port}" for server in standby)
    url = f"postgresql+asyncpg://{USER}@/{NAME}?{hosts}"
    async with migrated(url) as database, town_on(database, url, tmp_path) as town:
        voting = Voting(town)

        async with asyncio.TaskGroup() as group:
            await voting.begins(group)
            await first.stops("immediate")
            await second.promoted()

        await all_voted_once(town, voting.receipts)
