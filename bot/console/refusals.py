"""A refusal in one sentence of the reader's language, with what it names in it: fields, roles, states."""

from collections.abc import Callable, Mapping
from typing import Final

from bot.console.echoes import echoed
from bot.console.speech import Speech
from messages.words.refusal_words import refusal_text
from messages.words.texts import text
from voting.refusals import Refusal

Said = Callable[[str, Speech], str]


def said(refusal: Refusal, speech: Speech) -> str:
    """Say a refusal, its instants in the reader's time zone."""
    facts = {name: _fact(name, fact, refusal.key, speech) for name, fact in refusal.facts.items()}
    return refusal_text(type(refusal)(**facts), speech.language, speech.zone)


def _fact(name: str, fact: object, key: str, speech: Speech) -> object:
    say = _NAMED.get((key, name)) or _NAMED.get(("", name))
    return fact if say is None else say(str(fact), speech)


def _role(raw: str, speech: Speech) -> str:
    return ", ".join(text("staff", f"role.{role}", speech.language) for role in raw.split(", "))


def _notice_state(raw: str, speech: Speech) -> str:
    return text("staff", f"notice.state.{raw}", speech.language)


_NAMED: Final[Mapping[tuple[str, str], Said]] = {  # (refusal's key or any, fact's name): how it is said
    ("form_wrong", "field"): lambda raw, speech: speech.say(raw, "field"),
    ("not_your_role", "role"): _role,
    ("not_your_role", "roles"): _role,
    ("notice_not_there", "state"): _notice_state,
    ("notice_ended", "state"): _notice_state,
    ("upload_not_ready", "state"): lambda raw, speech: speech.say(raw, "upload_inside"),
    ("notice_text_missing", "language"): lambda raw, speech: speech.language_name(raw),
    ("notice_text_too_long", "language"): lambda raw, speech: speech.language_name(raw),
    ("", "problem"): echoed,
}
