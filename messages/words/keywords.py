"""The words a member can send by text message, in every language, and which of them Twilio answers itself.

A keyword is the whole message. Case, spaces and punctuation do not matter: somebody who writes
"Stop." has said stop.
"""

import unicodedata
from enum import StrEnum
from typing import Final


class Keyword(StrEnum):
    """What a text message can ask for."""

    STATUS = "status"
    STOP = "stop"
    START = "start"
    HELP = "help"


# Twilio's own lists (support article "Twilio support for opt-out keywords"): on a long code it answers
# these itself, stops or starts the number, and still calls our webhook.
TWILIO_STOP: Final = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
TWILIO_START: Final = frozenset({"START", "YES", "UNSTOP"})
TWILIO_HELP: Final = frozenset({"HELP", "INFO"})

_ENGLISH: Final = {
    Keyword.STATUS: frozenset({"STATUS"}),
    Keyword.STOP: TWILIO_STOP,
    Keyword.START: TWILIO_START,
    Keyword.HELP: TWILIO_HELP,
}
_WELSH: Final = {
    Keyword.STATUS: frozenset({"STATWS"}),
    Keyword.STOP: frozenset({"STOPIO", "STOPIWCH", "ATAL", "DIWEDD", "CANSLO"}),
    Keyword.START: frozenset({"DECHRAU", "DECHREUWCH", "AILDDECHRAU"}),
    Keyword.HELP: frozenset({"CYMORTH", "GWYBODAETH"}),
}
_MEANING: Final = {word: keyword for lists in (_ENGLISH, _WELSH) for keyword, words in lists.items() for word in words}


def keyword_of(body: str) -> Keyword | None:
    """Give the keyword a whole message is, or None if it is anything else."""
    return _MEANING.get(_bare(body))


def keyword_language(body: str) -> str | None:
    """Give the language a keyword was written in, to answer a number we do not know; None if no keyword."""
    word = _bare(body)
    if any(word in words for words in _WELSH.values()):
        return "cy"
    return "en-GB" if word in _MEANING else None


def answered_by_twilio(body: str) -> bool:
    """Say whether Twilio's default handling replies to this message, so that we must not.

    Only an exact word counts there: "Stop." is left to us.
    """
    return body.strip().upper() in TWILIO_STOP | TWILIO_START | TWILIO_HELP


def _bare(body: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKC", body).upper() if char.isalnum())
