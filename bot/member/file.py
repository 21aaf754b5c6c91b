"""One member's file, as support sees it on the command line, in the chat and in the console; never a choice."""

from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.member.chats import is_page
from messages.reach import channels_of
from messages.schema import delivery
from voting import schema
from voting.poll import window
from voting.roll import roll
from voting.votes.cases import case_of_member
from voting.votes.locks import find_lock

DELIVERIES_MAX: Final = 50


async def member_file(connection: AsyncConnection, member_no: str) -> dict[str, Any]:
    """Gather what is known of one member; UnknownMember."""
    member = await roll.find(connection, member_no)
    lock = await find_lock(connection, member.id)
    days = await window.current(connection)
    case = await case_of_member(connection, member.id)
    return {
        "member_no": member.member_no,
        "eligible": member.eligible,
        "ineligible_reason": member.ineligible_reason,
        "language": member.language,
        "area": member.area,
        "phone": member.phone,
        "phone_reason": member.phone_reason,
        "window": {"first_day": days.first_day, "last_day": days.last_day, "version": days.version},
        "lock": {"how": str(lock.how), "at": lock.at} if lock else None,
        "packs": await _packs(connection, member.id),
        "papers_refused": await _papers_refused(connection, member.id),
        "channels": [_channel(asdict(found)) for found in await channels_of(connection, member.id)],
        "deliveries": await _deliveries(connection, member.id),
        "cases": [
            {
                "id": case.id,
                "state": case.state,
                "opened_at": case.opened_at,
                "attempts": ", ".join(row.kind for row in case.attempts),
                "outcome": case.outcome,
            }
        ]
        if case
        else [],
    }


def _channel(found: dict[str, Any]) -> dict[str, Any]:
    return {**found, "state": str(found["state"])}


async def _packs(connection: AsyncConnection, member_id: int) -> list[dict[str, Any]]:
    names = ("serial", "state", "issued_at", "dispatched_on", "delivered_on", "returned_on", "locked_out_at")
    columns = [schema.pack.c[name] for name in names]
    query = select(*columns).where(schema.pack.c.member_id == member_id).order_by(schema.pack.c.serial)
    return [dict(row) for row in (await connection.execute(query)).mappings()]


async def _papers_refused(connection: AsyncConnection, member_id: int) -> list[dict[str, Any]]:
    """Give the voting papers that another account or phone opened before the lock and cast after it; no attempts."""
    names = ("opened_at", "refused_at", "chat")
    columns = [schema.intent.c[name] for name in names]
    query = select(*columns).where(schema.intent.c.member_id == member_id, schema.intent.c.refused_at.is_not(None))
    rows = (await connection.execute(query.order_by(schema.intent.c.refused_at))).mappings()
    return [
        {"opened_at": row["opened_at"], "refused_at": row["refused_at"], "on_page": is_page(row["chat"])}
        for row in rows
    ]


async def _deliveries(connection: AsyncConnection, member_id: int) -> list[dict[str, Any]]:
    names = ("id", "purpose", "channel", "state", "reason", "tries", "sent_at")
    columns = [delivery.c[name] for name in names]
    query = select(*columns).where(delivery.c.member_id == member_id)
    rows = (await connection.execute(query.order_by(delivery.c.id.desc()).limit(DELIVERIES_MAX))).mappings()
    return [dict(row) for row in rows]
