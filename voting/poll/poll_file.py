"""Read `poll.toml` strictly: every key is known, every value is of its type, or one sentence names the key."""

import re
import tomllib
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from voting.local_time import instant_of
from voting.model import By, Poll, SmsRules, StaffRules, Window
from voting.refusals import HourComesTwice, HourSkipped, PollFileWrong
from voting.typed_text import first_alike, is_known, lines, one_line

OPTION_CHARACTERS_MAX: Final = 60  # a button in a chat shows no more
OPTIONS_MAX: Final = 50
TEXT_CHARACTERS_MAX: Final = 1_000
CONTACT_CHARACTERS_MAX: Final = 40  # it stands in text messages
FILE_BYTES_MAX: Final = 256 * 1024
FIRST_REASON: Final = "poll file"

_SECTIONS: Final = ("poll", "window", "rule", "sms", "staff")
_POLL_ID: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?:-[A-Z]{2})?")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_HOUR: Final = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")


class _WrongError(ValueError):
    """What is wrong with the file, naming the key."""


def read_poll_file(path: Path) -> Poll:
    """Give the poll that the file describes, still preparing; PollFileWrong with one sentence if it does not."""
    return _read(path)[0]


def window_of_file(path: Path, *, by: By) -> Window:
    """Give the first version of the delivery window; PollFileWrong as `read_poll_file`."""
    first_day, last_day = _read(path)[1]
    return Window(1, first_day, last_day, FIRST_REASON, by.at, by.actor)


def _read(path: Path) -> tuple[Poll, tuple[date, date]]:
    try:
        tables = _tables(path)
        return _poll(tables), _days(tables["window"])
    except _WrongError as wrong:
        raise PollFileWrong(file=str(path), problem=str(wrong)) from wrong


def _tables(path: Path) -> dict[str, "_Table"]:
    content = _content(path)
    for name in content:
        if name not in _SECTIONS:
            raise _WrongError(f"it has the unknown section [{name}]")
    for name in _SECTIONS:
        if not isinstance(content.get(name, {}), dict):
            raise _WrongError(f"[{name}] must be a section")
    for name in ("poll", "window", "rule"):
        if name not in content:
            raise _WrongError(f"the section [{name}] is missing")
    return {name: _Table(name, content.get(name, {})) for name in _SECTIONS}


def _content(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES_MAX + 1)
        if len(raw) > FILE_BYTES_MAX:
            raise _WrongError(f"it is longer than {FILE_BYTES_MAX} bytes")
        return tomllib.loads(raw.decode("utf-8-sig"), parse_float=Decimal)
    except OSError as problem:
        raise _WrongError(problem.strerror or type(problem).__name__) from problem
    except UnicodeDecodeError as problem:
        raise _WrongError("it is not UTF-8 text") from problem
    except tomllib.TOMLDecodeError as problem:
        raise _WrongError(f"it is not TOML ({problem})") from problem


