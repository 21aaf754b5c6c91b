"""The words of the result's page, one file a language in `words/`, and how that language writes numbers and times.

They stand here and not with the other texts because `verify` takes nothing from us but the protocol. A language that
has no file is written in English words around its own questions and options.
"""

import tomllib
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

FOLDER: Final = Path(__file__).with_name("words")
USUAL: Final = "en-GB"
OTHER: Final = "other"


class NoLocalTime(ValueError):  # noqa: N818 - the fact
    """A time zone that nobody knows, or a time that has no calendar day there."""


def local_time(written: str, zone: str) -> datetime:
    """Give a time, written with its offset, as a clock in a time zone shows it; NoLocalTime."""
    try:
        return datetime.fromisoformat(written).astimezone(ZoneInfo(zone))
    except (ValueError, KeyError, OSError, OverflowError):  # a zone that is a folder is an OSError
        raise NoLocalTime(zone) from None


@lru_cache(maxsize=1)
def tags() -> tuple[str, ...]:
    """Give the languages that have words."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def tag_for(language: str) -> str | None:
    """Give the language whose words fit: the same, or the same in another region."""
    wanted = language.casefold()
    exact = [tag for tag in tags() if tag.casefold() == wanted]
    near = [tag for tag in tags() if tag.partition("-")[0].casefold() == wanted.partition("-")[0]]
    return (*exact, *near, None)[0]


@dataclass(frozen=True, slots=True)
class Words:
    """One language's words; what they give is HTML."""

    tag: str
    texts: dict[str, Any]

    def say(self, key: str, **values: str) -> str:
        """Give a text with its places filled; `values` are HTML."""
        return escape(self.texts[key], quote=False).format(**values)

    def counted(self, key: str, number: int) -> str:
        """Give a text in the form this language has for a number."""
        forms = self.texts[key]
        return escape(forms.get(str(number), forms[OTHER]), quote=False).format(n=self.number(number))

    def number(self, number: int) -> str:
        """Write a whole number."""
        return f"{number:,}".replace(",", self.texts["group"])

    def percent(self, written: str) -> str:
        """Write a percentage that stands with a decimal point."""
        return self.say("percent", number=escape(written).replace(".", self.texts["decimal"]))

    def moment(self, local: datetime) -> str:
        """Write a time of day and its day."""
        return self.say(
            "moment",
            hour=f"{local.hour:02}",
            minute=f"{local.minute:02}",
            day=str(local.day),
            month=self.texts["months"][local.month - 1],
            year=str(local.year),
        )


@lru_cache(maxsize=64)
def words_in(tag: str) -> Words:
    """Read the words of one of `tags`."""
    return Words(tag, tomllib.loads((FOLDER / f"{tag}.toml").read_text(encoding="utf-8")))
