"""What commands print, in the language of the terminal; `--help` and JSON stay English.

As with every program, LC_ALL, LC_MESSAGES and LANG say which it is, and LANGUAGE may list others to try first.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from functools import lru_cache
from typing import Final

from voting.ballots.refusals import BallotRefusal
from voting.ballots.trustee_refusals import TrusteeRefusal
from voting.refusals import Refusal

ENGLISH: Final = "en-GB"
_DOMAIN: Final = "commands"
_UTC: Final = "UTC"
_WHY: Final = ("problem", "reason", "what")  # the facts of a refusal that are sentences
_for_a_script: Final = ContextVar("_for_a_script", default=False)
# Where a sentence that a floor below says in English only is known again: findings, reports, refusals.
_ECHOES: Final = (
    (_DOMAIN, "detail."),
    (_DOMAIN, "problem."),
    (_DOMAIN, "wrong."),
    (_DOMAIN, "stage."),
    (_DOMAIN, "refusal."),
    (_DOMAIN, "trustee_refusal."),
    ("console", "echo."),
    ("refusals", ""),
)


def language() -> str:
    """Give the language that the terminal speaks, English if we do not speak it."""
    from bot.settings import terminal_languages

    return ENGLISH if _for_a_script.get() else _first_spoken(terminal_languages())


@contextmanager
def in_english(*, on: bool) -> Iterator[None]:
    """While it is on speak English, whatever the terminal speaks: what is said goes into JSON."""
    before = _for_a_script.set(on)
    try:
        yield
    finally:
        _for_a_script.reset(before)


@lru_cache(maxsize=8)
def _first_spoken(wanted: tuple[str, ...]) -> str:
    from messages.words.texts import fit_language

    found = (fit_language(tag, default="") for tag in wanted)
    return next((tag for tag in found if tag), ENGLISH)


def text(domain: str, key: str, /, **params: str | int) -> str:
    """Give a text in the terminal's language."""
    from messages.words import texts

    return texts.text(domain, key, language(), **params)


def plural(domain: str, key: str, number: int, /, **params: str | int) -> str:
    """Give a text in the form that the terminal's language has for a number."""
    from messages.words import texts

    return texts.plural(domain, key, language(), number, **params)


def name_of(label: str) -> str:
    """Give a label of a list of facts, or the head of a column; one that has no other words is itself."""
    return _known(f"field.{_key(label)}") or label


def check_name(name: str) -> str:
    """Give the name of one of the checks that `verify` makes."""
    return _known(f"check.{_key(name)}") or name


def said(sentence: str) -> str:
    """Say a sentence of a floor below; what no English catalogue has is a program's own, and stays."""
    from messages.words.echoes import echoed

    return echoed(sentence, language(), *_ECHOES)


def probe_detail(detail: str) -> str:
    """Say what a probe was tried with."""
    from messages.words.reasons import detail_text

    numbers = detail_text(detail, language())
    return said(detail) if numbers == detail else numbers


def said_problem(problem: str) -> str:
    """Say what is wrong, piece by piece, however short a piece is."""
    from messages.words.echoes import echoed_place

    return echoed_place(problem, language(), *_ECHOES)


def level_name(level: str) -> str:
    """Name what became of a row of an imported file."""
    return text(_DOMAIN, f"level.{level}")


def made(sentence_of_key: str) -> str:
    """Say who made the election key."""
    from voting.poll.keys import MADE

    kind = next(kind for kind, english in MADE.items() if english == sentence_of_key)
    return text("commands", f"key.{kind}")


def counts(value: object) -> object:
    """Give counts by name as one line, the names in the terminal's language; anything else as it is."""
    if isinstance(value, dict):
        return ", ".join(f"{name_of(str(name))} {count}" for name, count in value.items())
    return value


def phase_name(phase: str) -> str:
    """Name a phase of the poll; in English as in JSON."""
    from messages.words import texts

    return phase if language() == ENGLISH else texts.text("words", f"phase.{phase}", language())


def state_name(state: str) -> str:
    """Name a notice's state; in English as in JSON."""
    from messages.words import texts

    return state if language() == ENGLISH else texts.text("staff", f"notice.state.{state}", language())


def role_name(role: str) -> str:
    """Name a role of the staff; in English as in JSON."""
    from messages.words import texts

    return role if language() == ENGLISH else texts.text("staff", f"role.{role}", language())


def value_name(value: object) -> str:
    """Say a value of a list of facts, a code, an instant or a day; in English as it is, nothing as a dash."""
    from messages.words.dates import date_text

    if value is None:
        return "-"
    spoken = language()
    if spoken == ENGLISH:
        return str(value)
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return date_text(value, spoken)
    return _known(f"value.{_key(str(value))}") or str(value)


