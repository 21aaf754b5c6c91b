"""Dates, windows and times as a person writes them in that language.

The words that join a date ("between", "on", "at noon") are patterns in the `words` catalogue, month
names are Babel's: another language needs no code. Weekdays are in the catalogue too, because Babel
writes them in Welsh as at the start of a sentence ("Dydd Gwener").

A window joins its days with an en dash, which a text message makes plain (see `sms_text.plain`).
"""

from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import get_month_names

from messages.words.texts import text

_DOMAIN: Final = "words"


def date_text(day: date, language: str) -> str:
    """Write a day without its weekday: "2 September 2022", "2 Medi 2022"."""
    return _written("date.date", language, **_day("", day, language))


def on_day_text(day: date, language: str) -> str:
    """Write a day on which something happens: "on Friday 2 September 2022", "ddydd Gwener 2 Medi 2022"."""
    return _written("date.on_day", language, **_day("", day, language))


def window_text(first: date, last: date, language: str) -> str:
    """Write the days from `first` to `last`, which may be the same: "1–10 August 2022"."""
    return _span("date.window", first, last, language)


def between_text(first: date, last: date, language: str) -> str:
    """Write the same inside a sentence: "between 28 August and 2 September", "rhwng 28 Awst a 2 Medi".

    The year is written only where it changes on the way; one day alone is "on 10 August".
    """
    vowel = str(last.day) in text(_DOMAIN, "date.vowel_days", language).split()
    joined = text(_DOMAIN, "date.and_before_vowel" if vowel else "date.and", language)
    return _span("date.between", first, last, language, joined=joined)


def time_text(instant: datetime, timezone: str, language: str) -> str:
    """Write the time of day in a time zone: "5:00 pm", "noon"."""
    return _clock(_local(instant, timezone), language)


def moment_text(instant: datetime, timezone: str, language: str) -> str:
    """Write an instant: "5:00 pm on Friday 2 September 2022 (BST)".

    Midnight says to which day it belongs: "midnight at the start of Friday 2 September 2022 (BST)".
    """
    local = _local(instant, timezone)
    key = "date.moment_midnight" if _is_midnight(local) else "date.moment"
    clock = _clock(local, language)
    return _written(key, language, time=clock, zone=_zone(local), **_day("", local, language))


def _written(key: str, language: str, **params: str | int) -> str:
    return text(_DOMAIN, key, language, **params)


def _span(family: str, first: date, last: date, language: str, **params: str | int) -> str:
    """Write a span in the shortest pattern of a family that leaves nothing out."""
    if first > last:
        raise ValueError(f"{first} is after {last}")
    if first.year != last.year:
        shape = "years"
    elif first.month != last.month:
        shape = "months"
    else:
        shape = "days" if first.day != last.day else "one"
    ends = _day("first_", first, language) | _day("last_", last, language)
    return _written(f"{family}.{shape}", language, **ends, **params)


def _day(prefix: str, day: date, language: str) -> dict[str, str | int]:
    return {
        f"{prefix}weekday": text(_DOMAIN, f"date.weekday.{day.isoweekday()}", language),
        f"{prefix}day": day.day,
        f"{prefix}month": get_month_names("wide", locale=_locale(language))[day.month],
        f"{prefix}year": day.year,
    }


def _local(instant: datetime, timezone: str) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("an instant needs its time zone")
    return instant.astimezone(ZoneInfo(timezone))


def _is_midnight(local: datetime) -> bool:
    return (local.hour, local.minute) == (0, 0)


def _clock(local: datetime, language: str) -> str:
    if _is_midnight(local):
        return text(_DOMAIN, "date.midnight", language)
    if (local.hour, local.minute) == (12, 0):
        return text(_DOMAIN, "date.noon", language)
    return _written(
        "date.time.morning" if local.hour < 12 else "date.time.afternoon",  # noqa: PLR2004 - noon
        language,
        hour=(local.hour - 1) % 12 + 1,
        hour_of_24=f"{local.hour:02}",
        minute=f"{local.minute:02}",
    )


def _zone(local: datetime) -> str:
    """Give the zone's short name (BST), or its offset where the time zone database has only digits."""
    name = local.tzname() or ""
    return name if name.isalpha() else f"UTC{local.isoformat()[-len('+00:00') :]}"


def _locale(language: str) -> Locale:
    return Locale.parse(language, sep="-")
