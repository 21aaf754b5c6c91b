"""What became of a notice: who was told, who was not and why, and of whom it is not known.

A member may have two rows: a blocked chat, then a text message. A household has one message for one number. A
member's outcome is the best of all rows that concern them. Most have one row, which stands for itself: to count them
takes no sorting.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Subquery, and_, case, exists, func, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from messages.ledger.planning import HOUSEHOLD
from messages.notices.model import Notice
from messages.notices.notices import show
from messages.schema import delivery
from voting.schema import member

# The best last.
OUTCOMES: Final = ("not_reached", "canceled", "not_needed", "unknown", "waiting", "told")
_RANK: Final = {outcome: rank for rank, outcome in enumerate(OUTCOMES)}
ROWS_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Report:
    """A notice's members by outcome; `why_not` says why those not told were not, by reason and members.

    told: a provider took it, or it arrived. waiting: queued or on its way. unknown: it may have arrived.
    not_needed: voted before it went. canceled: the notice ended before their turn.
    """

    notice: Notice
    members: int
    outcomes: dict[str, int]
    why_not: dict[str, int]
    by_channel: dict[str, int]  # told, by the channel that told them
    delivered: int  # of the text messages told, those reported as arrived
    household: int  # of those told, how many through a number they share

    def as_json(self) -> dict[str, Any]:
        """Give it as `notice report --json` prints it."""
        return {
            "id": self.notice.id,
            "kind": str(self.notice.content.kind),
            "audience": self.notice.content.audience,
            "state": self.notice.state,
            "pause_reason": self.notice.pause_reason,
            "members": self.members,
            **{name: self.outcomes[name] for name in reversed(OUTCOMES)},
            "why_not": self.why_not,
            "told_by": self.by_channel,
            "delivered": self.delivered,
            "household": self.household,
        }


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One member's outcome."""

    member_no: str
    outcome: str
    channel: str
    reason: str
    at: datetime | None


async def progress(connection: AsyncConnection, notice_id: int) -> dict[str, int]:
    """Count a notice's rows by state, quickly: for a bar that moves. NoticeUnknown."""
    await show(connection, notice_id)
    rows = await connection.execute(
        select(delivery.c.state, func.count()).where(delivery.c.notice_id == notice_id).group_by(delivery.c.state)
    )
    return {str(state): int(count) for state, count in rows}


async def report(connection: AsyncConnection, notice_id: int) -> Report:
    """Say what became of a notice. NoticeUnknown."""
    notice = await show(connection, notice_id)
    rows = [
        *await connection.execute(_counted(_single(notice_id))),
        *await connection.execute(
            _counted(_members(notice_id, delivery.c.member_id.in_(union_all(*_of_several(notice_id)))))
        ),
    ]
    outcomes, why_not, by_channel = dict.fromkeys(reversed(OUTCOMES), 0), dict[str, int](), dict[str, int]()
    delivered = household = 0
    for row in rows:
        outcome = OUTCOMES[row.outcome]
        outcomes[outcome] += row.members
        if outcome == "told":
            by_channel[row.channel] = by_channel.get(row.channel, 0) + row.members
            delivered += row.members * bool(row.arrived)
            household += row.members * bool(row.household)
        elif outcome != "waiting" and row.reason:
            why_not[row.reason] = why_not.get(row.reason, 0) + row.members
    return Report(notice, sum(outcomes.values()), outcomes, why_not, by_channel, delivered, household)


async def report_lines(connection: AsyncConnection, notice_id: int) -> AsyncIterator[ReportLine]:
    """Give each member's outcome, by member number; for a CSV of any length."""
    await show(connection, notice_id)
    of_member = _members(notice_id).subquery("of_member")
    everybody = select(member.c.member_no, of_member).join(member, member.c.id == of_member.c.member_id)
    # One statement for all, read piece by piece: asked again for each piece it would rank everybody each time.
    async with connection.stream(everybody.order_by(member.c.member_no)) as found:
        async for rows in found.partitions(ROWS_AT_ONCE):
            for row in rows:
                yield ReportLine(row.member_no, OUTCOMES[row.outcome], row.channel, row.reason or "", row.at)


