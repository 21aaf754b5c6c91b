"""Every sentence we say, in the reader's language, looked up by a key.

Catalogues are gettext files, one per language and domain: `locale/<language>/LC_MESSAGES/<domain>.po`.
A message id is a key such as `status.pack_dispatched`, never an English sentence, so English is a
catalogue like any other and a language is added by adding a folder. The `.po` files are read as they
are, once per process and domain: there is no compiled copy that could be stale or missing.

A domain is a group of readers: `member` (the chat), `page` (the voting page), `notices` (notices and SMS), `staff`,
`console`, `refusals` (one text per refusal, keyed by the refusal), `words` (names, buttons, commands that several
share).
"""

import html
from collections.abc import Collection
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Final, NoReturn

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from voting.refusals import Fault

LOCALE_FOLDER: Final = Path(__file__).parents[1] / "locale"
DEFAULT_LANGUAGE: Final = "en-GB"


class MissingText(Fault, KeyError):  # noqa: N818 - named as the fact, like every refusal and fault
    """A text we should have, or a value it names, is missing: ours to mend, never shown as a bare key."""


@lru_cache(maxsize=1)
def languages() -> tuple[str, ...]:
    """Give the BCP 47 tags we have catalogues for, the default first."""
    found = sorted(_tag(folder.parent.name) for folder in LOCALE_FOLDER.glob("*/LC_MESSAGES"))
    return tuple(sorted(found, key=lambda tag: tag != DEFAULT_LANGUAGE))


def fit_language(requested: str | None, allowed: Collection[str] | None = None, default: str = DEFAULT_LANGUAGE) -> str:
    """Give the language of `allowed` (all we have, if None) nearest to a requested tag, else `default`.

    A roll's tag (`cy`, `en-GB`) and Telegram's `language_code` (`en`, `cy-GB`) are both understood: the
    exact tag wins, then the same language in another region.
    """
    choices = languages() if allowed is None else tuple(tag for tag in languages() if tag in allowed)
    wanted = _tag((requested or "").strip()).casefold()
    exact = [tag for tag in choices if tag.casefold() == wanted]
    near = [tag for tag in choices if _root(tag) == _root(wanted)]
    return (*exact, *near, default)[0]


def text(domain: str, key: str, language: str, /, **params: str | int) -> str:
    """Give the text of a key with its `{named}` places filled; plain text, nothing escaped.

    Raise MissingText if there is no such catalogue or key, or a place without a value.
    """
    return _filled(_catalogue(domain, language).gettext(key), key, params)


def html_text(domain: str, key: str, language: str, /, **params: str | int) -> str:
    """As `text`, for Telegram's HTML: the catalogue may hold tags, a parameter cannot."""
    return _filled(_catalogue(domain, language).gettext(key), key, _escaped(params))


def plural(domain: str, key: str, language: str, n: int, /, **params: str | int) -> str:
    """As `text`, in the form this language has for a number; the text can name it as `{n}`."""
    template = _catalogue(domain, language).ngettext(key, key, n)
    return _filled(template, key, {"n": n, **params})


def html_plural(domain: str, key: str, language: str, n: int, /, **params: str | int) -> str:
    """As `plural`, for Telegram's HTML."""
    template = _catalogue(domain, language).ngettext(key, key, n)
    return _filled(template, key, {"n": n, **_escaped(params)})


def templates(domain: str, language: str) -> dict[str, str]:
    """Give a whole domain by its keys, its `{named}` places left open: for a page that fills them itself."""
    return {str(message.id): str(message.string) for message in _written(domain, language) if message.id}


def _tag(name: str) -> str:
    return name.replace("_", "-")


def _root(tag: str) -> str:
    return tag.partition("-")[0].casefold()


def _escaped(params: dict[str, str | int]) -> dict[str, str | int]:
    return {name: html.escape(value) if isinstance(value, str) else value for name, value in params.items()}


def _filled(template: str, key: str, params: dict[str, str | int]) -> str:
    try:
        return template.format_map(params)
    except KeyError as missing:
        raise MissingText(f"{key}: no value for {missing}") from None


class _Nothing(NullTranslations):
    """Takes over where a catalogue lacks a key, and raises MissingText: gettext itself would show the key."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def gettext(self, message: str) -> NoReturn:
        raise MissingText(f"no text {message!r} in {self._name}")

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> NoReturn:  # noqa: ARG002 - gettext's signature
        raise MissingText(f"no text {msgid1!r} for {n} in {self._name}")


@lru_cache(maxsize=256)
def _catalogue(domain: str, language: str) -> GNUTranslations:
    """Make one catalogue; fuzzy and empty entries count as missing."""
    compiled = BytesIO()
    write_mo(compiled, _written(domain, language))
    compiled.seek(0)
    translations = GNUTranslations(compiled)
    translations.add_fallback(_Nothing(f"{language}/{domain}"))
    return translations


def _written(domain: str, language: str) -> Catalog:
    """Read one catalogue's file."""
    if language not in languages():
        raise MissingText(f"no language {language!r}")
    path = LOCALE_FOLDER / language.replace("-", "_") / "LC_MESSAGES" / f"{domain}.po"
    try:
        with path.open("rb") as file:
            return read_po(file, abort_invalid=True)
    except FileNotFoundError:
        raise MissingText(f"no domain {domain!r} in {language}") from None
