"""What floors below say in English only, an import's report above all, said again in the reader's language.

Each sentence is known by its English text in the console's catalogue (`echo.*`).
"""

from typing import Final

from bot.console.speech import DOMAIN, Speech
from messages.words import echoes

PREFIX: Final = "echo."


def echoed(sentence: str, speech: Speech) -> str:
    """Say a sentence of a floor below in the reader's language."""
    return echoes.echoed(sentence, speech.language, (DOMAIN, PREFIX))
