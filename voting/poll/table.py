"""One section of a poll file, whose keys are taken one by one; what is wrong is one sentence that names the key."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from voting.local_time import instant_of
from voting.refusals import HourComesTwice, HourSkipped
from voting.typed_text import first_alike, is_known, lines

TEXT_CHARACTERS_MAX: Final = 1_000
_HOUR: Final = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")


class WrongError(ValueError):
    """What is wrong with the file, naming the key."""


class Table:
    """One section: what is left at the end was not known."""

    def __init__(self, name: str, values: Mapping[str, Any]) -> None:
        self.name: Final = name
        self.values: Final = dict(values)

    def wrong(self, key: str, problem: str) -> WrongError:
        """Say what is wrong with a key."""
        return WrongError(f"{self.name}.{key} {problem}")

    def take(self, key: str, default: object = None) -> Any:  # noqa: ANN401 - whatever stands in the file
        """Take a value; refuse when it is missing and has no default."""
        value = self.values.pop(key, default)
        if value is None:
            raise self.wrong(key, "is missing")
        return value

    def end(self) -> None:
        """Refuse what is left."""
        for key in self.values:
            raise self.wrong(key, "is not a key of this file")

    def text(self, key: str, default: str | None = None) -> str:
        """Take a text."""
        return self.checked_text(key, self.take(key, default), TEXT_CHARACTERS_MAX)

    def checked_text(self, key: str, value: object, characters_max: int) -> str:
        """Check a text, of one line or more."""
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
        """Take a text of one line."""
        if key not in self.values:
            return default
        words = self.checked_text(key, self.take(key), characters_max)
        if "\n" in words:
            raise self.wrong(key, "must be one line")
        return words

    def shaped(self, key: str, shape: re.Pattern[str], meaning: str, default: str | None = None) -> str:
        """Take a text of this shape."""
        value = self.text(key, default)
        if not shape.fullmatch(value):
            raise self.wrong(key, f"must be {meaning}, not {value!r}")
        return value

    def texts(self, key: str, characters_max: int) -> tuple[str, ...]:
        """Take a list of texts, no two of which look alike."""
        value = self.take(key)
        if not isinstance(value, list):
            raise self.wrong(key, "must be a list of texts")
        words = tuple(self.checked_text(key, each, characters_max) for each in value)
        insist_unlike(self, key, words)
        return words

    def truth(self, key: str, *, default: bool) -> bool:
        """Take true or false."""
        value = self.take(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, "must be true or false")
        return value

    def whole(self, key: str, default: int, least: int) -> int:
        """Take a whole number."""
        value = self.take(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self.wrong(key, f"must be a whole number, {least} or more")
        return value

    def money(self, key: str, default: Decimal) -> Decimal:
        """Take an amount."""
        value = self.take(key, default)
        if not isinstance(value, int | Decimal) or isinstance(value, bool):
            raise self.wrong(key, "must be a number")
        if not (amount := Decimal(value)).is_finite() or amount < 0:
            raise self.wrong(key, "must be 0 or more")
        return amount

    def hour(self, key: str, default: str) -> str:
        """Take a time of day."""
        value = self.values.get(key)
        if isinstance(value, time):
            self.values[key] = value.strftime("%H:%M")
        return self.shaped(key, _HOUR, 'a time such as "20:00"', default)

    def day(self, key: str) -> date:
        """Take a date."""
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
        """Take a moment, in this zone unless it names its own."""
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


def insist_unlike(section: Table, key: str, words: Sequence[str]) -> None:
    """Refuse texts of which two could be taken for each other."""
    if (pair := first_alike(words)) is not None:
        one, other = pair
        same = one.casefold() == other.casefold()
        raise section.wrong(key, f"names {one!r} twice" if same else f"names {one!r} and {other!r}, which look alike")
