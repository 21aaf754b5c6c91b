"""The durable inbox: what a provider handed over is stored before it is acknowledged, and processed until done.

A row is claimed with a lease, the oldest of its queue first; while it is claimed nobody takes another row of that
queue, here or in another process, and the lease is kept as long as it is worked on. The payload is encrypted at rest
(members type codes) and gone once processed.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox
from sqlalchemy import bindparam, delete, func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.schema import inbox
from voting.store.database import Database
from voting.store.inserts import insert_into

LEASE: Final = timedelta(seconds=20)  # after a crash, how long its rows wait for somebody else
LEASE_KEPT_SECONDS: Final = 5.0  # how often the leases of what is worked on are made longer
CLAIM_MAX: Final = 128  # queues worked on at once
TRIES_MAX: Final = 5
PUT_OFF_MAX: Final = 60  # tries of a row that is not at fault: its provider could not be asked
RETRY_AFTER: Final = timedelta(seconds=2)  # doubled with each try
GOODBYE_SECONDS: Final = 5.0  # for rows being worked on when the service ends
IDLE_SECONDS: Final = 1.0  # how long a row stored by another process may wait to be seen
KEEP_DONE: Final = timedelta(days=2)  # Telegram and Twilio repeat themselves for a day at most

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Letter:
    """One thing a provider handed over. `key` identifies a repetition; `queue` keeps order."""

    source: str
    key: str
    queue: str
    payload: dict[str, Any]


class PutOff(Exception):  # noqa: N818 - not the row's fault
    """The provider could not be asked: the same row is tried again, after so many seconds.

    `tries_max`: fewer where it is not known whether an answer went, for each try may say it again.
    """

    def __init__(self, seconds: float, *, tries_max: int = PUT_OFF_MAX) -> None:
        super().__init__(f"once more in {seconds} s")
        self.seconds = seconds
        self.tries_max = tries_max


class Unreadable(Exception):  # noqa: N818 - a fact about a row
    """What was handed over cannot be read; `kind` is what went wrong and holds none of its text."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row to be processed now, `tries` with this one; `payload` is empty if it cannot be opened."""

    id: int
    source: str
    key: str
    queue: str
    payload: dict[str, Any]
    tries: int
    received_at: datetime


class Envelope:
    """Encrypts payloads at rest."""

    def __init__(self, key: bytes) -> None:
        self._box = SecretBox(key)

    def close(self, payload: dict[str, Any]) -> bytes:
        """Encrypt."""
        return bytes(self._box.encrypt(json.dumps(payload, separators=(",", ":")).encode()))

    def open(self, sealed: bytes) -> dict[str, Any]:
        """Decrypt; nacl.exceptions.CryptoError when the key is another."""
        payload: dict[str, Any] = json.loads(self._box.decrypt(sealed))
        return payload

    def try_open(self, sealed: bytes) -> dict[str, Any]:
        """Decrypt; nothing when the key is another: one row must not stop all others."""
        try:
            return self.open(sealed)
        except (CryptoError, ValueError, TypeError):
            return {}


async def store(connection: AsyncConnection, envelope: Envelope, letters: Sequence[Letter], now: datetime) -> None:
    """Store letters; one that is already there is left as it is."""
    if not letters:
        return
    rows = [
        {
            "source": letter.source,
            "key": letter.key,
            "queue": letter.queue,
            "payload": envelope.close(letter.payload),
            "received_at": now,
            "state": "new",
        }
        for letter in letters
    ]
    statement = insert_into(connection, inbox)
    await connection.execute(statement.on_conflict_do_nothing(index_elements=["source", "key"]), rows)


_CLAIM_SQL: Final = """
UPDATE inbox SET claimed_by = :who, lease_until = :until, tries = tries + 1
WHERE id IN (
    SELECT waiting.id FROM inbox AS waiting
    WHERE waiting.id IN (SELECT min(id) FROM inbox WHERE state = 'new' GROUP BY queue)
      AND (waiting.lease_until IS NULL OR waiting.lease_until < :now)
    ORDER BY waiting.id LIMIT :most {skip_locked}
)
RETURNING id, source, key, queue, payload, tries, received_at
"""


async def claim(database: Database, envelope: Envelope, *, who: str, now: datetime, most: int) -> list[Claimed]:
    """Take the oldest row of up to `most` queues that nobody works on."""
    statement = text(_CLAIM_SQL.format(skip_locked="" if database.is_sqlite else "FOR UPDATE SKIP LOCKED"))
    instant = inbox.c.lease_until.type
    statement = statement.bindparams(bindparam("until", type_=instant), bindparam("now", type_=instant))
    given = (inbox.c[name] for name in ("id", "source", "key", "queue", "payload", "tries", "received_at"))
    claiming = statement.columns(*given)
    async with database.writing() as connection:
        found = await connection.execute(claiming, {"who": who, "until": now + LEASE, "now": now, "most": most})
        rows = [dict(row) for row in found.mappings()]
    return sorted(
        (Claimed(**row | {"payload": envelope.try_open(row["payload"])}) for row in rows),
        key=lambda row: row.id,
    )


async def keep_leases(database: Database, ids: Sequence[int], *, who: str, now: datetime) -> None:
    """Keep rows that are still worked on: what waits for its slot is not given to anybody else meanwhile."""
    mine = (inbox.c.id.in_(ids), inbox.c.claimed_by == who, inbox.c.state == "new")
    async with database.writing() as connection:
        await connection.execute(update(inbox).where(*mine).values(lease_until=now + LEASE))


