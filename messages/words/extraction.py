"""What `pybabel extract` runs (see babel.cfg): one domain's keys, from the code and from the English catalogue.

A keyword here is a domain (`-k member`). Keys put together at run time (`phone.reason.<value>`) are in
no call, so the English catalogue is a source of keys like the code; its sentence becomes the comment
that a translator reads beside the key.
"""

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import Final

from babel.messages.pofile import read_po

LOOKUPS: Final = frozenset({"text", "html_text"})
PLURAL_LOOKUPS: Final = frozenset({"plural", "html_plural"})

# line, gettext function, key (twice for a plural), comments: Babel's interface for an extraction method
Found = tuple[int, str, str | tuple[str, str], list[str]]


@dataclass(frozen=True, slots=True)
class TextCall:
    """A look-up in the code whose domain and key are written out; `params` is None where `**` hides them."""

    line: int
    function: str
    domain: str
    key: str
    params: frozenset[str] | None


def text_calls(source: str) -> Iterator[TextCall]:
    """Find the look-ups in a module, however the functions were imported."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        written = [arg.value for arg in node.args[:2] if isinstance(arg, ast.Constant)]
        if name in LOOKUPS | PLURAL_LOOKUPS and len(written) == 2:  # noqa: PLR2004 - domain and key
            names = [keyword.arg for keyword in node.keywords]
            params = None if None in names else frozenset(filter(None, names))
            yield TextCall(node.lineno, name, str(written[0]), str(written[1]), params)


def from_code(
    fileobj: BufferedIOBase,
    keywords: Collection[str],
    comment_tags: Collection[str],  # noqa: ARG001 - Babel's interface
    options: Mapping[str, object],  # noqa: ARG001 - Babel's interface
) -> Iterator[Found]:
    """Give the keys that a Python module looks up in the domains asked for."""
    for call in text_calls(fileobj.read().decode()):
        if call.domain in keywords:
            yield _found(call.line, call.key, [], plural=call.function in PLURAL_LOOKUPS)


def from_english(
    fileobj: BufferedIOBase,
    keywords: Collection[str],
    comment_tags: Collection[str],  # noqa: ARG001 - Babel's interface
    options: Mapping[str, object],  # noqa: ARG001 - Babel's interface
) -> Iterator[Found]:
    """Give every key of an English catalogue of the domains asked for, with its sentence as a comment."""
    if Path(str(getattr(fileobj, "name", ""))).stem not in keywords:
        return
    for message in read_po(fileobj):
        forms = (message.string,) if isinstance(message.string, str) else message.string or ()
        key = message.id if isinstance(message.id, str) else message.id[0]
        if key:
            comments = [*message.auto_comments, *(f"English: {form}" for form in forms)]
            yield _found(message.lineno or 0, key, comments, plural=message.pluralizable)


def _found(line: int, key: str, comments: list[str], *, plural: bool) -> Found:
    return (line, "ngettext", (key, key), comments) if plural else (line, "gettext", key, comments)
