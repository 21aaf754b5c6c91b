"""Telegram's HTML in, plain text and entities out; and back to safe HTML for the page.

Grammar and error sentences as in the Bot API ("Formatting options") and its server.
Offsets and lengths count UTF-16 code units, as Telegram does.
"""

import html
import re
from typing import Any, Final

from bot.sandbox.telegram.errors import ApiError

Entity = dict[str, Any]

TYPES: Final = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "a": "text_link",
}
TAGS: Final = {
    "bold": "b",
    "italic": "i",
    "underline": "u",
    "strikethrough": "s",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}
_TAG: Final = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)?([^<>]*)>|<")
_HREF: Final = re.compile(r"""\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
# Telegram knows these four named entities and the numeric ones; anything else stays as it is.
_NAMED: Final = {"&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"'}
_REFERENCE: Final = re.compile(r"&(?:lt|gt|amp|quot|#\d+|#[xX][0-9a-fA-F]+);")
_LINK: Final = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)]")
_COMMAND: Final = re.compile(r"(?<![\w/])/[A-Za-z0-9_]{1,64}(?:@\w+)?(?![\w/])")

# As the server cleans what people and bots send: controls become spaces, direction overrides vanish.
_CONTROLS: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")
_DROPPED: Final = re.compile("[\\r\u2028-\u202e]")


def utf16_length(text: str) -> int:
    """Count UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def parse_html(source: str) -> tuple[str, tuple[Entity, ...]]:
    """Return the text and its entities; ApiError 400 as Telegram would give it."""
    if "<" not in source and "&" not in source:
        return source, ()
    text: list[str] = []
    entities: list[Entity] = []
    opened: list[tuple[str, Entity]] = []
    position = length = 0
    for match in _TAG.finditer(source):
        plain = _unescape(source[position : match.start()])
        text.append(plain)
        length += utf16_length(plain)
        position = match.end()
        at = len(source[: match.start()].encode())
        closing, name = match[1], (match[2] or "").lower()
        if closing:
            entity = _closed(opened, name, at)
            entity["length"] = length - entity["offset"]
            entities.append(entity)
        else:
            opened.append((name, _opened(name, match[3] or "", length, at)))
    if opened:
        raise _cannot(f'Can\'t find end tag corresponding to start tag "{opened[-1][0]}"')
    text.append(_unescape(source[position:]))
    return "".join(text), _in_order(entities)


def found_in(text: str) -> tuple[Entity, ...]:
    """Return the entities Telegram finds by itself: commands and links."""
    if "/" not in text:
        return ()
    return tuple(
        {
            "type": kind,
            "offset": utf16_length(text[: match.start()]),
            "length": utf16_length(match[0]),
        }
        for kind, pattern in (("bot_command", _COMMAND), ("url", _LINK))
        for match in pattern.finditer(text)
        if kind == "url" or "://" not in text[max(0, match.start() - 8) : match.start() + 3]
    )


def to_html(text: str, entities: tuple[Entity, ...]) -> str:
    """Return HTML that is safe to put on a page: everything escaped but the entities' own tags."""
    if not entities:
        return html.escape(text)
    marks: dict[int, list[str]] = {}
    for entity in _in_order(list(entities)):
        before, after = _tags(entity, text)
        start, end = entity["offset"], entity["offset"] + entity["length"]
        marks.setdefault(start, []).append(before)
        marks.setdefault(end, []).insert(0, after)
    pieces: list[str] = []
    offset = 0
    for character in text:
        pieces.extend(marks.pop(offset, ()))
        pieces.append(html.escape(character))
        offset += utf16_length(character)
    for rest in sorted(marks):
        pieces.extend(marks[rest])
    return "".join(pieces)


def _unescape(text: str) -> str:
    if "&" not in text:
        return text
    return _REFERENCE.sub(lambda found: _NAMED.get(found[0]) or html.unescape(found[0]), text)


def _opened(name: str, attributes: str, offset: int, at: int) -> Entity:
    if name not in TYPES or (name == "span" and "tg-spoiler" not in attributes):
        raise _cannot(f'Unsupported start tag "{name}" at byte offset {at}')
    entity: Entity = {"type": TYPES[name], "offset": offset, "length": 0}
    if name == "a" and (href := _HREF.search(attributes)):
        entity["url"] = _unescape(href[1] or href[2] or href[3] or "")
    return entity


def _closed(opened: list[tuple[str, Entity]], name: str, at: int) -> Entity:
    if not opened:
        raise _cannot(f"Unexpected end tag at byte offset {at}")
    expected, entity = opened.pop()
    if name not in ("", expected):
        raise _cannot(f'Unmatched end tag at byte offset {at}, expected "</{expected}>", found "</{name}>"')
    return entity


def _in_order(entities: list[Entity]) -> tuple[Entity, ...]:
    """Outer before inner; empty ones dropped."""
    filled = [entity for entity in entities if entity["length"] > 0]
    return tuple(sorted(filled, key=lambda entity: (entity["offset"], -entity["length"])))


def _tags(entity: Entity, text: str) -> tuple[str, str]:
    if entity["type"] in ("text_link", "url"):
        units = text.encode("utf-16-le")
        start = entity["offset"] * 2
        shown = units[start : start + entity["length"] * 2].decode("utf-16-le", "replace")
        url = entity.get("url", shown)
        if url.startswith(("http://", "https://", "tg://")):
            return f'<a href="{html.escape(url)}" target="_blank" rel="noopener noreferrer">', "</a>"
    tag = TAGS.get(entity["type"])
    return (f"<{tag}>", f"</{tag}>") if tag else ("", "")


def _cannot(why: str) -> ApiError:
    return ApiError(400, f"Bad Request: can't parse entities: {why}")


def clean(text: str) -> str:
    """Return text as Telegram keeps it."""
    if text.isprintable():
        return text.strip()
    return _CONTROLS.sub(" ", _DROPPED.sub("", text)).strip()


def text_content(text: str) -> Entity:
    """Return the content of a plain text message."""
    return {"text": text, "entities": found_in(text)}