async def backlog(connection: AsyncConnection) -> tuple[int, datetime | None]:
    """Give how many rows wait and when the oldest came."""
    row = (
        await connection.execute(select(func.count(), func.min(inbox.c.received_at)).where(inbox.c.state == "new"))
    ).one()
    return row[0], row[1]


async def purge(connection: AsyncConnection, now: datetime) -> int:
    """Forget rows done long enough ago that no provider repeats them; return how many."""
    found = await connection.execute(delete(inbox).where(inbox.c.state != "new", inbox.c.done_at < now - KEEP_DONE))
    return found.rowcount


Handler = Callable[[Claimed], Awaitable[None]]
OnFailed = Callable[[Claimed, Exception], Awaitable[None]]


@dataclass
class Reader:
    """Works through the inbox: one row per queue at a time, up to CLAIM_MAX queues in parallel.

    `handle` must be repeatable: after a crash between its work and our note of it, it is called again. A row whose
    handling failed TRIES_MAX times, or that is Unreadable, is set aside as `failed` and `on_failed` is told.
    """

    database: Database
    envelope: Envelope
    who: str
    handle: Handler
    on_failed: OnFailed
    clock: Callable[[], datetime]
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _busy: dict[int, asyncio.Task[None]] = field(default_factory=dict)  # by row
    _finished: list[int] = field(default_factory=list)
    _again: list[tuple[Claimed, timedelta]] = field(default_factory=list)
    _given_up: list[tuple[Claimed, Exception]] = field(default_factory=list)

    def wake(self) -> None:
        """Say that something was stored."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        keeping = asyncio.create_task(self._keep_leases())
        try:
            while True:
                self._wake.clear()
                await self._note()
                claimed = await self._claim_more()
                for row in claimed:
                    self._busy[row.id] = asyncio.create_task(self._work(row))
                if not claimed and not self._finished and not self._again and not self._given_up:
                    await self._sleep()
        finally:
            keeping.cancel()
            await self._leave()

    async def idle(self) -> bool:
        """Tell whether nothing waits and nothing is being worked on."""
        async with self.database.reading() as connection:
            waiting, _ = await backlog(connection)
        return waiting == 0 and not self._busy

    async def _claim_more(self) -> list[Claimed]:
        room = CLAIM_MAX - len(self._busy)
        if room <= 0:
            return []
        claimed = await claim(self.database, self.envelope, who=self.who, now=self.clock(), most=room)
        return [row for row in claimed if row.id not in self._busy]  # a clock that jumped ends no work under way

    async def _sleep(self) -> None:
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            return  # look again: another process may have stored something

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(LEASE_KEPT_SECONDS)
            try:
                if self._busy:
                    await keep_leases(self.database, list(self._busy), who=self.who, now=self.clock())
            except (DBAPIError, OSError) as problem:  # the database is away: the next time, or the lease runs out
                log.warning("leases could not be kept", kind=type(problem).__name__)

    async def _work(self, row: Claimed) -> None:
        try:
            await self.handle(row)
        except Unreadable as problem:
            log.error("a row of the inbox cannot be read", row=row.id, source=row.source, kind=problem.kind)  # noqa: TRY400 - a trace could hold a word of it
            self._given_up.append((row, problem))
        except PutOff as wait:
            log.info("inbox row waits", row=row.id, source=row.source, tries=row.tries, wait_seconds=wait.seconds)
            self._try_again(row, wait, timedelta(seconds=wait.seconds), wait.tries_max)
        except Exception as problem:  # the outermost loop: one row must not stop the rest
            kind = type(problem).__name__
            log.exception(
                "a row of the inbox could not be handled", row=row.id, source=row.source, tries=row.tries, kind=kind
            )
            self._try_again(row, problem, RETRY_AFTER * 2 ** (row.tries - 1), TRIES_MAX)
        else:
            self._finished.append(row.id)
        del self._busy[row.id]
        self.wake()

    def _try_again(self, row: Claimed, problem: Exception, after: timedelta, tries_max: int) -> None:
        if row.tries < tries_max:
            self._again.append((row, after))
        else:
            self._given_up.append((row, problem))

    async def _note(self) -> None:
        """Write down together what finished since the last time."""
        finished, self._finished = self._finished, []
        again, self._again = self._again, []
        given_up, self._given_up = self._given_up, []
        if not finished and not again and not given_up:
            return
        now = self.clock()
        async with self.database.writing() as connection:
            done = {"payload": None, "done_at": now, "lease_until": None}
            if finished:
                await connection.execute(update(inbox).where(inbox.c.id.in_(finished)).values(state="done", **done))
            if given_up:
                ids = [row.id for row, _ in given_up]
                await connection.execute(update(inbox).where(inbox.c.id.in_(ids)).values(state="failed", **done))
            for row, after in again:
                await connection.execute(update(inbox).where(inbox.c.id == row.id).values(lease_until=now + after))
        for row, problem in given_up:
            await self._tell(row, problem)

    async def _tell(self, row: Claimed, problem: Exception) -> None:
        try:
            await self.on_failed(row, problem)
        except Exception as trouble:  # as in _work: a row nobody can be told of must not stop the rest
            log.exception("nobody was told of a failed row", row=row.id, kind=type(trouble).__name__)

    async def _leave(self) -> None:
        """Let what is being worked on end: a row cut off would make its queue wait for the lease."""
        tasks = set(self._busy.values())
        if tasks:
            await asyncio.wait(tasks, timeout=GOODBYE_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._note()