class _Table:
    """One section, whose keys are taken one by one; what is left at the end was not known."""

    def __init__(self, name: str, values: dict[str, Any]) -> None:
        self.name: Final = name
        self.values: Final = dict(values)

    def wrong(self, key: str, problem: str) -> _WrongError:
        return _WrongError(f"{self.name}.{key} {problem}")

    def take(self, key: str, default: object = None) -> Any:  # noqa: ANN401 - whatever stands in the file
        value = self.values.pop(key, default)
        if value is None:
            raise self.wrong(key, "is missing")
        return value

    def end(self) -> None:
        for key in self.values:
            raise self.wrong(key, "is not a key of this file")

    def text(self, key: str, default: str | None = None) -> str:
        return self.checked_text(key, self.take(key, default), TEXT_CHARACTERS_MAX)

    def checked_text(self, key: str, value: object, characters_max: int) -> str:
        if not isinstance(value, str):
            raise self.wrong(key, "must be text")
        for char in value:
            if not is_known(char):
                raise self.wrong(key, f"holds U+{ord(char):04X}, a character that not every screen can show")
        words = lines(value)
        if not words:
            raise self.wrong(key, "is empty")
        if len(words) > characters_max:
            raise self.wrong(key, f"is longer than {characters_max} characters")
        return words

    def line(self, key: str, default: str, characters_max: int) -> str:
        if key not in self.values:
            return default
        words = self.checked_text(key, self.take(key), characters_max)
        if "\n" in words:
            raise self.wrong(key, "must be one line")
        return words

    def shaped(self, key: str, shape: re.Pattern[str], meaning: str, default: str | None = None) -> str:
        value = self.text(key, default)
        if not shape.fullmatch(value):
            raise self.wrong(key, f"must be {meaning}, not {value!r}")
        return value

    def texts(self, key: str, characters_max: int) -> tuple[str, ...]:
        value = self.take(key)
        if not isinstance(value, list):
            raise self.wrong(key, "must be a list of texts")
        words = tuple(self.checked_text(key, each, characters_max) for each in value)
        if (pair := first_alike(words)) is not None:
            one, other = pair
            same = one.casefold() == other.casefold()
            raise self.wrong(key, f"names {one!r} twice" if same else f"names {one!r} and {other!r}, which look alike")
        return words

    def whole(self, key: str, default: int, least: int) -> int:
        value = self.take(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self.wrong(key, f"must be a whole number, {least} or more")
        return value

    def money(self, key: str, default: Decimal) -> Decimal:
        value = self.take(key, default)
        if not isinstance(value, int | Decimal) or isinstance(value, bool):
            raise self.wrong(key, "must be a number")
        if not (amount := Decimal(value)).is_finite() or amount < 0:
            raise self.wrong(key, "must be 0 or more")
        return amount

    def hour(self, key: str, default: str) -> str:
        value = self.values.get(key)
        if isinstance(value, time):
            self.values[key] = value.strftime("%H:%M")
        return self.shaped(key, _HOUR, 'a time such as "20:00"', default)

    def day(self, key: str) -> date:
        value = self.take(key)
        if isinstance(value, str):
            try:
                value = date.fromisoformat(value)
            except ValueError:
                raise self.wrong(key, f"must be a date such as 2022-08-01, not {value!r}") from None
        if not isinstance(value, date) or isinstance(value, datetime):
            raise self.wrong(key, "must be a date such as 2022-08-01")
        return value

    def moment(self, key: str, zone: ZoneInfo) -> datetime:
        value = self.take(key)
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                raise self.wrong(key, f"must be a time such as 2022-08-01T09:00, not {value!r}") from None
        if not isinstance(value, datetime):
            raise self.wrong(key, "must be a time such as 2022-08-01T09:00")
        try:
            return instant_of(value, zone)
        except (HourComesTwice, HourSkipped) as refused:
            raise self.wrong(key, f"cannot be used: {refused}".rstrip(".")) from refused
        except OverflowError:
            raise self.wrong(key, "must be a time such as 2022-08-01T09:00") from None


def _poll(tables: dict[str, _Table]) -> Poll:
    section = tables["poll"]
    zone = _zone(section)
    languages = _languages(section)
    poll = Poll(
        id=section.shaped("id", _POLL_ID, "1 to 40 lower-case letters, digits and inner dashes"),
        title=one_line(section.text("title")),
        question=section.text("question"),
        options=_options(section),
        opens_at=section.moment("opens_at", zone),
        closes_at=section.moment("closes_at", zone),
        timezone=zone.key,
        joined_by=section.day("joined_by"),
        languages=languages,
        rule=_rule(tables["rule"], languages),
        sms=_sms(tables["sms"]),
        staff=_staff(tables["staff"]),
    )
    if poll.closes_at <= poll.opens_at:
        raise section.wrong("closes_at", "is not after poll.opens_at")
    section.end()
    return poll


def _zone(section: _Table) -> ZoneInfo:
    name = section.text("timezone")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of the zone database is an OSError
        raise section.wrong("timezone", f"names no known zone: {name!r}") from None


def _languages(section: _Table) -> tuple[str, ...]:
    languages = section.texts("languages", OPTION_CHARACTERS_MAX)
    if not languages:
        raise section.wrong("languages", "is empty")
    for language in languages:
        if not _LANGUAGE.fullmatch(language):
            raise section.wrong("languages", f"must hold tags such as en-GB or cy, not {language!r}")
    return languages


def _options(section: _Table) -> tuple[str, ...]:
    options = section.texts("options", OPTION_CHARACTERS_MAX)
    if not 2 <= len(options) <= OPTIONS_MAX:  # noqa: PLR2004 - one option is no choice
        raise section.wrong("options", f"must name 2 to {OPTIONS_MAX} options, not {len(options)}")
    for option in options:
        if "\n" in option:
            raise section.wrong("options", f"must be one line each: {option!r}")
    return options


def _rule(section: _Table, languages: tuple[str, ...]) -> dict[str, str]:
    rule = {language: section.text(language) for language in languages}
    for language in section.values:
        raise section.wrong(language, "is not in poll.languages")
    return rule


def _days(section: _Table) -> tuple[date, date]:
    first_day, last_day = section.day("first_day"), section.day("last_day")
    if last_day < first_day:
        raise section.wrong("last_day", "is before window.first_day")
    section.end()
    return first_day, last_day


def _sms(section: _Table) -> SmsRules:
    usual = SmsRules()
    rules = SmsRules(
        quiet_from=section.hour("quiet_from", usual.quiet_from),
        quiet_until=section.hour("quiet_until", usual.quiet_until),
        cost_per_segment=section.money("cost_per_segment", usual.cost_per_segment),
        currency=section.shaped("currency", _CURRENCY, 'three letters such as "GBP"', usual.currency),
    )
    section.end()
    return rules


def _staff(section: _Table) -> StaffRules:
    usual = StaffRules()
    rules = StaffRules(
        approve_over=section.whole("approve_over", usual.approve_over, 0),
        escalate_after_minutes=section.whole("escalate_after_minutes", usual.escalate_after_minutes, 1),
        contact=section.line("contact", usual.contact, CONTACT_CHARACTERS_MAX),
    )
    section.end()
    return rules
