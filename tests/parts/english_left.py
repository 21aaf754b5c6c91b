"""Finds English on a Welsh screen: words that stand in English catalogues and in no Welsh one."""

import functools
import re

from babel.messages.pofile import read_po

from messages.words.texts import LOCALE_FOLDER

_WORD = re.compile(r"[^\W\d_]{3,}(?:['’][^\W\d_]+)?")
_NO_WORDS = re.compile(r"https?://\S+|/\w+|<[^>]+>|{\w+}|\b[\w-]+\.\w{2,4}\b|`[^`]*`|\bballotline\b.*|--[\w-]+")


def words_of(text: str) -> set[str]:
    """Words of three letters or more, without addresses, commands and markup."""
    return {word.casefold() for word in _WORD.findall(_NO_WORDS.sub(" ", text))}


@functools.cache
def _written(folder: str) -> frozenset[str]:
    found: set[str] = set()
    for path in (LOCALE_FOLDER / folder / "LC_MESSAGES").glob("*.po"):
        with path.open("rb") as file:
            for message in read_po(file):
                forms = message.string if isinstance(message.string, (list, tuple)) else [message.string]
                found.update(*(words_of(str(form)) for form in forms if message.id))
    return frozenset(found)


def english_left(text: str, *, but: str = "") -> set[str]:
    """English words in a text, but for those that are somebody's own: names, titles, options."""
    return words_of(text) & (_written("en_GB") - _written("cy")) - words_of(but)
