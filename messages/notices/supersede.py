"""A newer delivery window ends what is still queued with the days of an older one."""

from datetime import datetime
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from messages.notices.notices import record
from messages.schema import delivery, notice
from voting.model import By
from voting.schema import window

# States of a notice that a newer window ends.
_OVERTAKEN: Final = ("draft", "submitted", "approved", "scheduled", "sending", "paused")


async def overtaken(connection: AsyncConnection) -> bool:
    """Whether there is a notice about an older window than the newest that has not ended."""
    newest = select(func.max(window.c.version)).scalar_subquery()
    older = select(notice.c.id).where(notice.c.window_version < newest, notice.c.state.in_(_OVERTAKEN)).limit(1)
    return (await connection.execute(older)).first() is not None


async def older_than(connection: AsyncConnection, window_version: int, *, now: datetime) -> int:
    """End notices about a window before this version that are not done; return how many messages that stopped.

    Called in the transaction that sets a window (`window_move`). The postman calls it too, in case somebody forgot.
    """
    ended = await connection.execute(
        update(notice)
        .where(notice.c.window_version < window_version, notice.c.state.in_(_OVERTAKEN))
        .values(state="superseded", ended_at=now)
        .returning(notice.c.id)
    )
    ids = sorted(ended.scalars())
    if not ids:
        return 0
    for notice_id in ids:
        body = {"window_version": window_version}
        await record(connection, "notice_superseded", notice_id, body, by=By.system(now))
    queued = delivery.c.notice_id.in_(ids), delivery.c.state == "ready"
    return int((await connection.execute(select(func.count()).where(*queued))).scalar_one())
