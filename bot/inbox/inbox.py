"""The durable inbox: what a provider handed over is stored before it is acknowledged, and kept until it is done.

A row is claimed with a lease, the oldest of its queue first; while it is claimed nobody takes another row of that
queue, here or in another process. The payload is encrypted at rest (members type codes) and gone once processed.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from nacl.exceptions import CryptoError
from sqlalchemy import TextualSelect, bindparam, case, delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.schema import inbox
from voting.hour_keys import HourKeys
from voting.refusals import KeyGone
from voting.store.database import Database
from voting.store.inserts import insert_into

PURPOSE: Final = b"inbox"  # whose hours' keys close a payload
LEASE: Final = timedelta(seconds=20)  # after a crash, how long its rows wait for somebody else
TRIES_MAX: Final = 5
PUT_OFF_MAX: Final = 60  # tries of a row that is not at fault: its provider could not be asked
PUT_OFF_FEW: Final = 10  # queues that wait for their provider, of people who were held alone
KEEP_DONE: Final = timedelta(days=2)  # Telegram and Twilio repeat themselves for a day at most


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
    """Encrypts payloads at rest, each under the key of its hour."""

    def __init__(self, hours: HourKeys) -> None:
        self._hours = hours

    def close(self, payload: dict[str, Any], at: datetime) -> bytes:
        """Encrypt what came at this time."""
        return self._hours.close(PURPOSE, json.dumps(payload, separators=(",", ":")).encode(), at)

    def open(self, sealed: bytes) -> dict[str, Any]:
        """Decrypt; KeyGone, or nacl.exceptions.CryptoError when the key is another."""
        payload: dict[str, Any] = json.loads(self._hours.open(PURPOSE, sealed))
        return payload

    def try_open(self, sealed: bytes) -> dict[str, Any]:
        """Decrypt; nothing when the key is gone or another: one row must not stop all others."""
        try:
            return self.open(sealed)
        except (KeyGone, CryptoError, ValueError, TypeError):
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
            "payload": envelope.close(letter.payload, now),
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


async def claim(
    connection: AsyncConnection, envelope: Envelope, *, who: str, now: datetime, most: int
) -> list[Claimed]:
    """Take the oldest row of up to `most` queues that nobody works on; to be committed before anything is done."""
    sqlite = connection.dialect.name == "sqlite"
    found = await connection.execute(
        _CLAIM_HERE if sqlite else _CLAIM_SKIPPING, {"who": who, "until": now + LEASE, "now": now, "most": most}
    )
    rows = [dict(row) for row in found.mappings()]
    return sorted(
        (Claimed(**row | {"payload": envelope.try_open(row["payload"])}) for row in rows),
        key=lambda row: row.id,
    )


def _claiming(lock: str) -> TextualSelect:
    statement = text(_CLAIM_SQL.format(skip_locked=lock))
    instant = inbox.c.lease_until.type
    statement = statement.bindparams(bindparam("until", type_=instant), bindparam("now", type_=instant))
    return statement.columns(
        *(inbox.c[name] for name in ("id", "source", "key", "queue", "payload", "tries", "received_at"))
    )


_CLAIM_HERE: Final = _claiming("")
_CLAIM_SKIPPING: Final = _claiming("FOR UPDATE SKIP LOCKED")


async def hand_back(connection: AsyncConnection, *, who: str, but: Collection[int]) -> None:
    """Free rows of this process that it does not work on: a claim's commit whose answer was lost on the way.

    That is no try of theirs.
    """
    lost = (inbox.c.claimed_by == who, inbox.c.state == "new", inbox.c.id.not_in(but))
    await connection.execute(
        update(inbox).where(*lost).values(claimed_by=None, lease_until=None, tries=inbox.c.tries - 1)
    )


async def keep_leases(database: Database, ids: Sequence[int], *, who: str, now: datetime) -> None:
    """Keep rows that are still worked on: what waits for its slot is not given to anybody else meanwhile."""
    mine = (inbox.c.id.in_(ids), inbox.c.claimed_by == who, inbox.c.state == "new")
    async with database.writing() as connection:
        await connection.execute(update(inbox).where(*mine).values(lease_until=now + LEASE))


async def backlog(connection: AsyncConnection, now: datetime) -> tuple[int, datetime | None]:
    """Give how many rows wait, and when the oldest came that waits for us.

    A row that was put off waits for its provider, and what is behind it in its queue for that row: a few chats
    that Telegram holds say nothing about the service. Many do: nothing gets out.
    """
    off = (inbox.c.state == "new", inbox.c.claimed_by.is_(None), inbox.c.lease_until > now)
    put_off = list((await connection.execute(select(inbox.c.queue).where(*off).limit(PUT_OFF_FEW + 1))).scalars())
    theirs = put_off if len(put_off) <= PUT_OFF_FEW else []
    ours = case((inbox.c.queue.not_in(theirs), inbox.c.received_at))
    row = (await connection.execute(select(func.count(), func.min(ours)).where(inbox.c.state == "new"))).one()
    return row[0], row[1]


async def purge(connection: AsyncConnection, now: datetime) -> int:
    """Forget rows done long enough ago that no provider repeats them; return how many."""
    found = await connection.execute(delete(inbox).where(inbox.c.state != "new", inbox.c.done_at < now - KEEP_DONE))
    return found.rowcount
