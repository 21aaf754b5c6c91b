"""What follows from a settled delivery beyond its own row, in the same transaction.

A channel that is off for its member; a text message instead of a blocked chat; a notice paused when our own set-up
is wrong, and staff told; the next member of a household when the first needs no message any more.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, and_, case, exists, func, literal, null, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from messages.channels.verdicts import Verdict
from messages.ledger.outbox import Skipped
from messages.ledger.planning import HOUSEHOLD
from messages.ledger.settlement import Claimed, Settlement
from messages.reach import SMS, TELEGRAM, State, set_channel_state
from messages.schema import channel, delivery, notice
from voting.store.inserts import insert_into

PROVIDERS: Final = {TELEGRAM: "telegram", SMS: "twilio"}


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something staff must hear of: `detail` is a provider's code or one of our reasons."""

    provider: str
    kind: str  # our_setup, unknown_code
    detail: str
    notice_id: int | None


OnTrouble = Callable[[AsyncConnection, Trouble], Awaitable[None]]
OnMigrated = Callable[[AsyncConnection, str, str], Awaitable[None]]  # a group's old and new chat id


async def tell_nobody(_connection: AsyncConnection, _trouble: Trouble) -> None:
    """Do nothing: for tools and tests without staff."""


async def move_nothing(_connection: AsyncConnection, _old: str, _new: str) -> None:
    """Do nothing: for tools and tests without groups."""


class Aftermath:
    """Acts on settlements. `sms`: whether a text message can stand in for a chat."""

    def __init__(
        self, *, on_trouble: OnTrouble = tell_nobody, on_migrated: OnMigrated = move_nothing, sms: bool = True
    ) -> None:
        self._on_trouble = on_trouble
        self._on_migrated = on_migrated
        self._sms = sms

    async def after_settled(
        self, connection: AsyncConnection, settlements: Iterable[Settlement], now: datetime
    ) -> None:
        """Draw the consequences of settlements that were written."""
        for settlement in settlements:
            failure = settlement.failure
            if failure is None:
                continue
            if settlement.channel_state is not None:
                await self._channel_off(connection, settlement, now)
            if failure.verdict is Verdict.OUR_SETUP:
                await self._our_setup(connection, settlement)
            elif failure.verdict is Verdict.MIGRATED and failure.migrate_to:
                await self._on_migrated(connection, settlement.claimed.address, failure.migrate_to)
            elif failure.surprising:
                await self._tell(connection, settlement, "unknown_code")

    async def after_skipped(self, connection: AsyncConnection, skipped: Iterable[Skipped], now: datetime) -> None:
        """Draw the consequences of rows that a claim took out."""
        for one in skipped:
            if one.reason in (State.BLOCKED, State.DEAD):
                await self._fall_back(connection, one.claimed, now)
            elif one.reason == "voted":
                await _promote_household(connection, one.claimed)

    async def _channel_off(self, connection: AsyncConnection, settlement: Settlement, now: datetime) -> None:
        claimed = settlement.claimed
        state = State(settlement.channel_state or State.DEAD)
        await set_channel_state(connection, claimed.channel, claimed.address, state, reason=settlement.reason, now=now)
        await self._fall_back(connection, claimed, now)

    async def _fall_back(self, connection: AsyncConnection, claimed: Claimed, now: datetime) -> None:
        """Plan a text message for who cannot be reached on Telegram; once, whatever happens twice."""
        if not self._sms or claimed.channel != TELEGRAM or claimed.notice_id is None or claimed.member_id is None:
            return
        counts = await connection.execute(select(notice.c.segments).where(notice.c.id == claimed.notice_id))
        segments = counts.scalar_one()
        told = _number_told(claimed.notice_id)
        row = select(
            literal(claimed.notice_id, delivery.c.id.type),
            channel.c.member_id,
            literal(SMS),
            channel.c.address,
            literal(claimed.language),
            literal(claimed.purpose),
            literal(claimed.lane),
            literal(segments.get(claimed.language) or max(segments.values(), default=1)),
            case((told, "skipped"), else_="ready"),
            case((told, HOUSEHOLD), else_=null()),
            literal(now, delivery.c.not_before.type),
            literal(claimed.send_before, delivery.c.send_before.type),
            literal(claimed.id, delivery.c.id.type),
            literal(0),
            literal(0),
            literal(0),
        ).where(channel.c.member_id == claimed.member_id, channel.c.kind == SMS, channel.c.state == State.ON)
        statement = insert_into(connection, delivery).from_select(_FALLBACK_COLUMNS, row, include_defaults=False)
        await connection.execute(statement.on_conflict_do_nothing())

    async def _our_setup(self, connection: AsyncConnection, settlement: Settlement) -> None:
        claimed = settlement.claimed
        if claimed.notice_id is None:
            await self._tell(connection, settlement, "our_setup")
            return
        paused = await connection.execute(
            update(notice)
            .where(notice.c.id == claimed.notice_id, notice.c.state == "sending")
            .values(state="paused", pause_reason=f"{PROVIDERS[claimed.channel]}:{settlement.reason}")
        )
        if paused.rowcount:
            await self._tell(connection, settlement, "our_setup")

    async def _tell(self, connection: AsyncConnection, settlement: Settlement, kind: str) -> None:
        claimed = settlement.claimed
        trouble = Trouble(PROVIDERS[claimed.channel], kind, settlement.reason or "", claimed.notice_id)
        await self._on_trouble(connection, trouble)


_FALLBACK_COLUMNS: Final = [
    "notice_id",
    "member_id",
    "channel",
    "address",
    "language",
    "purpose",
    "lane",
    "segments",
    "state",
    "reason",
    "not_before",
    "send_before",
    "fallback_of",
    "fence",
    "tries",
    "rank",
]


def _number_told(notice_id: int) -> ColumnElement[bool]:
    """Whether this notice goes, or went, to the number of `channel` through another member's row."""
    other = delivery.alias("other")
    same = and_(other.c.notice_id == notice_id, other.c.channel == SMS, other.c.address == channel.c.address)
    moving = other.c.state.in_(("ready", "sending", "sent", "delivered", "unknown"))
    return exists(select(literal(1)).where(same, moving))


async def _promote_household(connection: AsyncConnection, skipped: Claimed) -> None:
    """Let the next member who shares the address have the message that the first needs no more."""
    waiting = (
        select(func.min(delivery.c.id))
        .where(
            delivery.c.notice_id == skipped.notice_id,
            delivery.c.channel == skipped.channel,
            delivery.c.address == skipped.address,
            delivery.c.reason == HOUSEHOLD,
            delivery.c.state == "skipped",
        )
        .scalar_subquery()
    )
    await connection.execute(update(delivery).where(delivery.c.id == waiting).values(state="ready", reason=None))
