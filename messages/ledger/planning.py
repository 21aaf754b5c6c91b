"""Plan what is to be sent: rows in the ledger, made in the transaction of the fact they tell.

`plan_message` is for one person: an answer that could not be delivered, an alert, a one-time code.
`plan_notice` is for everybody in an audience: one statement, whatever their number.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, Select, and_, case, func, literal, null, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from messages import audience as audiences
from messages.pace.pacer import Lane
from messages.reach import SMS, TELEGRAM, State
from messages.schema import channel, delivery
from voting.schema import member
from voting.store.inserts import insert_into

# A transactional message that waited longer than this would only confuse.
MESSAGE_LIFE: Final = timedelta(hours=24)

HOUSEHOLD: Final = "household"  # the reason of a row whose number was told through another member's row
NO_CHANNEL: Final = "no_channel"


async def plan_message(
    connection: AsyncConnection,
    *,
    purpose: str,
    facts: Mapping[str, Any],
    channel: str,
    address: str,
    language: str,
    occasion: str,
    lane: Lane,
    now: datetime,
    member_id: int | None = None,
    not_before: datetime | None = None,
    send_before: datetime | None = None,
    segments: int = 1,
) -> int | None:
    """Plan one message and return its delivery id; None if this `occasion` is planned already.

    `purpose` says which words (see `purposes.py`, or a renderer the postman was given). `facts` fill them and are
    deleted once the message is sent or has failed. After `send_before` (a day, if not given) it is not sent any more.
    """
    values = {
        "member_id": member_id,
        "channel": channel,
        "address": address,
        "language": language,
        "purpose": purpose,
        "facts": dict(facts),
        "occasion": occasion,
        "lane": int(lane),
        "segments": segments,
        "state": "ready",
        "not_before": not_before or now,
        "send_before": send_before or now + MESSAGE_LIFE,
    }
    statement = insert_into(connection, delivery).values(values)
    planned = await connection.execute(
        statement.on_conflict_do_nothing(
            index_elements=[delivery.c.occasion], index_where=delivery.c.occasion.is_not(None)
        ).returning(delivery.c.id)
    )
    return planned.scalar_one_or_none()


@dataclass(frozen=True, slots=True)
class NoticePlan:
    """What the statement needs to know of a notice; `segments` is per language, of the text message."""

    notice_id: int
    kind: str
    audience: str
    urgent: bool
    segments: Mapping[str, int]
    today: date  # in the poll's zone
    now: datetime
    send_before: datetime | None = None
    providers: Collection[str] = (TELEGRAM, SMS)  # switched on


async def plan_notice(connection: AsyncConnection, plan: NoticePlan) -> dict[str, int]:
    """Plan a notice for its audience, each member once; return rows by channel, and `skipped` and `household`.

    Telegram where it is on, else SMS where that is on; who has neither gets a row that says why, so that the
    report can name everybody. Of members who share an address, the first gets the message.
    """
    rows = planned_rows(plan).order_by("member_id")  # as the roll lies on the disk, not as addresses sort
    statement = insert_into(connection, delivery).from_select(
        rows.selected_columns.keys(), rows, include_defaults=False
    )
    await connection.execute(statement)
    return await _planned(connection, plan.notice_id)


def planned_rows(plan: NoticePlan) -> Select[Any]:
    """Select one row for each member of the audience, as they would be planned; for the preview too."""
    found = _reachable(plan)
    place = func.row_number().over(partition_by=[found.c.channel, found.c.address], order_by=found.c.member_id)
    first, shared = and_(found.c.on, place == 1), and_(found.c.on, place > 1)
    columns: dict[str, ColumnElement[Any]] = {
        "notice_id": literal(plan.notice_id, delivery.c.id.type),
        "member_id": found.c.member_id,
        "channel": found.c.channel,
        "address": found.c.address,
        "language": found.c.language,
        "purpose": literal(plan.kind),
        "lane": literal(int(Lane.URGENT if plan.urgent else Lane.REST)),
        "segments": case((found.c.channel == SMS, _segments(found, plan.segments)), else_=1),
        "state": case((first, "ready"), else_="skipped"),
        "reason": case((shared, HOUSEHOLD), (found.c.on, null()), else_=found.c.reason),
        "not_before": literal(plan.now, delivery.c.not_before.type),
        "send_before": literal(plan.send_before, delivery.c.send_before.type),
        "fence": literal(0),
        "tries": literal(0),
        "rank": literal(0),
    }
    return select(*(column.label(name) for name, column in columns.items()))


def _reachable(plan: NoticePlan) -> FromClause:
    """Give each member of the audience the channel to use, or the reason there is none."""
    telegram, sms = channel.alias("telegram"), channel.alias("sms")
    usable = {
        kind: and_(table.c.state == State.ON, literal(kind in plan.providers))
        for kind, table in ((TELEGRAM, telegram), (SMS, sms))
    }
    kind = case(
        (usable[TELEGRAM], TELEGRAM), (usable[SMS], SMS), (telegram.c.address.is_not(None), TELEGRAM), else_=SMS
    )
    reason = func.coalesce(_why_off(sms, SMS, plan), _why_off(telegram, TELEGRAM, plan), member.c.phone_reason)
    joined = member.outerjoin(telegram, and_(telegram.c.member_id == member.c.id, telegram.c.kind == TELEGRAM))
    joined = joined.outerjoin(sms, and_(sms.c.member_id == member.c.id, sms.c.kind == SMS))
    return (
        select(
            member.c.id.label("member_id"),
            func.coalesce(case((kind == TELEGRAM, telegram.c.language)), member.c.language).label("language"),
            kind.label("channel"),
            func.coalesce(case((kind == TELEGRAM, telegram.c.address), else_=sms.c.address), "").label("address"),
            or_(
                func.coalesce(usable[TELEGRAM], literal(value=False)), func.coalesce(usable[SMS], literal(value=False))
            ).label("on"),
            func.coalesce(reason, NO_CHANNEL).label("reason"),
        )
        .select_from(joined)
        .where(audiences.where(audiences.parse(plan.audience), today=plan.today))
        .subquery("found")
    )


def _why_off(table: FromClause, kind: str, plan: NoticePlan) -> ColumnElement[Any]:
    """Give the reason why a channel is not used: its state, or that its provider is switched off."""
    if kind not in plan.providers:
        return case((table.c.state == State.ON, f"{kind}_off"), else_=table.c.state)
    return case((table.c.state != State.ON, table.c.state))


def _segments(found: FromClause, segments: Mapping[str, int]) -> ColumnElement[int]:
    cases = [(found.c.language == language, count) for language, count in sorted(segments.items())]
    most = max(segments.values(), default=1)
    return case(*cases, else_=most) if cases else literal(most)


async def _planned(connection: AsyncConnection, notice_id: int) -> dict[str, int]:
    what = case(
        (delivery.c.reason == HOUSEHOLD, HOUSEHOLD),
        (delivery.c.state == "skipped", "skipped"),
        else_=delivery.c.channel,
    )
    rows = await connection.execute(
        select(what.label("what"), func.count()).where(delivery.c.notice_id == notice_id).group_by("what")
    )
    return {str(name): int(count) for name, count in rows}
