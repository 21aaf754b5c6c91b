"""What an entry of the chain says, for one reader: a word for each field and for each value that has one.

People's own words, digests and dates stay as they are on the chain.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from bot.console.speech import Speech
from messages.notices.scheduled import HELD
from voting.audit.chain import Entry

LISTED_MAX: Final = 3
VALUE_CHARACTERS_MAX: Final = 40
VALUE_CHARACTERS_SHOWN: Final = 12
# Which families of words a field's values are of.
FAMILIES: Final[Mapping[str, tuple[str, ...]]] = {
    "class": ("attempt",),
    "kind": ("notice_kind", "alert", "key_kind"),
    "channel": ("channel",),
    "outcome": ("case_outcome",),
    "role": ("role",),
}


@dataclass(frozen=True, slots=True)
class Told:
    """One field: its name and its value. `ours`: the value is in our words, and none of somebody's own."""

    name: str
    value: str
    ours: bool = False


def told(entry: Entry, speech: Speech) -> list[Told]:
    """Give what an entry says, short enough for a line each; what is long, a digest mostly, by its beginning."""
    found = (_field(name, value, speech) for name, value in entry.body.items())
    return [one for one in found if one is not None]


def _field(name: str, value: object, speech: Speech) -> Told | None:
    called = _called(name, speech)
    if value is True:
        return Told(called, "")
    if isinstance(value, str) and (word := _word(name, value, speech)) is not None:
        return Told(called, word, ours=True)
    short = _short(value, speech)
    return Told(called, short) if short else None


def _called(name: str, speech: Speech) -> str:
    """Name a field; one of a count by channel is called as the channel is."""
    return next((word for family in ("entry_field", "channel") if (word := speech.known(name, family))), name)


def _word(name: str, value: str, speech: Speech) -> str | None:
    return next((word for say in _sayings(name) if (word := say(value, speech)) is not None), None)


def _sayings(name: str) -> list[Callable[[str, Speech], str | None]]:
    if name == "audience":
        return [_audience]
    if name == "why":
        return [lambda value, speech: speech.known(f"{HELD}{value}", "reason")]
    return [partial(_of_family, family) for family in FAMILIES.get(name, ())]


def _of_family(family: str, value: str, speech: Speech) -> str | None:
    return speech.known(value, family)


def _audience(value: str, speech: Speech) -> str | None:
    kind, _, which = value.partition(":")
    word = speech.known(kind, "audience")
    return word if word is None or not which else f"{word}: {which}"


def _short(value: Any, speech: Speech) -> str:  # noqa: ANN401 - whatever JSON has
    if isinstance(value, dict):
        inside = (_field(name, part, speech) for name, part in value.items())
        return ", ".join(f"{one.name} {one.value}".strip() for one in inside if one is not None)
    if isinstance(value, list):
        return ", ".join(_short(part, speech) for part in value[:LISTED_MAX]) + (
            " …" if len(value) > LISTED_MAX else ""
        )
    text = "" if value is None or value is False else str(value)
    return text if len(text) <= VALUE_CHARACTERS_MAX else f"{text[:VALUE_CHARACTERS_SHOWN]}…"
