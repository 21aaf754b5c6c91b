"""Papers that wait for a choice: each keeps its credential's secret, closed under an hour's key, for a day at most.

What waits is closed anew every hour, so that nobody who walks away from a paper holds an older hour's key back.
"""

from datetime import datetime, timedelta
from typing import Final

from nacl.exceptions import CryptoError
from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from voting.hour_keys import HourKeys, hour_bytes
from voting.refusals import KeyGone
from voting.schema import intent
from voting.store.database import Database

PURPOSE: Final = b"paper"  # whose hours' keys close a credential's secret
LIFE: Final = timedelta(days=1)
ANEW_MAX: Final = 500  # in one transaction


async def oldest_paper(connection: AsyncConnection, since: datetime) -> bytes | None:
    """Give the secret that was closed in the earliest hour, of those closed in the hour of `since` or later."""
    secret = intent.c.credential_secret
    oldest = select(secret).where(secret >= hour_bytes(since)).order_by(secret).limit(1)
    return (await connection.execute(oldest)).scalar()


async def forget_old_papers(connection: AsyncConnection, now: datetime) -> int:
    """Forget the secrets of papers that nobody has cast for a day; return how many."""
    old = (intent.c.credential_secret.is_not(None), intent.c.opened_at < now - LIFE)
    return (await connection.execute(update(intent).where(*old).values(credential_secret=None))).rowcount


async def close_papers_anew(database: Database, hours: HourKeys, now: datetime) -> None:
    """Close each secret of an earlier hour again under the key of this one; one that cannot be opened is forgotten.

    A paper that is cast meanwhile stays as it is then.
    """
    while await _close_some(database, hours, now):
        pass


async def _close_some(database: Database, hours: HourKeys, now: datetime) -> int:
    """Close some anew; give how many there were."""
    secret = intent.c.credential_secret
    earlier = select(intent.c.id, secret.label("old")).where(secret < hour_bytes(now)).limit(ANEW_MAX)
    async with database.writing() as connection:
        rows = (await connection.execute(earlier)).all()
        if rows:
            unchanged = (intent.c.id == bindparam("paper"), secret == bindparam("old"))
            changes = [{"paper": row.id, "old": row.old, "anew": _anew(hours, row.old, now)} for row in rows]
            await connection.execute(
                update(intent).where(*unchanged).values(credential_secret=bindparam("anew")), changes
            )
    return len(rows)


def _anew(hours: HourKeys, closed: bytes, now: datetime) -> bytes | None:
    try:
        return hours.close(PURPOSE, hours.open(PURPOSE, closed), now)
    except (KeyGone, CryptoError):
        return None
