"""A Welsh that shows: each text is its English with every letter marked. What stands unmarked was in no catalogue."""

import re
import string
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from babel import Locale
from babel.dates import get_month_names
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from messages.words import texts

# Letters of an alphabet that nobody here writes in, each as wide as the letter whose place it takes.
_MARKS = str.maketrans(
    string.ascii_letters, "".join(chr(start + number) for start in (0x430, 0x410) for number in range(26))
)
_KEPT = re.compile(r"(<[^>]*>|&\w+;|{[^}]*})")  # tags, and places
_NO_WORDS = re.compile(r"https?://\S+|\bballotline\b.*|\S*[0-9_/.=@]\S*|--[\w-]+|`[^`]*`")
_WORD = re.compile(r"[A-Za-z]{2,}")


def marked(template: str) -> str:
    """Mark every letter outside the places of a text."""
    return "".join(part if _KEPT.fullmatch(part) else part.translate(_MARKS) for part in _KEPT.split(template))


def unmarked(said: str, own: str = "") -> set[str]:
    """Give the words that no catalogue has; not files, numbers, commands, days, and what is somebody's `own`."""
    months = " ".join(get_month_names("wide", locale=Locale("cy")).values())
    return set(_WORD.findall(_NO_WORDS.sub(" ", said))) - set(_WORD.findall(f"{own} {months} UTC BST GMT SHA en GB cy"))


@contextmanager
def welsh_is_marked(patch: pytest.MonkeyPatch, folder: Path) -> Iterator[None]:
    """Speak marked English wherever Welsh is spoken."""
    for language in texts.LOCALE_FOLDER.glob("*/LC_MESSAGES"):
        there = folder / language.parent.name / "LC_MESSAGES"
        there.mkdir(parents=True)
        for path in (texts.LOCALE_FOLDER / "en_GB" / "LC_MESSAGES").glob("*.po"):
            (there / path.name).write_bytes(path.read_bytes())
    for path in (folder / "cy" / "LC_MESSAGES").glob("*.po"):
        _mark(path)
    patch.setattr(texts, "LOCALE_FOLDER", folder)
    _forget()
    yield
    patch.undo()
    _forget()


def _mark(path: Path) -> None:
    with path.open("rb") as file:
        english = read_po(file)
    catalogue = Catalog(locale="cy")
    for message in english:
        if message.id:
            form = message.string if isinstance(message.string, str) else message.string[-1]
            forms = (marked(form),) * catalogue.num_plurals if message.pluralizable else marked(form)
            catalogue.add(message.id, forms)
    with path.open("wb") as file:
        write_po(file, catalogue)


def _forget() -> None:
    """Let nothing that was read of the catalogues be known any more."""
    for name, module in list(sys.modules.items()):
        if name.startswith(("messages.", "bot.")):
            for found in vars(module).values():
                if callable(forget := getattr(found, "cache_clear", None)):
                    forget()
