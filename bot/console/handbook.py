"""The handbook: the Markdown of docs/ as pages of the console, and which part of it belongs to which page.

`docs` here is the repository's folder itself; a wheel carries its files. English lies in it, every other language in a
folder of its name: the same files, the same headings in the same order.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from messages.words.texts import DEFAULT_LANGUAGE, languages

ADDRESS: Final = "/console/help"
PICTURES: Final = f"{ADDRESS}/pictures"
DOCS: Final = Path(__file__).parent / "docs"
PICTURE_SUFFIX: Final = ".webp"
TO_TICK: Final = "[ ] "
INDEX: Final = "README"
_BY_ROLE: Final = ("members-helper", "comms", "support", "officer", "trustee", "auditor", "operator")
_BESIDE: Final = ("on-the-day", "trustees", "ballots", "retention", "dpia", "words-for-members", "incident")
PAGES: Final[Mapping[str, str]] = {
    **{name: f"handbook/{name}.md" for name in (INDEX, *_BY_ROLE)},
    **{name: f"{name}.md" for name in _BESIDE},
}

ENGLISH_ALONE: Final = frozenset({"ballots"})  # a specification has one text that counts

_PARSER: Final = MarkdownIt("commonmark", {"html": False}).enable("table")

# By the beginning of a page's address within the console, the longest first.
PARTS: Final[Mapping[str, str]] = {
    "notices": "comms#notices",
    "window": "comms#when-the-dates-of-delivery-move",
    "cases": "support#cases",
    "members": "support#members",
    "packs": "support#packs",
    "deliveries": "support#deliveries-and-channels",
    "channels": "support#deliveries-and-channels",
    "imports": "officer#imports",
    "staff": "officer#staff-and-duty",
    "chain": "officer#the-chain",
    "alarms": "support#alarms",
    "lists": f"{INDEX}#the-overview",
    "": f"{INDEX}#the-overview",
}


def part_for(address: str) -> str:
    """Give where the handbook speaks of the console's page at an address."""
    place = address.removeprefix("/console/").partition("/")[0]
    return f"{ADDRESS}/{PARTS.get(place, PARTS[''])}"


def folder(language: str) -> Path:
    """Give where the pages of a language lie."""
    return DOCS if language == DEFAULT_LANGUAGE else DOCS / language


def language_of(name: str, wanted: str) -> str:
    """Give the language in which there is a page: the wanted one, but for what exists in English alone."""
    return DEFAULT_LANGUAGE if name in ENGLISH_ALONE else wanted


def file(name: str, language: str) -> Path:
    """Give a page's file; KeyError when there is no such page."""
    return folder(language_of(name, language)) / PAGES[name]


@lru_cache(maxsize=2 * len(PAGES))
def rendered(name: str, language: str = DEFAULT_LANGUAGE) -> tuple[str, Markup]:
    """Give a page's heading and the rest as HTML; KeyError when there is no such page.

    A heading's address within the page is that of the English one, whatever the language.
    """
    tokens = _parsed(name, language)
    headings = iter(_headings(_parsed(name, DEFAULT_LANGUAGE)))
    heading = tokens[1].content
    for token in tokens:
        if token.type == "heading_open":
            token.attrSet("id", _anchor(next(headings)))
    _label_cells(tokens)
    for token in tokens:
        parts = token.children or []
        for part, inner in zip_longest(parts, parts[1:]):
            _point(part, inner, language)
    html = _PARSER.renderer.render(tokens[3:], _PARSER.options, {})
    return heading, Markup(html)  # noqa: S704 - our own files, and the parser lets no HTML through


def picture(name: str, language: str = DEFAULT_LANGUAGE) -> bytes | None:
    """Give a picture of the handbook."""
    if language not in languages():
        return None
    path = folder(language) / "handbook" / "pictures" / name
    return path.read_bytes() if path.suffix == PICTURE_SUFFIX and path.name == name and path.is_file() else None


def _parsed(name: str, language: str) -> list[Token]:
    return _PARSER.parse(file(name, language).read_text(encoding="utf-8"))


def _headings(tokens: list[Token]) -> list[str]:
    return [inner.content for token, inner in pairwise(tokens) if token.type == "heading_open"]


def _anchor(heading: str) -> str:
    """Give a heading's address within its page, as code hosts make it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def _label_cells(tokens: list[Token]) -> None:
    """Have each cell of a table say what stands over it, for a narrow screen, where a row is a card."""
    heads: list[str] = []
    place = 0
    for token, inner in pairwise(tokens):
        if token.type == "table_open":
            token.attrSet("class", "cards")
            heads = []
        elif token.type == "th_open":
            heads.append(inner.content)
        elif token.type == "tr_open":
            place = 0
        elif token.type == "td_open":
            token.attrSet("data-label", heads[place])
            place += 1


def _heading(name: str, language: str) -> str:
    return file(name, language).read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")


def _point(part: Token, inner: Token | None, language: str) -> None:
    """Have pictures and links between the files lead to our pages; a file's name is its heading there."""
    if part.type == "text" and part.content.startswith(TO_TICK):
        part.content = f"☐ {part.content.removeprefix(TO_TICK)}"
    elif part.type == "image":
        source = str(part.attrs["src"]).removeprefix("pictures/")
        part.attrs = {"src": f"{PICTURES}/{language}/{source}", "alt": part.attrs["alt"], "loading": "lazy"}
    elif part.type == "link_open" and not str(part.attrs["href"]).startswith(("http", "#")):
        target, hash_, anchor = str(part.attrs.pop("href")).partition("#")
        name = target.rpartition("/")[2].removesuffix(".md")
        if name in PAGES:
            part.attrSet("href", f"{ADDRESS}/{name}{hash_}{anchor}")
        if name in PAGES and language_of(name, language) != language:
            part.attrSet("lang", language_of(name, language))  # it is called by its heading, which is not translated
        if name in PAGES and inner is not None and inner.content.endswith(".md"):
            inner.content = _heading(name, language)
