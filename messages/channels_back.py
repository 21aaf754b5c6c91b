"""Channels that a provider's errors turned off wrongly, turned on again by one act for all within a span of time.

Only errors of a provider are undone: never STOP, never a block that the member made themselves, never a number that
the roll took away. A number that Twilio calls dead comes back only where its error is named.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from messages.reach import BY_MEMBER, NUMBER_REMOVED, SMS, TELEGRAM, State
from messages.refusals import NoReasonGiven
from messages.schema import channel, opt_out
from voting.audit import chain
from voting.model import By
from voting.refusals import StaffRefusal
from voting.typed_text import one_line


class ChannelUnknown(StaffRefusal):
    """There is no channel {channel}; there are telegram and sms."""


class SpanEmpty(StaffRefusal):
    """The span ends before it begins."""


class ErrorsNotNamed(StaffRefusal):
    """Name the errors whose numbers are to come back. Within the span there were: {found}."""


@dataclass(frozen=True, slots=True)
class Span:
    """Channels of one kind that went off from one moment to another, both included; `errors`: only by these."""

    kind: str
    since: datetime
    until: datetime
    errors: Collection[str] = ()


async def went_off(connection: AsyncConnection, span: Span) -> dict[str, int]:
    """Count by error the channels that went off within the span and are off still. ChannelUnknown, SpanEmpty."""
    rows = await connection.execute(
        select(_ERROR.label("error"), func.count()).where(_wrongly_off(span)).group_by("error").order_by("error")
    )
    return {str(error): int(count) for error, count in rows}


async def channels_back(connection: AsyncConnection, span: Span, reason: str, *, by: By) -> dict[str, int]:
    """Turn them on again; return how many, by error. ChannelUnknown, SpanEmpty, ErrorsNotNamed, NoReasonGiven."""
    why = one_line(reason)
    if not why:
        raise NoReasonGiven
    found = await went_off(connection, span)
    if span.kind == SMS and not span.errors:
        raise ErrorsNotNamed(found=", ".join(f"{error} ({count})" for error, count in found.items()) or "none")
    values = {"state": State.ON, "reason": None, "since": by.at}
    await connection.execute(update(channel).where(_wrongly_off(span)).values(values))
    body = {
        "channel": span.kind,
        "since": span.since.isoformat(),
        "until": span.until.isoformat(),
        "by_error": found,
        "reason": why,
    }
    await chain.append(connection, "channels_back", body, by=by)
    return found


_ERROR = func.coalesce(channel.c.reason, "")


def _wrongly_off(span: Span) -> ColumnElement[bool]:
    if span.kind not in {TELEGRAM, SMS}:
        raise ChannelUnknown(channel=span.kind)
    if span.until < span.since:
        raise SpanEmpty
    where = and_(
        channel.c.kind == span.kind,
        channel.c.state.in_((State.BLOCKED, State.DEAD)),
        channel.c.since >= span.since,
        channel.c.since <= span.until,
        _ERROR.not_in((NUMBER_REMOVED, BY_MEMBER)),
        channel.c.address.not_in(select(opt_out.c.address)),
    )
    return and_(where, _ERROR.in_(span.errors)) if span.errors else where
