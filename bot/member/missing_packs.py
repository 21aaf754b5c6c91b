"""Packs that members report missing or damaged: what was reported, and when it is answered.

    asked by one person      -> the report waits: another person has not agreed yet
    agreed by another        -> staff have nothing more to do; the member still waits for the letter
    the new pack is issued   -> answered; the member may report that one too
    the member votes, or staff say that it is done -> answered

Nothing is written when a replacement moves on, wherever that happens: the replacement itself says how far it is.
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.schema import missing_pack
from voting.model import By
from voting.schema import lock, member, pack, replacement
from voting.store.inserts import insert_into

_NEW: Final = replacement.alias("new")


async def note_report(connection: AsyncConnection, member_id: int, chat: str, now: datetime) -> None:
    """Note that a member has no pack to use; while an earlier report is not answered, that one stands."""
    fresh = {"chat": chat, "reported_at": now}
    noted = insert_into(connection, missing_pack).values(member_id=member_id, **fresh)
    await connection.execute(noted.on_conflict_do_nothing(index_elements=["member_id"]))
    answered = update(missing_pack).where(missing_pack.c.member_id == member_id, is_answered())
    await connection.execute(answered.values(**fresh, handled_at=None, handled_by=None))


async def finish_report(connection: AsyncConnection, member_no: str, *, by: By) -> None:
    """Note that staff have answered in another way than with a new pack."""
    whose = select(member.c.id).where(member.c.member_no == member_no).scalar_subquery()
    mine = update(missing_pack).where(missing_pack.c.member_id == whose, missing_pack.c.handled_at.is_(None))
    await connection.execute(mine.values(handled_at=by.at, handled_by=by.actor))


async def reported_at(connection: AsyncConnection, member_id: int) -> datetime | None:
    """Give when this member reported what is not answered yet."""
    mine = select(missing_pack.c.reported_at).where(missing_pack.c.member_id == member_id, not_(is_answered()))
    found: datetime | None = await connection.scalar(mine)
    return found


async def reports(connection: AsyncConnection, limit: int, *, unprinted: bool = False) -> list[Any]:
    """Give reports that wait for staff, oldest first; with `unprinted` also those whose new pack is to be printed.

    Rows have member_id, member_no, reported_at, asked_by and approved_by of a replacement under way, and the live
    pack's days (dispatched_on, delivered_on, returned_on).
    """
    under_way = (replacement.c.member_id == missing_pack.c.member_id) & replacement.c.issued_at.is_(None)
    shown = or_(waits_for_staff(), replacement.c.id.is_not(None)) if unprinted else waits_for_staff()
    rows = await connection.execute(
        select(
            missing_pack.c.member_id,
            member.c.member_no,
            missing_pack.c.reported_at,
            replacement.c.asked_by,
            replacement.c.approved_by,
            pack.c.dispatched_on,
            pack.c.delivered_on,
            pack.c.returned_on,
        )
        .join(member, member.c.id == missing_pack.c.member_id)
        .outerjoin(replacement, under_way)
        .outerjoin(pack, (pack.c.member_id == member.c.id) & (pack.c.state == "live"))
        .where(shown)
        .order_by(missing_pack.c.reported_at, member.c.id)
        .limit(limit)
    )
    return list(rows)


async def count_waiting(connection: AsyncConnection) -> int:
    """Give how many reports wait for staff."""
    return int(await connection.scalar(select(func.count()).select_from(missing_pack).where(waits_for_staff())) or 0)


def is_answered() -> ColumnElement[bool]:
    """Whether the member has what they need, or was told otherwise."""
    return or_(
        missing_pack.c.handled_at.is_not(None),
        exists().where(lock.c.member_id == missing_pack.c.member_id),
        _replaced(_NEW.c.issued_at > missing_pack.c.reported_at),
    )


def waits_for_staff() -> ColumnElement[bool]:
    """Whether somebody of the staff still has to decide."""
    agreed = and_(_NEW.c.approved_at.is_not(None), _NEW.c.issued_at.is_(None))
    return not_(or_(is_answered(), _replaced(agreed)))


def _replaced(so_far: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(_NEW.c.member_id == missing_pack.c.member_id, so_far)
