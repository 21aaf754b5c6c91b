"""Where a member can be reached: one channel each for Telegram and SMS, and whether it is on.

STOP belongs to the number, not to the member: it is kept on its own list, so that a new roll, a number that comes
back or a second member with the same number cannot undo it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, and_, case, delete, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from messages.schema import channel, opt_out
from voting.schema import member
from voting.store.inserts import insert_into

TELEGRAM: Final = "telegram"
SMS: Final = "sms"
NUMBER_REMOVED: Final = "number_removed"  # from the roll: a reason that no sign of life undoes
BY_MEMBER: Final = "blocked_by_member"  # told by Telegram as their act; a refused message's reason is "blocked"


class State(StrEnum):
    """Whether a channel can be used."""

    ON = "on"
    BLOCKED = "blocked"  # the person blocked the bot
    OPTED_OUT = "opted_out"  # the person said STOP
    DEAD = "dead"  # nobody is there


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to a member; `reason` says why it is not on."""

    kind: str
    address: str
    state: State
    reason: str | None
    since: datetime


async def link_telegram(
    connection: AsyncConnection, member_id: int, chat_id: int | str, now: datetime, *, language: str | None = None
) -> None:
    """Let this private chat be the member's; a chat that was blocked is on again, for the person just wrote there.

    `language`: the one chosen in the chat; without one, the roll's is written to it.
    """
    values = {"address": str(chat_id), "state": State.ON, "reason": None, "language": language, "since": now}
    statement = insert_into(connection, channel).values(member_id=member_id, kind=TELEGRAM, **values)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=[channel.c.member_id, channel.c.kind], set_=values)
    )


async def set_chat_language(connection: AsyncConnection, chat_id: int | str, language: str) -> None:
    """Write to this chat in `language` from now on, whatever the roll says; text messages keep the roll's."""
    await connection.execute(
        update(channel).where(channel.c.kind == TELEGRAM, channel.c.address == str(chat_id)).values(language=language)
    )


async def set_channel_state(
    connection: AsyncConnection, kind: str, address: str, state: State, *, reason: str | None, now: datetime
) -> int:
    """Set the state of an address, whoever's it is; return how many members that concerns.

    SMS opt-outs are remembered for the number; only State.ON (the person said START) ends one. What a provider's error
    says never takes the place of a person's own act; their act takes the place of an error.
    """
    if kind == SMS and state is State.OPTED_OUT:
        await _remember_stop(connection, address, reason, now)
    if kind == SMS and state is State.ON:
        await connection.execute(delete(opt_out).where(opt_out.c.address == address))
    where = and_(channel.c.kind == kind, channel.c.address == address)
    if state in (State.BLOCKED, State.DEAD):
        where = and_(where, channel.c.state != State.OPTED_OUT, _reason() != BY_MEMBER)
    return await _set_state(connection, where, state, reason, now)


async def hear_from(connection: AsyncConnection, kind: str, addresses: Collection[str], now: datetime) -> int:
    """Let the channels of those who have just written be on again: whoever writes is there. Return how many that was.

    STOP stands, and so does a number that the roll took away.
    """
    return await _set_state(connection, _wrongly_off(kind, addresses), State.ON, None, now)


async def any_wrongly_off(connection: AsyncConnection, kind: str, addresses: Collection[str]) -> bool:
    """Whether `hear_from` would change anything: cheap, and takes no lock."""
    found = await connection.execute(select(channel.c.member_id).where(_wrongly_off(kind, addresses)).limit(1))
    return found.first() is not None


def _wrongly_off(kind: str, addresses: Collection[str]) -> ColumnElement[bool]:
    return and_(
        channel.c.kind == kind,
        channel.c.address.in_(addresses),
        channel.c.state.in_((State.BLOCKED, State.DEAD)),
        _reason() != NUMBER_REMOVED,
    )


async def channels_of(connection: AsyncConnection, member_id: int) -> list[Channel]:
    """Give the member's channels, Telegram first."""
    rows = await connection.execute(
        select(channel.c.kind, channel.c.address, channel.c.state, channel.c.reason, channel.c.since)
        .where(channel.c.member_id == member_id)
        .order_by(channel.c.kind.desc())
    )
    return [Channel(row.kind, row.address, State(row.state), row.reason, row.since) for row in rows]


async def members_at(connection: AsyncConnection, kind: str, address: str) -> list[int]:
    """Give the members reached at an address: several share a household's number."""
    where = and_(channel.c.kind == kind, channel.c.address == address)
    rows = await connection.execute(select(channel.c.member_id).where(where).order_by(channel.c.member_id))
    return list(rows.scalars())


async def sync_sms_channels(connection: AsyncConnection, now: datetime) -> None:
    """Let every member's SMS channel be the roll's number; `roll_import` calls it. Two statements for all.

    A number that did not change keeps its state. A new number is on, unless it said STOP.
    """
    stopped = opt_out.c.address.is_not(None)
    source = (
        select(
            member.c.id,
            literal(SMS),
            member.c.phone,
            case((stopped, State.OPTED_OUT), else_=State.ON),
            opt_out.c.reason,
            literal(now, channel.c.since.type),
        )
        .select_from(member.outerjoin(opt_out, opt_out.c.address == member.c.phone))
        .where(member.c.phone.is_not(None))
    )
    statement = insert_into(connection, channel).from_select(
        ["member_id", "kind", "address", "state", "reason", "since"], source
    )
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=[channel.c.member_id, channel.c.kind],
            set_={name: statement.excluded[name] for name in ("address", "state", "reason", "since")},
            where=_changed(statement.excluded.address),
        )
    )
    gone = and_(channel.c.kind == SMS, channel.c.state == State.ON, _without_number())
    await _set_state(connection, gone, State.DEAD, NUMBER_REMOVED, now)


def _changed(address: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether the roll has another number now, or the same again after it was removed."""
    return or_(channel.c.address != address, _reason() == NUMBER_REMOVED)


def _without_number() -> ColumnElement[bool]:
    return channel.c.member_id.in_(select(member.c.id).where(member.c.phone.is_(None)))


async def _set_state(
    connection: AsyncConnection, where: ColumnElement[bool], state: State, reason: str | None, now: datetime
) -> int:
    changed: ColumnElement[bool] = channel.c.state != state
    if reason == BY_MEMBER:  # known before as a refused message: from now on it is their act
        changed = or_(changed, _reason() != BY_MEMBER)
    found = await connection.execute(
        update(channel).where(where, changed).values(state=state, reason=reason, since=now)
    )
    return found.rowcount


def _reason() -> ColumnElement[str]:
    return func.coalesce(channel.c.reason, "")


async def _remember_stop(connection: AsyncConnection, address: str, reason: str | None, now: datetime) -> None:
    statement = insert_into(connection, opt_out).values(address=address, reason=reason, since=now)
    await connection.execute(statement.on_conflict_do_nothing(index_elements=[opt_out.c.address]))
