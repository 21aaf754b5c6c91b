"""How the console speaks to one reader: its sentences, and dates, numbers and names as their language writes them.

The sentences are in the domain `console`. What a state, a kind or a reason is called is there too, under
`say.<family>.<value>`; none of these words accuses anybody.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal
from markupsafe import Markup, escape

from messages.words.dates import between_text
from messages.words.languages import language_name
from messages.words.texts import MissingText, plural, text

DOMAIN: Final = "console"
FALLBACK_ZONE: Final = "Europe/London"  # before there is a poll
NOTHING: Final = "–"


@dataclass(frozen=True, slots=True)
class Speech:
    """One reader's language, the poll's time zone, and what is today."""

    language: str
    now: datetime
    zone: str = FALLBACK_ZONE

    def t(self, key: str, /, **params: str | int) -> str:
        """Give a sentence as plain text."""
        return text(DOMAIN, key, self.language, **params)

    def h(self, key: str, /, **params: object) -> Markup:
        """Give a sentence that may hold tags; what is put into it is escaped."""
        return Markup(text(DOMAIN, key, self.language, **_escaped(params)))  # noqa: S704 - the catalogue is ours

    def n(self, key: str, count: int, /, **params: object) -> Markup:
        """Give a sentence in the form for a number, which it can name as `{n}`; it may hold tags."""
        filled = _escaped({"n": self.number(count), **params})
        return Markup(plural(DOMAIN, key, self.language, count, **filled))  # noqa: S704 - as above

    def say(self, value: object, family: str) -> str:
        """Give the words for a state, a kind or a reason; one without words is written as it is."""
        raw = str(value)
        return self.known(raw, family) or raw.replace("_", " ")

    def known(self, value: str, family: str) -> str | None:
        """Give the words for a state, a kind or a reason; None when there are none."""
        try:
            return text(DOMAIN, f"say.{family}.{value}", self.language)
        except MissingText:
            return None

    def number(self, value: int | None) -> str:
        """Write a number with its thousands apart."""
        return NOTHING if value is None else format_decimal(value, locale=_locale(self.language))

    def percent(self, part: int, whole: int) -> str:
        """Write a share with one decimal; a whole of nothing has no shares."""
        return f"{format_decimal(100 * part / whole, '0.0', locale=_locale(self.language))} %" if whole else NOTHING

    def money(self, value: Decimal | str, currency: str) -> str:
        """Write an amount."""
        return format_currency(Decimal(value), currency, locale=_locale(self.language))

    def day(self, value: date | None) -> str:
        """Write a day, `3 Aug 2022`."""
        return NOTHING if value is None else format_date(value, "d MMM y", locale=_locale(self.language))

    def moment(self, value: datetime) -> str:
        """Write an instant in the poll's zone whole, `3 Aug 2022, 09:00`."""
        return format_datetime(value.astimezone(ZoneInfo(self.zone)), "d MMM y, HH:mm", locale=_locale(self.language))

    def between(self, first: date, last: date) -> str:
        """Write a span of days inside a sentence, `between 28 August and 2 September`."""
        return between_text(first, last, self.language)

    def when(self, value: datetime | None) -> Markup | str:
        """Write an instant in the poll's zone: the time alone today, the year only if it is another one."""
        if value is None:
            return NOTHING
        local, today = value.astimezone(ZoneInfo(self.zone)), self.now.astimezone(ZoneInfo(self.zone))
        if local.date() == today.date():
            pattern = "HH:mm"
        else:
            pattern = "d MMM, HH:mm" if local.year == today.year else "d MMM y, HH:mm"
        said = format_datetime(local, pattern, locale=_locale(self.language))
        whole = format_datetime(local, "EEEE d MMMM y, HH:mm:ss z", locale=_locale(self.language))
        machine = local.isoformat(timespec="seconds")
        return Markup('<time datetime="{}" title="{}">{}</time>').format(machine, whole, said)

    def span(self, seconds: float) -> Markup:
        """Write how long something is, roughly: the largest unit, two where the first is small."""
        minutes = int(abs(seconds)) // 60
        hours, days = minutes // 60, minutes // 1440
        if days >= 3:  # noqa: PLR2004 - beyond, hours are noise
            return self.n("span.days", days)
        if hours >= 3:  # noqa: PLR2004 - beyond, minutes are noise
            return self.n("span.hours", hours)
        if hours:
            return self.h("span.hours_and_minutes", hours=hours, minutes=minutes % 60)
        return self.h("span.minutes", minutes=minutes) if minutes else self.h("span.less")

    def ago(self, value: datetime) -> Markup:
        """Write how long it is since something."""
        return self.span((self.now - value).total_seconds())

    def language_name(self, tag: str) -> str:
        """Name a language in the reader's."""
        return language_name(tag, self.language)


def _locale(language: str) -> Locale:
    return Locale.parse(language, sep="-")


def _escaped(params: dict[str, object]) -> dict[str, str | int]:
    return {name: value if isinstance(value, int) else escape(value) for name, value in params.items()}
