"""Templates, and how facts are written in them: instants, numbers, money, states as a person reads them."""

import hashlib
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from bot.console.handbook import part_for
from bot.console.wording import WORDS
from bot.member.chats import is_page
from voting.typed_text import looks_like
from voting.verify import result
from voting.verify.result import standing_said

FOLDER: Final = Path(__file__).parent
LOCALE: Final = "en_GB"
FALLBACK_ZONE: Final = "Europe/London"  # before there is a poll


def environment() -> Environment:
    """Make the templates' environment: everything is escaped, an unknown name is an error."""
    found = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "number": number,
        "percent": percent,
        "of_voters": of_voters,
        "standing": standing_said,
        "money": money,
        "day": day,
        "say": say,
        "language_name": language_name,
    }
    found.globals |= {"static": static_address, "help_for": part_for}
    found.tests["from_page"] = is_page  # the voting page, and not a chat
    found.tests["alike"] = looks_like  # two names: one person, for the rules that need two
    return found


def number(value: int | None) -> str:
    """Write a number with its thousands apart."""
    return "–" if value is None else format_decimal(value, locale=LOCALE)


def percent(part: int, whole: int) -> str:
    """Write a share with one decimal; a whole of nothing has no shares."""
    return f"{100 * part / whole:.1f} %" if whole else "–"


def of_voters(votes: int, voters: int) -> str:
    """Write a share of those who voted, as the published result has it."""
    return f"{result.percent(votes, voters)} %"


def money(value: Decimal | str, currency: str) -> str:
    """Write an amount."""
    return format_currency(Decimal(value), currency, locale=LOCALE)


def day(value: date | None) -> str:
    """Write a day, `3 Aug 2022`."""
    return "–" if value is None else format_date(value, "d MMM y", locale=LOCALE)


def instant(value: datetime | None, zone: str, now: datetime) -> Markup | str:
    """Write an instant in the poll's zone: the time alone today, the year only if it is another one."""
    if value is None:
        return "–"
    local, today = value.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone))
    if local.date() == today.date():
        pattern = "HH:mm"
    else:
        pattern = "d MMM, HH:mm" if local.year == today.year else "d MMM y, HH:mm"
    said = format_datetime(local, pattern, locale=LOCALE)
    whole = format_datetime(local, "EEEE d MMMM y, HH:mm:ss z", locale=LOCALE)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(local.isoformat(timespec="seconds"), whole, said)


def span(seconds: float) -> str:
    """Write how long something is, roughly: the largest unit, two where the first is small."""
    minutes = int(abs(seconds)) // 60
    hours, days = minutes // 60, minutes // 1440
    if days >= 3:  # noqa: PLR2004 - beyond, hours are noise
        return f"{days} days"
    if hours >= 3:  # noqa: PLR2004 - beyond, minutes are noise
        return f"{hours} hours"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min" if minutes else "less than a minute"


def say(value: object, family: str) -> str:
    """Give the words for a state, a kind or a reason; one without words is written as it is."""
    raw = str(value)
    return WORDS[family].get(raw, raw.replace("_", " "))


def language_name(tag: str) -> str:
    """Name a language in English."""
    return str(Locale.parse(tag.replace("-", "_").split("_")[0]).get_display_name(LOCALE))


def member_address(member_no: str) -> str:
    """Give where a member's file is; a number may hold any printable character."""
    return f"/console/members/{quote(member_no, safe='')}"


@lru_cache(maxsize=64)
def static_address(name: str) -> str:
    """Give a static file's address, which changes with its content: it can be kept for ever."""
    digest = hashlib.sha256((FOLDER / "static" / name).read_bytes()).hexdigest()[:12]
    return f"/console/static/{name}?v={digest}"


def attributes(values: Mapping[str, Any]) -> Markup:
    """Write HTML attributes; None and False are left out."""
    shown = {name: value for name, value in values.items() if value is not None and value is not False}
    return Markup(" ").join(Markup('{}="{}"').format(name, escape(value)) for name, value in shown.items())