def _counted(rows: Select[Any]) -> Select[Any]:
    of_member = rows.subquery("of_member")
    by = [of_member.c[name] for name in ("outcome", "channel", "reason", "household", "arrived")]
    return select(*by, func.count().label("members")).group_by(*by)


def _single(notice_id: int) -> Select[Any]:
    """Select the rows of members whom no other row concerns."""
    own = [one.where(one.selected_columns.member_id == delivery.c.member_id) for one in _of_several(notice_id)]
    return select(
        _outcome().label("outcome"),
        delivery.c.channel,
        delivery.c.reason,
        literal(0).label("household"),
        _arrived().label("arrived"),
    ).where(delivery.c.notice_id == notice_id, *(~exists(one) for one in own))


def _of_several(notice_id: int) -> list[Select[Any]]:
    """Select members with a second row, which falls back from the first; and those told through a household's row."""
    second, shares = delivery.alias("second"), delivery.alias("shares")
    return [
        select(second.c.member_id).where(second.c.notice_id == notice_id, second.c.fallback_of.is_not(None)),
        select(shares.c.member_id).where(shares.c.notice_id == notice_id, shares.c.reason == HOUSEHOLD),
    ]


def _members(notice_id: int, *which: ColumnElement[bool]) -> Select[Any]:
    """Select each member's best row; a household's row has the outcome of the row that stands for it."""
    told = _addresses(notice_id)
    household = and_(delivery.c.state == "skipped", delivery.c.reason == HOUSEHOLD)
    outcome = case((household, func.coalesce(told.c.outcome, _RANK["not_reached"])), else_=_outcome())
    ranked = (
        select(
            delivery.c.member_id,
            outcome.label("outcome"),
            delivery.c.channel,
            delivery.c.reason,
            case((household, 1), else_=0).label("household"),
            _arrived().label("arrived"),
            delivery.c.sent_at.label("at"),
            func.row_number()
            .over(partition_by=delivery.c.member_id, order_by=[outcome.desc(), delivery.c.id.desc()])
            .label("place"),
        )
        .select_from(
            delivery.outerjoin(
                told, and_(told.c.channel == delivery.c.channel, told.c.address == delivery.c.address, household)
            )
        )
        .where(delivery.c.notice_id == notice_id, *which)
        .subquery("ranked")
    )
    return select(ranked).where(ranked.c.place == 1)


def _addresses(notice_id: int) -> Subquery:
    """Give what became of the one message to each address that a household shares."""
    shared = delivery.alias("shared")
    addresses = select(shared.c.address).where(shared.c.notice_id == notice_id, shared.c.reason == HOUSEHOLD)
    of_message = func.coalesce(delivery.c.reason, "") != HOUSEHOLD
    own = and_(delivery.c.notice_id == notice_id, of_message, delivery.c.address.in_(addresses))
    return (
        select(delivery.c.channel, delivery.c.address, func.max(_outcome()).label("outcome"))
        .where(own)
        .group_by(delivery.c.channel, delivery.c.address)
        .subquery("told")
    )


def _arrived() -> ColumnElement[int]:
    return case((delivery.c.state == "delivered", 1), else_=0)


def _outcome() -> ColumnElement[int]:
    state = delivery.c.state
    return case(
        (state.in_(("sent", "delivered")), _RANK["told"]),
        (state.in_(("ready", "sending")), _RANK["waiting"]),
        (state == "unknown", _RANK["unknown"]),
        (and_(state == "skipped", delivery.c.reason == "voted"), _RANK["not_needed"]),
        (state == "canceled", _RANK["canceled"]),
        else_=_RANK["not_reached"],
    )
