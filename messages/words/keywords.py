"""The words a member can send by text message, in every language, and which of them Twilio answers itself.

A keyword is the whole message. Case, spaces and punctuation do not matter: somebody who writes "Stop." has said stop.
STOP is also heard when it is said politely, twice, in other languages or with a name below it. What only may mean it
is for a person to read.
"""

import re
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
# Of languages that members may speak beside ours; the same words with and without their accents.
_STOP_ELSEWHERE: Final = frozenset(
    {"STOPP", "STOPPEN", "ARRET", "ARRETER", "ARRETEZ", "PARAR", "ALTO", "BASTA", "FERMA", "ANNULLA", "STAD", "SGUIR"}
)
_STOP: Final = TWILIO_STOP | _WELSH[Keyword.STOP] | _STOP_ELSEWHERE
# Words that a wish to stop may be wrapped in, and that change nothing about it.
_BESIDE: Final = frozenset(
    {"PLEASE", "PLS", "PLZ", "THANKS", "THANK", "YOU", "NOW", "ALL", "THE", "THESE", "THIS", "ME", "SENDING"}
    | {"TEXT", "TEXTS", "TEXTING", "MESSAGE", "MESSAGES", "MESSAGING", "SMS", "BITTE", "DANKE", "MERCI", "SVP"}
    | {"OS", "GWELWCH", "YN", "DDA", "DIOLCH", "NEGESEUON", "GRAZIE", "GRACIAS"}
)
_NAME_WORDS_MAX: Final = 4  # of a signature
_MAY_MEAN_STOP: Final = re.compile(
    r"\b(STOP\w*|UNSUBSCRIBE|OPT(ING|ED)?[ -]?OUT|REMOVE ME|TAKE ME OFF|NO MORE|DO ?N[O']?T (TEXT|MESSAGE|CONTACT)"
    r"|ATAL|PEIDIWCH)\b"
)
_MEANING: Final = {word: keyword for lists in (_ENGLISH, _WELSH) for keyword, words in lists.items() for word in words}


def keyword_of(body: str) -> Keyword | None:
    """Give the keyword a whole message is, or None if it is anything else."""
    return _MEANING.get(_bare(body)) or (Keyword.STOP if _says_stop(body) else None)


def may_mean_stop(body: str) -> bool:
    """Say whether a message that is no keyword may be a wish to stop, so that a person should read it."""
    return keyword_of(body) is None and _MAY_MEAN_STOP.search(_upper(body).replace("\u2019", "'")) is not None


def _says_stop(body: str) -> bool:
    """Say whether STOP is all that a message says: politely, more than once, or with a name below it."""
    lines = [words for line in _upper(body).splitlines() if (words := re.findall(r"\w+", line))]
    if not lines or lines[0][0] not in _STOP:
        return False
    if all(word in _STOP | _BESIDE for word in lines[0]):
        below = [word for line in lines[1:] for word in line]
        return all(word in _STOP | _BESIDE for word in below) or len(below) <= _NAME_WORDS_MAX
    return False


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


def _upper(body: str) -> str:
    """Write in capitals without accents: Arrêt is ARRET."""
    apart = unicodedata.normalize("NFKD", body).upper()
    return "".join(char for char in apart if not unicodedata.combining(char))


def _bare(body: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKC", body).upper() if char.isalnum())
