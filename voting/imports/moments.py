"""Days and times as files have them: read where only one reading is possible, otherwise named by their shape."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

Moment = TypeVar("Moment", bound=date)

CLOCK_SLACK: Final = timedelta(days=1)  # a file from another zone or a clock that is off

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LOCAL: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?")
_TURNED: Final = re.compile(
    r"([0-9]{1,2})([/.\-])([0-9]{1,2})\2([0-9]{4})(?:[T ]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?)?"
)
_SHAPES: Final = (
    (re.compile(r"(?:1[3-9]|2[0-9]|3[01])[/.\-][0-9]{1,2}[/.\-][0-9]{4}"), "the day first"),
    (re.compile(r"[0-9]{1,2}[/.\-](?:1[3-9]|2[0-9]|3[01])[/.\-][0-9]{4}"), "the month first"),
    (re.compile(r"[0-9]{1,2}[/.\-][0-9]{1,2}[/.\-][0-9]{4}"), "the day or the month first"),
    (re.compile(r"[0-9]{1,2}[/.\-][0-9]{1,2}[/.\-][0-9]{2}"), "a year of two digits"),
    (re.compile(r"[0-9]{5}(?:\.[0-9]+)?"), "a spreadsheet's day number"),
    (re.compile(r"[0-9]{8}"), "no dashes"),
    (re.compile(r"[0-9]{4}-(?:[0-9]-[0-9]{1,2}|[0-9]{1,2}-[0-9])"), "one digit where there should be two"),
    (re.compile(r".*[^\W\d_]{3,}.*"), "words"),
)


def read_day(raw: str) -> date | None:
    """Read a day written as 2022-08-01, or a time of that day without a zone; None for any other shape.

    Spreadsheets and databases add ` 00:00:00`. Other orders of day and month are guesses.
    """
    local = _LOCAL.fullmatch(raw)
    written = local[1] if local else raw
    try:
        return date.fromisoformat(written) if _DAY.fullmatch(written) else None
    except ValueError:
        return None


def read_moment(raw: str, zone: ZoneInfo) -> datetime | None:
    """Read a time or a day in ISO form, in `zone` unless it carries its own offset; None when it is not one."""
    try:
        moment = datetime.fromisoformat(raw)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def find_day(raw: str, possible: Callable[[date], bool]) -> date | None:
    """Read a day also with the day or the month first, where that is certain.

    It is where the other reading is no day (25/11/2026), and for the day first where the other is not `possible`. A
    single reading is given whether it is possible or not: the caller then says what is wrong with it.
    """
    if (day := read_day(raw)) is not None:
        return day
    return _only([moment.date() for moment in _turned(raw)], possible)


def find_moment(raw: str, zone: ZoneInfo, possible: Callable[[datetime], bool]) -> datetime | None:
    """Read a time as `find_day` reads a day; in `zone` unless it carries its own offset."""
    if (moment := read_moment(raw, zone)) is not None:
        return moment
    return _only([moment.replace(tzinfo=zone).astimezone(UTC) for moment in _turned(raw)], possible)


def _only(readings: list[Moment], possible: Callable[[Moment], bool]) -> Moment | None:
    """Give the only reading; of two the one with the day first, where only that is possible; otherwise None."""
    if len(readings) == 1:
        return readings[0]
    return readings[0] if [possible(reading) for reading in readings] == [True, False] else None


def _turned(raw: str) -> list[datetime]:
    """Give each different reading of 05/11/2026 09:30, with the day and with the month first."""
    found = _TURNED.fullmatch(raw)
    if found is None:
        return []
    one, _, other, year, *clock = found.groups()
    hour, minute, second = (int(part or 0) for part in clock)

    def readings() -> Iterator[datetime]:
        for day, month in ((one, other), (other, one)):
            try:
                yield datetime(int(year), int(month), int(day), hour, minute, second)  # noqa: DTZ001 - a local time
            except ValueError:
                continue

    return list(dict.fromkeys(readings()))


def shape_of(raw: str) -> str | None:
    """Say how a day that cannot be read is written, or None when it is no day at all."""
    return next((words for shape, words in _SHAPES if shape.fullmatch(raw)), None)
