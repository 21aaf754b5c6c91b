"""The dialogue somebody on the staff has begun in their private chat: a step and its facts, kept for an hour."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.schema import draft
from voting.store.inserts import insert_into

LIFE: Final = timedelta(hours=1)


class Step(StrEnum):
    """What the next plain message is taken for."""

    CASE_NOTE = "case_note"
    WINDOW_DAYS = "window_days"
    WINDOW_REASON = "window_reason"
    NOTICE_AUDIENCE = "notice_audience"
    NOTICE_WORDS = "notice_words"


@dataclass(frozen=True, slots=True)
class Draft:
    """A step of a dialogue; `facts` are what was given so far."""

    step: Step
    facts: Mapping[str, Any]


async def load(connection: AsyncConnection, user_id: int, now: datetime) -> Draft | None:
    """Give the dialogue this person has begun; None when there is none, or it is too old."""
    return (await load_many(connection, [user_id], now)).get(user_id)


async def load_many(connection: AsyncConnection, user_ids: Collection[int], now: datetime) -> dict[int, Draft]:
    """Give the dialogues several people have begun; only those who have begun one are in the answer."""
    rows = await connection.execute(select(draft).where(draft.c.user_id.in_(user_ids)))
    return {row.user_id: Draft(Step(row.step), row.facts) for row in rows if now - row.step_at <= LIFE}


async def save(connection: AsyncConnection, user_id: int, step: Step, now: datetime, **facts: object) -> None:
    """Remember a step; whatever was begun before is over."""
    values = {"step": step.value, "facts": facts, "step_at": now}
    statement = insert_into(connection, draft).values(user_id=user_id, **values)
    await connection.execute(statement.on_conflict_do_update(index_elements=["user_id"], set_=values))


async def clear(connection: AsyncConnection, user_id: int) -> None:
    """Forget it."""
    await connection.execute(delete(draft).where(draft.c.user_id == user_id))
