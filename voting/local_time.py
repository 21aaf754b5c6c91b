"""Times without an offset, as people write them: an hour that comes twice, or never, is asked about, not guessed."""

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from voting.refusals import HourComesTwice, HourSkipped

FIRST: Final = "first"
SECOND: Final = "second"


def instant_of(local: datetime, zone: ZoneInfo, *, which: str = "") -> datetime:
    """Give the instant, in UTC, that `local` names in `zone`; one with its own offset is what it is.

    HourComesTwice (in autumn), unless `which` is FIRST or SECOND; HourSkipped (in spring). Both say what to write.
    """
    if local.tzinfo is not None:
        return local.astimezone(UTC)
    first, second = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(UTC)
    facts = {"moment": _written(local), "timezone": zone.key}
    if first.astimezone(UTC) > second.astimezone(UTC):
        before, after = (moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None) for moment in (second, first))
        raise HourSkipped(**facts, before=_written(before), after=_written(after))
    if which not in {FIRST, SECOND}:
        raise HourComesTwice(**facts, first=_written(first), second=_written(second))
    return (first if which == FIRST else second).astimezone(UTC)


def comes_twice(local: datetime, zone: ZoneInfo) -> bool:
    """Whether `local`, without an offset, names two instants."""
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return first < second


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes")