def fact_name(name: str, value: object) -> str:
    """Say a fact of a member's file, a reason and a purpose in words; in English as in JSON."""
    from messages.words import reasons
    from messages.words.texts import templates

    spoken = language()
    if spoken == ENGLISH or not isinstance(value, str):
        return value_name(value)
    if name in {"reason", "phone_reason"}:
        return reasons.reason_text(value, spoken)
    if name == "ineligible_reason":
        return reasons.ineligible_text(value, spoken)
    if name == "purpose":
        return templates("console", spoken).get(f"say.purpose.{value}", value)
    return value_name(value)


def kind_name(kind: str) -> str:
    """Name what a notice is about; in English as in JSON."""
    from messages.words import texts

    return kind if language() == ENGLISH else texts.text("staff", f"notice.kind.{kind}", language())


def audience_name(name: str) -> str:
    """Name whom a notice is for; in English as it is typed."""
    from messages import audience
    from messages.words import audience_words

    if language() == ENGLISH:
        return name
    found = audience.parse(name)
    return audience_words.audience_text(found.group, found.value, language())


def report_facts(facts: Mapping[str, object]) -> dict[str, object]:
    """Give a notice's report under labels, its reasons said; in English as in JSON."""
    from messages.words.reasons import reason_text

    spoken = language()
    shown = {name: value for name, value in facts.items() if value not in (None, {})}
    if spoken != ENGLISH:
        shown |= {"state": state_name(str(facts["state"])), "kind": kind_name(str(facts["kind"]))}
        shown["audience"] = audience_name(str(facts["audience"]))
        why = facts["why_not"]
        if isinstance(why, dict) and why:
            shown["why_not"] = {reason_text(reason, spoken): count for reason, count in why.items()}
        if facts["pause_reason"]:
            shown["pause_reason"] = reason_text(str(facts["pause_reason"]), spoken)
    return {name_of(name): counts(value) for name, value in shown.items()}


def window_days(first: date, last: date) -> str:
    """Write the days between which packs arrive."""
    from messages.words.dates import window_text

    return f"{first} to {last}" if language() == ENGLISH else window_text(first, last, language())


def window_reason(reason: str) -> str:
    """Say why the days are as they are."""
    from messages.words.reasons import window_reason_text

    return reason if language() == ENGLISH else window_reason_text(reason, language())


def moment(instant: datetime) -> str:
    """Write an instant, in UTC: English as scripts have always seen it."""
    from messages.words.dates import moment_text

    spoken = language()
    return f"{instant:%Y-%m-%d %H:%M} UTC" if spoken == ENGLISH else moment_text(instant, _UTC, spoken)


def written_moment(iso: str) -> str:
    """Write an instant that JSON has; in English as JSON has it."""
    return iso if language() == ENGLISH else moment(datetime.fromisoformat(iso))


def sentence(refusal: Refusal | TrusteeRefusal | BallotRefusal) -> str:
    """Say a refusal: in English its own sentence, else the text of its key; what it quotes stays as it is."""
    from messages.words import texts
    from messages.words.refusal_words import said_facts

    spoken = language()
    if spoken == ENGLISH:
        return str(refusal)
    if isinstance(refusal, BallotRefusal):
        return said(str(refusal))
    facts = said_facts(refusal.facts, spoken, _UTC)
    facts |= {name: _said_why(str(facts[name])) for name in _WHY if name in facts}
    if isinstance(refusal, Refusal):
        template = _known(f"refusal.{refusal.key}")
        return template.format(**facts) if template else texts.text("refusals", refusal.key, spoken, **facts)
    template = _known(f"trustee_refusal.{_key(type(refusal).__name__)}")
    return template.format(**facts) if template else str(refusal)


def _said_why(why: str) -> str:
    """Say a reason that a refusal names: a sentence of a floor below, or the code of why a member may not vote."""
    from messages.words.reasons import ineligible_text

    known = ineligible_text(why, language())
    return said_problem(why) if known == why else known


def _key(words: str) -> str:
    """Give a label, a sentence or a class's name in small letters with underscores."""
    return re.sub(r"[^a-z]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", words).lower()).strip("_")


def _known(key: str) -> str | None:
    return _all(language()).get(key)


@lru_cache(maxsize=8)
def _all(tag: str) -> Mapping[str, str]:
    from messages.words.texts import templates

    return templates(_DOMAIN, tag)
