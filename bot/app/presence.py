"""Which processes run: each says so every while, so that `doctor` finds two machines that do not fit together."""

import platform
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.house import House
from bot.schema import presence
from voting.codes.hashing import keyed_hash
from voting.secrets_file import Secrets
from voting.store.inserts import insert_into

EVERY: Final = timedelta(seconds=20)
SEEN_WITHIN: Final = timedelta(minutes=1)  # whoever was not seen for so long is taken to be gone
KEPT_FOR: Final = timedelta(days=1)
OURS: Final = version("ballotline")
_DOMAIN: Final = b"ballotline same secrets 1"
_FINGERPRINT_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Seen:
    """A process that ran a moment ago."""

    machine: str
    version: str
    secrets: str


async def seen(connection: AsyncConnection, now: datetime) -> list[Seen]:
    """Give the processes that run."""
    columns = (presence.c.machine, presence.c.version, presence.c.secrets)
    recent = presence.c.seen_at > now - SEEN_WITHIN
    return [Seen(*row) for row in await connection.execute(select(*columns).where(recent).order_by(presence.c.process))]


@dataclass(frozen=True, slots=True)
class Presence:
    """Says that this process, named `who`, runs."""

    house: House
    who: str

    async def show(self) -> None:
        """Say so, and forget who has not for a day."""
        now = self.house.clock()
        facts = {
            "machine": platform.node() or "unnamed",
            "version": OURS,
            "secrets": fingerprint(self.house.secrets),
            "seen_at": now,
        }
        async with self.house.database.writing() as connection:
            await connection.execute(delete(presence).where(presence.c.seen_at < now - KEPT_FOR))
            statement = insert_into(connection, presence).values(process=self.who, **facts)
            await connection.execute(statement.on_conflict_do_update(index_elements=["process"], set_=facts))

    async def end(self) -> None:
        """Say that it runs no more."""
        async with self.house.database.writing() as connection:
            await connection.execute(delete(presence).where(presence.c.process == self.who))


def fingerprint(secrets: Secrets) -> str:
    """Tell two secrets files apart: 16 hexadecimal digits, from which nothing can be learnt of their keys.

    The hour keys are left out: they move on, each machine's by itself and to the same ones.
    """
    keys = (secrets.session_key, secrets.button_key, secrets.signing_key)
    parts = (*(keyed_hash(key, _DOMAIN) for key in keys), secrets.webhook_secret.encode())
    return keyed_hash(secrets.code_key, _DOMAIN, *parts).hex()[: 2 * _FINGERPRINT_BYTES]
