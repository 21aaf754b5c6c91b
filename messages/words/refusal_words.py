"""A refusal in the words of whoever asked: the one place that turns one into a sentence."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import Enum
from typing import Final

from messages.words.dates import date_text, moment_text
from messages.words.reasons import act_text, missing_text
from messages.words.texts import text
from voting.model import Phase
from voting.refusals import Refusal

_OWN_WORDS: Final[Mapping[str, Callable[[str, str], str]]] = {"act": act_text, "missing": missing_text}


def refusal_text(refusal: Refusal, language: str, timezone: str) -> str:
    """Say a refusal, its dates and instants as a person of this language and time zone writes them."""
    return text("refusals", refusal.key, language, **said_facts(refusal.facts, language, timezone))


def said_facts(facts: Mapping[str, object], language: str, timezone: str) -> dict[str, str | int]:
    """Say what a refusal tells of: dates, instants, acts, in a person's own words."""
    said = {name: _said(fact, language, timezone) for name, fact in facts.items()}
    return said | {name: say(str(said[name]), language) for name, say in _OWN_WORDS.items() if name in said}


def _said(fact: object, language: str, timezone: str) -> str | int:
    if isinstance(fact, datetime):
        return moment_text(fact, timezone, language)
    if isinstance(fact, date):
        return date_text(fact, language)
    if isinstance(fact, Phase):
        return text("words", f"phase.{fact}", language)
    if isinstance(fact, Enum):
        return str(fact.value)
    return fact if isinstance(fact, int) else str(fact)
