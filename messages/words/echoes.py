"""What floors below say in English only, an import's report above all, said again in another language.

Their sentences are put together there. Here each is known by its English text in a catalogue, whose places are open;
what stood in them is put into the text of the other language. One that is not known is left as it is.
"""

import re
import string
from functools import lru_cache
from typing import Final

from messages.words.texts import DEFAULT_LANGUAGE, templates, text

Source = tuple[str, str]  # a domain, and how the keys of its echoes begin

_LETTERS_MIN: Final = 4  # of its own: a text with fewer is known only as a part of another


def echoed(sentence: str, language: str, *sources: Source) -> str:
    """Say a sentence of a floor below in another language, and whatever stands in its places."""
    return sentence if language == DEFAULT_LANGUAGE else _echoed(sentence, language, sources, _LETTERS_MIN)


def echoed_place(words: str, language: str, *sources: Source) -> str:
    """Say what a floor below has put into the place of a sentence, however short it is."""
    return words if language == DEFAULT_LANGUAGE else _echoed(words, language, sources, 0)


def echoed_parts(listed: str, language: str, source: Source) -> str:
    """Say those parts of a list that are known, what stands between them as it is."""
    domain, _ = source
    for key, english in _english(source).items():
        part = re.compile(_pattern(english, ".+?") + "(?=, |$)")
        found = part.search(listed)
        if found:
            listed = listed[: found.start()] + text(domain, key, language, **found.groupdict()) + listed[found.end() :]
    return listed


def _echoed(sentence: str, language: str, sources: tuple[Source, ...], letters: int) -> str:
    for domain, key, pattern, own in _patterns(sources):
        if own >= letters and (found := pattern.fullmatch(sentence)):
            places = {name: _echoed(value, language, sources, 0) for name, value in found.groupdict().items()}
            return text(domain, key, language, **places)
    return sentence


@lru_cache(maxsize=8)
def _patterns(sources: tuple[Source, ...]) -> tuple[tuple[str, str, re.Pattern[str], int], ...]:
    """Make a pattern of each text, those with the most letters of their own first."""
    found = [
        (source[0], key, re.compile(_pattern(english, ".+")), _own_letters(english))
        for source in sources
        for key, english in _english(source).items()
    ]
    return tuple(sorted(found, key=lambda one: -one[3]))


def _english(source: Source) -> dict[str, str]:
    domain, prefix = source
    return {key: english for key, english in templates(domain, DEFAULT_LANGUAGE).items() if key.startswith(prefix)}


def _own_letters(template: str) -> int:
    return sum(letter.isalnum() for plain, *_ in string.Formatter().parse(template) for letter in plain)


def _pattern(template: str, place: str) -> str:
    parts = string.Formatter().parse(template)
    return "".join(re.escape(plain) + (f"(?P<{name}>{place})" if name else "") for plain, name, _, _ in parts)
