"""PgBouncer in front of a server, in transaction mode and over TLS, as people run it in front of a large one."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from postgres_server import NAME, PASSWORD, USER, PostgresServer, give, server_user
from proxies import certificate
from town import free_port

SETTING = "prepared_statement_cache_size=0"
START_SECONDS = 20.0
# Few connections to the server and many to us: transactions of one of ours go now here, now there.
CONFIGURATION = """
[databases]
{name} = host=127.0.0.1 port={server_port} user={user} password='{password}'
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 3
server_login_retry = 1
client_tls_sslmode = require
client_tls_cert_file = {cert}
client_tls_key_file = {key}
logfile = {folder}/log
pidfile =
"""


@dataclass(frozen=True)
class Pooler:
    """One that runs; `url` is what a user sets."""

    port: int
    authority: Path

    @property
    def url(self) -> str:
        return self.url_with(f"{SETTING}&sslmode=verify-full&sslrootcert={quote(str(self.authority))}")

    def url_with(self, query: str) -> str:
        """Say how it is reached, with a query of one's own."""
        return f"postgresql+asyncpg://{USER}:{quote(PASSWORD)}@localhost:{self.port}/{NAME}?{query}"


@asynccontextmanager
async def in_front(server: PostgresServer) -> AsyncIterator[Pooler]:
    """Run it; skip the test where it is not installed."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        pytest.skip("pgbouncer is not on this machine: apt-get install pgbouncer")
    folder, port = server.folder / "pgbouncer", free_port()
    folder.mkdir()
    cert, key = await asyncio.to_thread(certificate, folder, "localhost")
    (folder / "users").write_text(f'"{USER}" "{PASSWORD}"\n')
    (folder / "pgbouncer.ini").write_text(
        CONFIGURATION.format(
            name=NAME,
            user=USER,
            password=PASSWORD,
            server_port=server.port,
            port=port,
            folder=folder,
            cert=cert,
            key=key,
        )
    )
    for path in (folder, *folder.iterdir()):
        give(path)
    child = await asyncio.create_subprocess_exec(
        program, str(folder / "pgbouncer.ini"), user=server_user(), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await _listens(port, child, folder)
        yield Pooler(port, cert)
    finally:
        if child.returncode is None:
            child.terminate()
        await child.wait()


async def _listens(port: int, child: asyncio.subprocess.Process, folder: Path) -> None:
    async with asyncio.timeout(START_SECONDS):
        while True:
            assert child.returncode is None, (folder / "log").read_text()
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)  # another program's doing
            else:
                writer.close()
                return
