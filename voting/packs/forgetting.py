"""What `privacy purge` forgets of packs and locks after the count: whose a credential or a ballot was.

A pack's row names its member and its credential, a lock its member and its ballot's mark. Times would tell as much:
the chain says when each ballot was locked and each pack issued. So all of them go; that somebody voted stays.
"""

from typing import Any

from sqlalchemy import CursorResult, delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.model import Phase
from voting.poll.polls import load
from voting.refusals import CredentialsForgotten


async def forget_credentials(connection: AsyncConnection) -> int:
    """Forget which credential and which ballot is whose; give how many credentials there were. Nothing until counted.

    Every lock made online, and every pack, has the closing's time from then on. Again, it finds nothing. NoPoll.
    """
    poll = await load(connection)
    if poll.phase is not Phase.COUNTED:
        return 0
    lock, pack, intent = schema.lock, schema.pack, schema.intent
    nothing: dict[str, Any] = {"intent_id": None, "receipt": None, "chat": None, "at": poll.closed_at}
    await connection.execute(update(lock).where(lock.c.receipt.is_not(None)).values(nothing))
    await connection.execute(delete(intent).where(intent.c.refused_at.is_(None)))
    await connection.execute(update(intent).values(credential_secret=None))
    await connection.execute(delete(schema.replacement))
    linked = pack.c.credential.is_not(None)
    ended: dict[str, Any] = {"ended_at": poll.closed_at, "ended_entry": None}
    await connection.execute(update(pack).where(linked, pack.c.ended_at.is_not(None)).values(ended))
    forgotten: CursorResult[Any] = await connection.execute(
        update(pack).where(linked).values(credential=None, issued_entry=None, issued_at=poll.closed_at)
    )
    return max(0, forgotten.rowcount)


async def refuse_when_forgotten(connection: AsyncConnection) -> None:
    """Refuse what needs to know the credentials of packs, such as writing the bundle again; CredentialsForgotten."""
    pack = schema.pack
    if await connection.scalar(select(exists().where(pack.c.credential.is_(None)))):
        raise CredentialsForgotten
