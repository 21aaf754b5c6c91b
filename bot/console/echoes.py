"""What floors below say in English only, an import's report above all, said again in the reader's language.

Their sentences are put together there. Here each is known by its English text in the catalogue (`echo.*`), whose
places are open; what stood in them is put into the text of the other language. One that is not known is left as it is.
"""

import re
import string
from functools import lru_cache
from typing import Final

from bot.console.speech import DOMAIN, Speech
from messages.words.texts import DEFAULT_LANGUAGE, templates

PREFIX: Final = "echo."


def echoed(sentence: str, speech: Speech) -> str:
    """Say a sentence of a floor below in the reader's language."""
    if speech.language == DEFAULT_LANGUAGE:
        return sentence
    for key, pattern in _patterns():
        if found := pattern.fullmatch(sentence):
            return speech.t(key, **{name: echoed(value, speech) for name, value in found.groupdict().items()})
    return sentence


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Make a pattern of each text, those with the most letters of their own first."""
    english = {key: text for key, text in templates(DOMAIN, DEFAULT_LANGUAGE).items() if key.startswith(PREFIX)}
    ordered = sorted(english.items(), key=lambda item: -len(re.sub(r"{[^}]*}", "", item[1])))
    return tuple((key, _pattern(text)) for key, text in ordered)


def _pattern(template: str) -> re.Pattern[str]:
    parts = string.Formatter().parse(template)
    return re.compile("".join(re.escape(plain) + (f"(?P<{name}>.+)" if name else "") for plain, name, _, _ in parts))
