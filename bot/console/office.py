"""What a members' office looks for first: whom nothing reaches, who has no pack, what waits for a second person.

Also how turnout stands beside the last reminder. Who is on a list is found once for everybody who looks, see `kept`: a
page then looks only at its own members again, by their ids. A file is read whole, piece by piece.
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.staff.turnout import STEP, Turnout
from messages.audience import has_voted
from messages.reach import SMS, TELEGRAM, State
from messages.schema import channel, delivery, notice
from messages.words.kinds import Kind
from voting.model import Phase
from voting.packs.mailing_house import overdue_members
from voting.poll import polls, window
from voting.poll.without_pack import is_due
from voting.schema import case, lock, member, pack, replacement

REMINDERS: Final = (Kind.REMINDER.value, Kind.CLOSING_SOON.value)
REMINDERS_MAX: Final = 10
DAY: Final = timedelta(days=1)
TOLD: Final = ("sent", "delivered")
UNREACHABLE: Final = "unreachable"
WITHOUT_PACK: Final = "without_pack"
OVERDUE: Final = "overdue"
IDS_AT_ONCE: Final = 5_000


@dataclass(frozen=True, slots=True)
class Office:
    """Who was on each list, by member id; and of those whom the last reminder told, how many voted after it."""

    listed: Mapping[str, Sequence[int]]
    told_by_reminder: int
    since_reminder: int

    def count(self, name: str) -> int:
        """Give how many are on a list."""
        return len(self.listed[name])


async def count_office(connection: AsyncConnection, now: datetime) -> Office:
    """Look once who is on each list; NoPoll."""
    poll = await polls.load(connection)
    late = overdue_members(await window.current(connection), now.astimezone(ZoneInfo(poll.timezone)).date())
    listed = {
        UNREACHABLE: await _ids(connection, select(member.c.id).where(is_unreachable())),
        WITHOUT_PACK: await _ids(connection, select(member.c.id).where(is_due())),
        OVERDUE: await _ids(connection, late),
    }
    told, since = 0, 0
    if last := await reminders(connection, 1):
        exact = poll.phase in (Phase.CLOSED, Phase.COUNTED)
        told, voted = await _voted_since(connection, last[0])
        since = voted if exact else voted // STEP * STEP
    return Office(listed, told, since)


async def _ids(connection: AsyncConnection, found: Select[tuple[int]]) -> Sequence[int]:
    """Read ids in order, eight bytes each, however many."""
    ids = array("q")
    async with connection.stream(found.order_by(member.c.id)) as rows:
        async for piece in rows.partitions(IDS_AT_ONCE):
            ids.extend(row.id for row in piece)
    return ids


def is_unreachable() -> ColumnElement[bool]:
    """Whether a member could still vote and no channel of theirs is on."""
    reached = exists(select(literal(1)).where(channel.c.member_id == member.c.id, channel.c.state == State.ON))
    return and_(member.c.eligible, ~reached, ~has_voted(member.c.id))


def unreachable() -> Select[Any]:
    """Select them with the state and reason of each channel, and what the roll says of their number."""
    chat, texts = channel.alias("chat"), channel.alias("texts")
    return (
        select(
            member.c.id,
            member.c.member_no,
            member.c.area,
            member.c.language,
            member.c.phone,
            member.c.phone_reason,
            chat.c.state.label("chat_state"),
            chat.c.reason.label("chat_reason"),
            texts.c.state.label("texts_state"),
            texts.c.reason.label("texts_reason"),
        )
        .select_from(
            member.outerjoin(chat, and_(chat.c.member_id == member.c.id, chat.c.kind == TELEGRAM)).outerjoin(
                texts, and_(texts.c.member_id == member.c.id, texts.c.kind == SMS)
            )
        )
        .where(is_unreachable())
    )


def without_pack() -> Select[Any]:
    """Select who may vote and has no pack that works, with what became of their last one."""
    last, any_pack = pack.alias("last"), pack.alias("any_pack")
    newest = select(func.max(any_pack.c.serial)).where(any_pack.c.member_id == member.c.id).scalar_subquery()
    ended = and_(last.c.member_id == member.c.id, last.c.serial == newest)
    return (
        select(member.c.id, member.c.member_no, member.c.area, member.c.language, last.c.state, last.c.ended_at)
        .select_from(member.outerjoin(last, ended))
        .where(is_due())
    )


async def overdue(connection: AsyncConnection, now: datetime) -> Select[Any]:
    """Select whose pack should have come by now; NoPoll."""
    poll = await polls.load(connection)
    late = overdue_members(await window.current(connection), now.astimezone(ZoneInfo(poll.timezone)).date())
    return late.add_columns(
        member.c.member_no, member.c.area, member.c.phone, pack.c.dispatched_on, pack.c.delivered_on, pack.c.returned_on
    )


def proposed_cases() -> Select[Any]:
    """Select cases whose outcome another person has to agree with."""
    return (
        select(
            case.c.id,
            member.c.member_no,
            case.c.outcome,
            case.c.proposed_by.label("asked_by"),
            case.c.proposed_at.label("asked_at"),
        )
        .join(member, member.c.id == case.c.member_id)
        .where(case.c.state == "proposed")
    )


def asked_replacements() -> Select[Any]:
    """Select replacements that another person has to agree with."""
    return (
        select(
            replacement.c.id, member.c.member_no, replacement.c.reason, replacement.c.asked_by, replacement.c.asked_at
        )
        .join(member, member.c.id == replacement.c.member_id)
        .where(replacement.c.approved_by.is_(None), replacement.c.issued_at.is_(None))
    )


def submitted_notices() -> Select[Any]:
    """Select notices that another person has to approve."""
    who = (notice.c.author.label("asked_by"), notice.c.created_at.label("asked_at"))
    return select(notice.c.id, notice.c.kind, *who).where(notice.c.state == "submitted")


async def count_for_second(connection: AsyncConnection, selects: list[Select[Any]]) -> int:
    """Count what waits for a second person."""
    counts = [await connection.scalar(select(func.count()).select_from(one.subquery())) for one in selects]
    return sum(int(count or 0) for count in counts)


async def reminders(connection: AsyncConnection, limit: int = REMINDERS_MAX) -> list[Any]:
    """Give the reminders that went, newest first."""
    went = select(notice.c.id, notice.c.kind, notice.c.members, notice.c.planned_at)
    chosen = went.where(notice.c.kind.in_(REMINDERS), notice.c.planned_at.is_not(None))
    return list(await connection.execute(chosen.order_by(notice.c.planned_at.desc(), notice.c.id.desc()).limit(limit)))


def voted_by(known: Turnout, moment: datetime) -> int:
    """Give how many had voted by a moment, as far as turnout lets it out."""
    hours = [hour for hour in known.hours if hour.ended_at <= moment]
    return hours[-1].online + hours[-1].post if hours else 0


async def _voted_since(connection: AsyncConnection, reminder: Any) -> tuple[int, int]:  # noqa: ANN401 - a row
    """Count whom a reminder told, and who of them voted after it went."""
    told = (
        select(delivery.c.member_id).where(delivery.c.notice_id == reminder.id, delivery.c.state.in_(TOLD)).distinct()
    )
    of_them = told.subquery("told")
    whole = await connection.scalar(select(func.count()).select_from(of_them))
    after = (
        select(func.count())
        .select_from(of_them.join(lock, lock.c.member_id == of_them.c.member_id))
        .where(lock.c.at > reminder.planned_at)
    )
    return int(whole or 0), int(await connection.scalar(after) or 0)
