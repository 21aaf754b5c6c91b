"""Read `poll.toml` strictly: every key is known, every value is of its type, or one sentence names the key."""

import re
import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from voting.model import By, Poll, SmsRules, StaffRules, Ways, Window
from voting.poll.questions_file import QUESTIONS, take_questions
from voting.poll.table import Table, WrongError
from voting.refusals import PollFileWrong
from voting.typed_text import one_line

LANGUAGE_CHARACTERS_MAX: Final = 60
LANGUAGES_MAX: Final = 16  # each has its part of the page of the result
CONTACT_CHARACTERS_MAX: Final = 40  # it stands in text messages
FILE_BYTES_MAX: Final = 256 * 1024
FIRST_REASON: Final = "poll file"

_SECTIONS: Final = ("poll", "window", "rule", "sms", "staff", "ways")
_POLL_ID: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?:-[A-Z]{2})?")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")


def read_poll_file(path: Path) -> Poll:
    """Give the poll that the file describes, still preparing; PollFileWrong with one sentence if it does not."""
    return _read(path)[0]


def window_of_file(path: Path, *, by: By) -> Window:
    """Give the first version of the delivery window; PollFileWrong as `read_poll_file`."""
    first_day, last_day = _read(path)[1]
    return Window(1, first_day, last_day, FIRST_REASON, by.at, by.actor)


def _read(path: Path) -> tuple[Poll, tuple[date, date]]:
    try:
        content = _content(path)
        tables = _tables(content)
        return _poll(tables, content.get(QUESTIONS)), _days(tables["window"])
    except WrongError as wrong:
        raise PollFileWrong(file=str(path), problem=str(wrong)) from wrong


def _tables(content: dict[str, Any]) -> dict[str, Table]:
    for name in content:
        if name not in (*_SECTIONS, QUESTIONS):
            raise WrongError(f"it has the unknown section [{name}]")
    for name in _SECTIONS:
        if not isinstance(content.get(name, {}), dict):
            raise WrongError(f"[{name}] must be a section")
    for name in ("poll", "window", "rule"):
        if name not in content:
            raise WrongError(f"the section [{name}] is missing")
    return {name: Table(name, content.get(name, {})) for name in _SECTIONS}


def _content(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES_MAX + 1)
        if len(raw) > FILE_BYTES_MAX:
            raise WrongError(f"it is longer than {FILE_BYTES_MAX} bytes")
        return tomllib.loads(raw.decode("utf-8-sig"), parse_float=Decimal)
    except OSError as problem:
        raise WrongError(problem.strerror or type(problem).__name__) from problem
    except UnicodeDecodeError as problem:
        raise WrongError("it is not UTF-8 text") from problem
    except tomllib.TOMLDecodeError as problem:
        raise WrongError(f"it is not TOML ({problem})") from problem


def _poll(tables: dict[str, Table], questions: object) -> Poll:
    section = tables["poll"]
    zone = _zone(section)
    languages = _languages(section)
    poll = Poll(
        id=section.shaped("id", _POLL_ID, "1 to 40 lower-case letters, digits and inner dashes"),
        title=one_line(section.text("title")),
        questions=take_questions(section, questions, languages),
        opens_at=section.moment("opens_at", zone),
        closes_at=section.moment("closes_at", zone),
        timezone=zone.key,
        joined_by=section.day("joined_by"),
        languages=languages,
        rule=_rule(tables["rule"], languages),
        sms=_sms(tables["sms"]),
        staff=_staff(tables["staff"]),
        ways=_ways(tables["ways"]),
    )
    if poll.closes_at <= poll.opens_at:
        raise section.wrong("closes_at", "is not after poll.opens_at")
    section.end()
    return poll


def _zone(section: Table) -> ZoneInfo:
    name = section.text("timezone")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of the zone database is an OSError
        raise section.wrong("timezone", f"names no known zone: {name!r}") from None


def _languages(section: Table) -> tuple[str, ...]:
    languages = section.texts("languages", LANGUAGE_CHARACTERS_MAX)
    if not languages:
        raise section.wrong("languages", "is empty")
    if len(languages) > LANGUAGES_MAX:
        raise section.wrong("languages", f"has more than {LANGUAGES_MAX}")
    for language in languages:
        if not _LANGUAGE.fullmatch(language):
            raise section.wrong("languages", f"must hold tags such as en-GB or cy, not {language!r}")
    return languages


def _rule(section: Table, languages: tuple[str, ...]) -> dict[str, str]:
    rule = {language: section.text(language) for language in languages}
    for language in section.values:
        raise section.wrong(language, "is not in poll.languages")
    return rule


def _days(section: Table) -> tuple[date, date]:
    first_day, last_day = section.day("first_day"), section.day("last_day")
    if last_day < first_day:
        raise section.wrong("last_day", "is before window.first_day")
    section.end()
    return first_day, last_day


def _sms(section: Table) -> SmsRules:
    usual = SmsRules()
    rules = SmsRules(
        quiet_from=section.hour("quiet_from", usual.quiet_from),
        quiet_until=section.hour("quiet_until", usual.quiet_until),
        cost_per_segment=section.money("cost_per_segment", usual.cost_per_segment),
        currency=section.shaped("currency", _CURRENCY, 'three letters such as "GBP"', usual.currency),
    )
    section.end()
    return rules


def _staff(section: Table) -> StaffRules:
    usual = StaffRules()
    rules = StaffRules(
        approve_over=section.whole("approve_over", usual.approve_over, 0),
        escalate_after_minutes=section.whole("escalate_after_minutes", usual.escalate_after_minutes, 1),
        contact=section.line("contact", usual.contact, CONTACT_CHARACTERS_MAX),
    )
    section.end()
    return rules


def _ways(section: Table) -> Ways:
    page = section.truth("page", default=True) if "page" in section.values else None
    ways = Ways(page, section.truth("chat", default=True))
    section.end()
    if ways.page is False and not ways.chat:
        raise section.wrong("page", "and ways.chat are both false: nobody could vote online")
    return ways
