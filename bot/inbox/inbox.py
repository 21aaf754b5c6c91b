"""The durable inbox: what a provider handed over is stored before it is acknowledged, and processed until done.

A row is claimed with a lease, the oldest of its queue first; while it is claimed nobody takes another row of that
queue, here or in another process. The payload is encrypted at rest (members type codes) and gone once processed.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from nacl.secret import SecretBox
from sqlalchemy import bindparam, delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.schema import inbox
from voting.store.database import Database
from voting.store.inserts import insert_into
from voting.store.together import Together

LEASE: Final = timedelta(seconds=20)  # after a crash, how long its rows wait for somebody else
CLAIM_MAX: Final = 128  # queues worked on at once
TRIES_MAX: Final = 5
RETRY_AFTER: Final = timedelta(seconds=2)  # doubled with each try
GOODBYE_SECONDS: Final = 5.0  # for rows being worked on when the service ends
IDLE_SECONDS: Final = 1.0  # how long a row stored by another process may wait to be seen
TOGETHER_MAX: Final = 256  # letters in one transaction
WAITING_MAX: Final = 10_000  # letters to be stored; beyond this the provider is told to come again
KEEP_DONE: Final = timedelta(days=2)  # Telegram and Twilio repeat themselves for a day at most

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Letter:
    """One thing a provider handed over. `key` is what makes a repetition the same; `queue` keeps order."""

    source: str
    key: str
    queue: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row to be processed now, `tries` before this one."""

    id: int
    source: str
    key: str
    queue: str
    payload: dict[str, Any]
    tries: int


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


class Arrivals:
    """Stores what webhooks hand over; letters that arrive together share one transaction, and then `wake` is called."""

    def __init__(
        self, database: Database, envelope: Envelope, *, wake: Callable[[], None], clock: Callable[[], datetime]
    ) -> None:
        self._database, self._envelope, self._wake, self._clock = database, envelope, wake, clock
        self._together: Together[Letter, None] = Together(
            "letters", self._store, together_max=TOGETHER_MAX, waiting_max=WAITING_MAX
        )

    async def put(self, letter: Letter) -> None:
        """Return once the letter is durable; a repetition is as good as stored.

        TooMany, Fault: then the provider must not be told that it is.
        """
        await self._together.ask(letter)

    async def finish(self) -> None:
        """Wait until nothing waits to be stored."""
        await self._together.finish()

    async def _store(self, letters: Sequence[Letter]) -> list[None]:
        async with self._database.writing() as connection:
            await store(connection, self._envelope, letters, self._clock())
        self._wake()
        return [None for _ in letters]


_CLAIM_SQL: Final = """
UPDATE inbox SET claimed_by = :who, lease_until = :until, tries = tries + 1
WHERE id IN (
    SELECT waiting.id FROM inbox AS waiting
    WHERE waiting.id IN (SELECT min(id) FROM inbox WHERE state = 'new' GROUP BY queue)
      AND (waiting.lease_until IS NULL OR waiting.lease_until < :now)
    ORDER BY waiting.id LIMIT :most {skip_locked}
)
RETURNING id, source, key, queue, payload, tries
"""


async def claim(database: Database, envelope: Envelope, *, who: str, now: datetime, most: int) -> list[Claimed]:
    """Take the oldest row of up to `most` queues that nobody works on."""
    statement = text(_CLAIM_SQL.format(skip_locked="" if database.is_sqlite else "FOR UPDATE SKIP LOCKED"))
    until, at = (inbox.c.lease_until.type, inbox.c.lease_until.type)
    statement = statement.bindparams(bindparam("until", type_=until), bindparam("now", type_=at))
    async with database.writing() as connection:
        found = await connection.execute(statement, {"who": who, "until": now + LEASE, "now": now, "most": most})
        rows = found.all()
    return sorted(
        (Claimed(row.id, row.source, row.key, row.queue, envelope.open(row.payload), row.tries) for row in rows),
        key=lambda row: row.id,
    )


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


@dataclass
class Reader:
    """Works through the inbox: one row per queue at a time, up to CLAIM_MAX queues in parallel.

    `handle` must be repeatable: after a crash between its work and our note of it, it is called again. A row whose
    handling failed TRIES_MAX times is set aside as `failed` and `on_failed` is told.
    """

    database: Database
    envelope: Envelope
    who: str
    handle: Handler
    on_failed: Handler
    clock: Callable[[], datetime]
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _busy: set[asyncio.Task[None]] = field(default_factory=set)
    _finished: list[int] = field(default_factory=list)
    _broken: list[Claimed] = field(default_factory=list)

    def wake(self) -> None:
        """Say that something was stored."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            while True:
                self._wake.clear()
                await self._note()
                claimed = await self._claim_more()
                for row in claimed:
                    task = asyncio.create_task(self._work(row))
                    self._busy.add(task)
                    task.add_done_callback(self._busy.discard)
                if not claimed and not self._finished and not self._broken:
                    await self._sleep()
        finally:
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
        return await claim(self.database, self.envelope, who=self.who, now=self.clock(), most=room)

    async def _sleep(self) -> None:
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            return  # look again: another process may have stored something

    async def _work(self, row: Claimed) -> None:
        try:
            await self.handle(row)
        except Exception as problem:  # the outermost loop: one row must not stop the rest
            log.exception(
                "inbox row failed", row=row.id, source=row.source, tries=row.tries, kind=type(problem).__name__
            )
            self._broken.append(row)
        else:
            self._finished.append(row.id)
        self.wake()

    async def _note(self) -> None:
        """Write down together what finished since the last time."""
        finished, self._finished = self._finished, []
        broken, self._broken = self._broken, []
        if not finished and not broken:
            return
        now = self.clock()
        given_up = [row for row in broken if row.tries >= TRIES_MAX]
        again = [row for row in broken if row.tries < TRIES_MAX]
        async with self.database.writing() as connection:
            done = {"payload": None, "done_at": now, "lease_until": None}
            if finished:
                await connection.execute(update(inbox).where(inbox.c.id.in_(finished)).values(state="done", **done))
            if given_up:
                ids = [row.id for row in given_up]
                await connection.execute(update(inbox).where(inbox.c.id.in_(ids)).values(state="failed", **done))
            for row in again:
                until = now + RETRY_AFTER * 2 ** (row.tries - 1)
                await connection.execute(update(inbox).where(inbox.c.id == row.id).values(lease_until=until))
        for row in given_up:
            await self.on_failed(row)

    async def _leave(self) -> None:
        """Let what is being worked on end: a row cut off would make its queue wait for the lease."""
        if self._busy:
            await asyncio.wait(set(self._busy), timeout=GOODBYE_SECONDS)
        for task in self._busy:
            task.cancel()
        await asyncio.gather(*self._busy, return_exceptions=True)
        await self._note()
