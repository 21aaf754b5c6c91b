"""What a member is told about themselves, gathered once for /status and for STATUS by text.

Never an option: nothing here could know one.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.member.missing_packs import reported_at
from messages import reach
from messages.reach import Channel
from voting import schema
from voting.model import Lock, Poll, Window
from voting.poll import polls, window
from voting.votes.locks import find_lock


class PackState(StrEnum):
    """Where a member's newest pack is; the names are those of the texts."""

    NOT_ISSUED = "not_issued"
    ISSUED = "issued"
    DISPATCHED = "dispatched"
    DELIVERED = "delivered"
    RETURNED = "returned"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Pack:
    """The newest pack; `serial` above 1 is a replacement."""

    state: PackState
    serial: int = 0
    issued_at: datetime | None = None
    dispatched_on: date | None = None
    delivered_on: date | None = None
    returned_on: date | None = None
    locked_out_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MemberStatus:
    """One member as things stand `now`. `moved_from` is the window before, if it changed."""

    member_id: int
    member_no: str
    language: str
    area: str
    eligible: bool
    ineligible_reason: str | None
    phone: str | None
    phone_reason: str | None
    pack: Pack
    missing_reported_at: datetime | None  # of a report that is not answered yet
    lock: Lock | None
    window: Window
    moved_from: Window | None
    poll: Poll
    channels: tuple[Channel, ...]
    now: datetime

    @property
    def today(self) -> date:
        """Give the day it is where the poll is held."""
        return self.now.astimezone(ZoneInfo(self.poll.timezone)).date()

    @property
    def overdue(self) -> bool:
        """Whether the window has ended."""
        return self.today > self.window.last_day


async def gather(connection: AsyncConnection, member_id: int, *, now: datetime) -> MemberStatus:
    """Read one member's status. NoPoll."""
    member = (await connection.execute(select(schema.member).where(schema.member.c.id == member_id))).one()
    windows = await window.history(connection)
    return MemberStatus(
        member_id=member_id,
        member_no=member.member_no,
        language=member.language,
        area=member.area,
        eligible=member.eligible,
        ineligible_reason=member.ineligible_reason,
        phone=member.phone,
        phone_reason=member.phone_reason,
        pack=await _newest_pack(connection, member_id),
        missing_reported_at=await reported_at(connection, member_id),
        lock=await find_lock(connection, member_id),
        window=windows[-1],
        moved_from=windows[-2] if len(windows) > 1 else None,
        poll=await polls.load(connection),
        channels=tuple(await reach.channels_of(connection, member_id)),
        now=now,
    )


async def _newest_pack(connection: AsyncConnection, member_id: int) -> Pack:
    query = select(schema.pack).where(schema.pack.c.member_id == member_id).order_by(schema.pack.c.serial.desc())
    row = (await connection.execute(query.limit(1))).one_or_none()
    if row is None:
        return Pack(PackState.NOT_ISSUED)
    if row.state != "live":
        state = PackState.VOID
    elif row.returned_on is not None:
        state = PackState.RETURNED
    elif row.delivered_on is not None:
        state = PackState.DELIVERED
    else:
        state = PackState.ISSUED if row.dispatched_on is None else PackState.DISPATCHED
    return Pack(
        state,
        row.serial,
        row.issued_at,
        row.dispatched_on,
        row.delivered_on,
        row.returned_on,
        row.locked_out_at,
    )
