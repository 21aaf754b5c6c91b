"""PostgreSQL as people run it: behind a pooler, over TLS, with a standby, and away for a while.

What the URL's query says is asyncpg's and SQLAlchemy's, and these:

- `prepared_statement_cache_size=0`: PgBouncer stands in front in transaction mode. Each transaction may get another
  server connection, so no prepared statement has a name that outlives it:
  https://docs.sqlalchemy.org/en/21/dialects/postgresql.html#prepared-statement-name-with-pgbouncer
- several `host=NAME:PORT`: whichever of them takes writes is used, whoever was promoted.
- `sslmode`, `sslrootcert`, `sslcert`, `sslkey`, `sslcrl`: as libpq takes them.
"""

import socket
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlencode

from sqlalchemy import Connection, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry

POOL_SIZE: Final = 16
CONNECT_TIMEOUT_SECONDS: Final = 10.0
POOL_TIMEOUT_SECONDS: Final = 30.0
CACHE: Final = "prepared_statement_cache_size"
TARGET: Final = "target_session_attrs"
GROWN_ROWS: Final = 1_000  # a smaller table is read in no time
_OF_LIBPQ: Final = ("sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl")  # asyncpg takes them in a DSN only
# A peer that vanished without a word is found out by the system after so long, not after a quarter of an hour.
_KEPT_ALIVE: Final = {
    getattr(socket, name): value
    for name, value in (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3), ("TCP_USER_TIMEOUT", 25_000))
    if hasattr(socket, name)
}
# Whoever has a snapshot keeps dead rows alive: https://www.postgresql.org/docs/current/monitoring-stats.html
_OTHERS: Final = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND coalesce(backend_xmin, backend_xid) IS NOT NULL
"""


class NoneFree(ConnectionError):  # noqa: N818 - a fact about the pool
    """Every connection is taken, and none became free in time: everybody else waits for the database, too."""


class _Pool(AsyncAdaptedQueuePool):
    """A pool of which all that a database raises that is away is OSError or SQLAlchemy's DBAPIError."""

    def _do_get(self) -> ConnectionPoolEntry:
        try:
            return super()._do_get()
        except PoolTimeout as problem:
            raise NoneFree(str(problem)) from problem


def make_engine(url: str | URL) -> AsyncEngine:
    """Make the engine; nothing is connected yet."""
    asked = make_url(url)
    arguments: dict[str, Any] = {"timeout": CONNECT_TIMEOUT_SECONDS}
    if is_pooled(asked):
        arguments |= {"statement_cache_size": 0, "prepared_statement_name_func": str}  # the statement without a name
    if _has_several_hosts(asked) and TARGET not in asked.query:
        arguments[TARGET] = "read-write"
    if libpq := {name: asked.query[name] for name in _OF_LIBPQ if name in asked.query}:
        arguments["dsn"] = f"postgresql://?{urlencode(libpq, doseq=True)}"
    engine = create_async_engine(
        asked.difference_update_query(_OF_LIBPQ),
        poolclass=_Pool,
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        connect_args=arguments,
    )
    event.listen(engine.sync_engine, "connect", _on_connect)
    event.listen(engine.sync_engine, "checkout", _on_checkout)
    return engine


def is_pooled(url: URL) -> bool:
    """Tell whether the URL says that a pooler stands in front."""
    return url.query.get(CACHE) == "0"


async def is_behind_pooler(connection: AsyncConnection) -> bool:
    """Tell whether somebody stands between: who greeted us is not the process that serves us."""
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None
    return bool(driver.get_server_pid() != await connection.scalar(text("SELECT pg_backend_pid()")))


def _has_several_hosts(url: URL) -> bool:
    hosts = url.query.get("host", ())
    return "," in hosts if isinstance(hosts, str) else len(hosts) > 1


def _on_connect(_connection: object, record: Any) -> None:  # noqa: ANN401 - the pool's own type
    transport = record.driver_connection._transport  # noqa: SLF001 - asyncpg shows its socket nowhere else
    line = transport.get_extra_info("socket")
    if line.family == socket.AF_UNIX:
        return
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _KEPT_ALIVE.items():
        line.setsockopt(socket.IPPROTO_TCP, option, value)


def _on_checkout(_connection: object, record: Any, _proxy: object) -> None:  # noqa: ANN401 - the pool's own type
    """Give nobody a connection that the server has ended while it lay in the pool; this asks the server nothing."""
    if record.driver_connection.is_closed():
        raise DisconnectionError


def unhurried(connection: Connection) -> None:
    """Let this transaction's statements take their time, whatever `statement_timeout` the role has."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))


async def plan_anew(connection: AsyncConnection, table: str, before: int, now: int) -> None:
    """Have PostgreSQL plan anew when a table has grown from `before` to twice as many rows in this transaction.

    It counts rows that are committed, and keeps a connection's plans until a table is counted anew: what was planned
    when the table was empty would read all of it for each row, in triggers too.
    """
    if connection.dialect.name == "postgresql" and now >= GROWN_ROWS and now.bit_length() > before.bit_length():
        await connection.exec_driver_sql(f'ANALYZE "{table}"')


async def cluster(connection: AsyncConnection, tables: Iterable[str]) -> bool:
    """Write tables anew, each in a transaction of its own; whether nobody else can see what they held before."""
    async with connection.begin():
        others = await connection.scalar(text(_OTHERS))
    for table in tables:
        async with connection.begin():
            await connection.run_sync(unhurried)
            await connection.exec_driver_sql(f'CLUSTER "{table}" USING "pk_{table}"')
    return not others
