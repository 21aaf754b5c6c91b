"""What a settled delivery changes besides its own row, in the same transaction.

- The member's channel is turned off.
- A text message is planned instead of a message to a blocked chat.
- The notice is paused and staff are told, when our own set-up is wrong or nothing gets through.
- The next member of a household gets the message, when the first does not need it any more.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, and_, case, exists, func, literal, null, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from messages.channels.verdicts import UNCLEAR, SendFailed, Verdict
from messages.ledger.outbox import Skipped
from messages.ledger.planning import HOUSEHOLD
from messages.ledger.settlement import TRIES_MAX, Claimed, Settlement
from messages.ledger.suspects import Broadcast, Suspects
from messages.reach import SMS, TELEGRAM, State, set_channel_state
from messages.schema import channel, delivery, notice
from voting.store.inserts import insert_into

HELD: Final = "held"  # the reason of a row that a text stands in for because Telegram takes nothing
PROVIDERS: Final = {TELEGRAM: "telegram", SMS: "twilio"}


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something staff must hear of: `detail` is a provider's code or one of our reasons."""

    provider: str
    kind: str  # our_setup, on_the_way, unknown_code, exhausted, repeats, waits
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
        self._suspects = Suspects()
        self._paused: set[Broadcast] = set()

    async def after_settled(
        self, connection: AsyncConnection, settlements: Iterable[Settlement], now: datetime
    ) -> None:
        """Do what follows from settlements that were written."""
        for settlement in settlements:
            await self._note(connection, settlement)
            if settlement.channel_state is not None:
                await self._channel_off(connection, settlement, now)
            if settlement.failure is not None:
                await self._failed(connection, settlement, settlement.failure, now)

    async def tell(self, connection: AsyncConnection, trouble: Trouble) -> None:
        """Tell staff of something that is about no message."""
        await self._on_trouble(connection, trouble)

    async def _failed(
        self, connection: AsyncConnection, settlement: Settlement, failure: SendFailed, now: datetime
    ) -> None:
        match failure.verdict:
            case Verdict.OUR_SETUP:
                await self._pause(connection, settlement, "our_setup")
            case Verdict.DOUBTFUL:
                await self._doubtful(connection, settlement, failure, now)
            case Verdict.ON_THE_WAY | Verdict.UNKNOWN if failure.reason == UNCLEAR:
                if self._suspects.in_a_row(_broadcast(settlement.claimed)):
                    await self._pause(connection, settlement, "on_the_way")
            case Verdict.EXHAUSTED:
                await self._tell(connection, settlement, "exhausted")
            case Verdict.MIGRATED if failure.migrate_to:
                await self._on_migrated(connection, settlement.claimed.address, failure.migrate_to)
            case _ if failure.surprising:
                await self._tell(connection, settlement, "unknown_code")

    async def _note(self, connection: AsyncConnection, settlement: Settlement) -> None:
        """Remember how it went. What happened before somebody resumed the notice is forgotten."""
        broadcast = _broadcast(settlement.claimed)
        if broadcast in self._paused and await _is_sending(connection, broadcast):
            self._paused.discard(broadcast)
            self._suspects.forget(broadcast)
        if settlement.failure is None or settlement.claimed.tries + 1 < TRIES_MAX:
            self._suspects.note(broadcast, settlement.claimed.id, settlement.reason if settlement.failure else None)

    async def _doubtful(
        self, connection: AsyncConnection, settlement: Settlement, failure: SendFailed, now: datetime
    ) -> None:
        """Let it count as this recipient's failure; if several failed alike, pause and queue them all again."""
        alike = self._suspects.alike(_broadcast(settlement.claimed), failure.reason)
        if settlement.claimed.id in alike:
            await _put_behind(connection, alike, failure.reason, now)
            await self._pause(connection, settlement, "our_setup")
        elif failure.surprising:
            await self._tell(connection, settlement, "unknown_code")

    async def after_skipped(self, connection: AsyncConnection, skipped: Iterable[Skipped], now: datetime) -> None:
        """Do what follows from rows that a claim skipped."""
        for one in skipped:
            if one.reason in (State.BLOCKED, State.DEAD):
                await self._fall_back(connection, one.claimed, now)
            elif one.reason == "voted":
                await _promote_household(connection, one.claimed)
            elif one.reason == HELD:  # a text goes to this member's own number
                await self._fall_back(connection, one.claimed, now)
                await _promote_household(connection, one.claimed)

    async def _channel_off(self, connection: AsyncConnection, settlement: Settlement, now: datetime) -> None:
        claimed = settlement.claimed
        state = State(settlement.channel_state or State.DEAD)
        await set_channel_state(connection, claimed.channel, claimed.address, state, reason=settlement.reason, now=now)
        await self._fall_back(connection, claimed, now)

    async def _fall_back(self, connection: AsyncConnection, claimed: Claimed, now: datetime) -> None:
        """Plan a text message for a member who is not reached on Telegram; a repetition plans no second one."""
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

    async def _pause(self, connection: AsyncConnection, settlement: Settlement, kind: str) -> None:
        """Pause the notice and tell staff, once; of messages to one person, only tell."""
        claimed = settlement.claimed
        if claimed.notice_id is None:
            await self._tell(connection, settlement, kind)
            return
        self._paused.add(_broadcast(claimed))
        paused = await connection.execute(
            update(notice)
            .where(notice.c.id == claimed.notice_id, notice.c.state == "sending")
            .values(state="paused", pause_reason=f"{PROVIDERS[claimed.channel]}:{settlement.reason}")
        )
        if paused.rowcount:
            await self._tell(connection, settlement, kind)

    async def _tell(self, connection: AsyncConnection, settlement: Settlement, kind: str) -> None:
        claimed = settlement.claimed
        trouble = Trouble(PROVIDERS[claimed.channel], kind, settlement.reason or "", claimed.notice_id)
        await self._on_trouble(connection, trouble)


def _broadcast(claimed: Claimed) -> Broadcast:
    return claimed.channel, claimed.notice_id


async def _is_sending(connection: AsyncConnection, broadcast: Broadcast) -> bool:
    return await connection.scalar(select(notice.c.state).where(notice.c.id == broadcast[1])) == "sending"


async def _put_behind(connection: AsyncConnection, ids: Sequence[int], reason: str, now: datetime) -> None:
    """Queue rows of a notice again, behind all others and once, that failed by our fault.

    Not messages to one person: the facts for their words were deleted when they failed.
    """
    ours = (delivery.c.id.in_(ids), delivery.c.notice_id.is_not(None))
    await connection.execute(
        update(delivery)
        .where(*ours, delivery.c.state == "failed", delivery.c.reason == reason, delivery.c.tries + 1 < TRIES_MAX)
        .values(state="ready", not_before=now, lease_until=None, settled_at=None, tries=delivery.c.tries + 1)
    )


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
    """Queue the message for the next member who shares the address: the first does not need it any more."""
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
