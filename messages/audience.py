"""Who hears a notice: a short name, read once, and the members it means *now*.

Only members who may vote hear notices. The names are the public interface:
`all`, `not_dispatched`, `overdue`, `not_voted`, `area:X`, `language:X`. `unreached:N` is whom notice N did not reach.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, and_, exists, literal, or_, select

from messages.refusals import AudienceUnknown
from messages.schema import delivery
from voting.schema import lock, member, pack, window


class Group(StrEnum):
    """The audiences; the last three take a value."""

    ALL = "all"
    NOT_DISPATCHED = "not_dispatched"
    OVERDUE = "overdue"
    NOT_VOTED = "not_voted"
    AREA = "area"
    LANGUAGE = "language"
    UNREACHED = "unreached"


WITH_VALUE: Final = frozenset({Group.AREA, Group.LANGUAGE, Group.UNREACHED})

# States of a delivery that told the member, may have, or still will.
TOLD_OR_UNKNOWN: Final = ("ready", "sending", "sent", "delivered", "unknown")


@dataclass(frozen=True, slots=True)
class Audience:
    """A group, with its value where it has one; `str()` gives the name back."""

    group: Group
    value: str = ""

    def __str__(self) -> str:
        return f"{self.group}:{self.value}" if self.value else str(self.group)


def parse(name: str) -> Audience:
    """Read an audience's name; AudienceUnknown says what there is."""
    group, colon, value = name.strip().partition(":")
    try:
        audience = Audience(Group(group.strip().lower()), value.strip())
    except ValueError:
        raise AudienceUnknown(audience=name) from None
    takes_value = audience.group in WITH_VALUE
    if takes_value != bool(colon and audience.value) or (not takes_value and colon):
        raise AudienceUnknown(audience=name)
    if audience.group is Group.UNREACHED and not audience.value.isdecimal():
        raise AudienceUnknown(audience=name)
    return audience


def where(audience: Audience, *, today: date) -> ColumnElement[bool]:
    """Give the condition on `member`; `today` is the day in the poll's zone."""
    return and_(member.c.eligible, _MEANING[audience.group](audience.value, today))


def has_voted(member_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether a vote of this member is locked, by post or online."""
    return exists(select(literal(1)).where(lock.c.member_id == member_id))


def _has_pack(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    live = and_(pack.c.member_id == member.c.id, pack.c.state == "live")
    return exists(select(literal(1)).where(live, condition))


def _not_dispatched(_value: str, _today: date) -> ColumnElement[bool]:
    return ~_has_pack(or_(pack.c.dispatched_on.is_not(None), pack.c.delivered_on.is_not(None)))


def _overdue(_value: str, today: date) -> ColumnElement[bool]:
    """Give whose window is over without a word that the pack arrived, and without a vote."""
    newest = select(window.c.last_day).order_by(window.c.version.desc()).limit(1).scalar_subquery()
    over = literal(today, window.c.last_day.type) > newest
    return and_(over, _has_pack(pack.c.delivered_on.is_(None)), ~has_voted(member.c.id))


def _unreached(value: str, _today: date) -> ColumnElement[bool]:
    """Give who has a row of that notice, but none that told them, may have, or still will."""
    notice_id = int(value)
    row = delivery.alias("earlier")
    mine = and_(row.c.notice_id == notice_id, row.c.member_id == member.c.id)
    told = delivery.alias("told")
    household = and_(
        row.c.reason == "household",
        exists(
            select(literal(1)).where(
                told.c.notice_id == notice_id, told.c.address == row.c.address, told.c.state.in_(TOLD_OR_UNKNOWN)
            )
        ),
    )
    settled_well = exists(select(literal(1)).where(mine, or_(row.c.state.in_(TOLD_OR_UNKNOWN), household)))
    return and_(exists(select(literal(1)).where(mine)), ~settled_well)


_MEANING: Final[Mapping[Group, Callable[[str, date], ColumnElement[bool]]]] = {
    Group.ALL: lambda _value, _today: literal(value=True),
    Group.NOT_DISPATCHED: _not_dispatched,
    Group.OVERDUE: _overdue,
    Group.NOT_VOTED: lambda _value, _today: ~has_voted(member.c.id),
    Group.AREA: lambda value, _today: member.c.area == value,
    Group.LANGUAGE: lambda value, _today: member.c.language == value,
    Group.UNREACHED: _unreached,
}
