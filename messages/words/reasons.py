"""Why: a message did not go, a notice stopped, a member may not vote; and what does not hold. Codes as sentences."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from messages.words.echoes import echoed_parts
from messages.words.texts import templates, text
from voting.poll.poll_file import FIRST_REASON

_DOMAIN: Final = "words"
_NUMBERS: Final = re.compile(r"(\d+) and (\d+)")  # what a probe was tried with


def reason_text(reason: str, language: str) -> str:
    """Say a reason of a delivery or of a pause, which may follow its provider (`twilio:30003`); a new one as it is."""
    provider, colon, code = reason.rpartition(":")
    code = provider if provider == "no_words" else code
    if code.isdigit() or code.startswith("http_"):
        said = text(_DOMAIN, "reason.code", language, code=code.removeprefix("http_"))
    else:
        said = _known(f"reason.{code}", language) or _known(f"phone.reason.{code}", language) or code
    return f"{provider.capitalize()}: {said}" if colon and code != provider else said.rstrip(".")


def ineligible_text(reason: str, language: str) -> str:
    """Say why a member on the roll may not vote."""
    return _known(f"ineligible.{reason}", language) or reason


def window_reason_text(reason: str, language: str) -> str:
    """Say why the days are as they are: somebody's own words, but for the days of the poll file."""
    return text(_DOMAIN, "reason.poll_file", language) if reason == FIRST_REASON else reason


def act_text(act: str, language: str) -> str:
    """Say an act that needs two people."""
    name, _, number = act.partition(" ")
    if name == "Notice" and number.isdigit():
        return text(_DOMAIN, "act.notice", language, notice=number)
    return _known(f"act.{_slug(act)}", language) or act


def missing_text(missing: str, language: str) -> str:
    """Say what is missing before the poll can open, one thing after another."""
    return echoed_parts(missing, language, (_DOMAIN, "missing."))


def probe_text(name: str, language: str) -> str:
    """Say what must always hold; probes have English sentences as their names."""
    return _known(f"probe.{_slug(name)}", language) or name


def detail_text(detail: str, language: str) -> str:
    """Say the two numbers of a probe; any other detail is the program's own English, for whoever runs it."""
    if found := _NUMBERS.fullmatch(detail):
        return text(_DOMAIN, "probe.numbers", language, one=found[1], other=found[2])
    return detail


def _slug(sentence: str) -> str:
    return re.sub(r"[^a-z]+", "_", sentence.lower()).strip("_")


def _known(key: str, language: str) -> str | None:
    return _all(language).get(key)


@lru_cache(maxsize=16)
def _all(language: str) -> Mapping[str, str]:
    return templates(_DOMAIN, language)
