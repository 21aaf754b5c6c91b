"""Templates, and what every one of them can ask for."""

import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from bot.console.echoes import echoed
from bot.console.handbook import part_for
from bot.console.speech import Speech
from bot.member.chats import is_page
from messages.words.reasons import window_reason_text
from messages.words.texts import text
from voting.typed_text import looks_like
from voting.verify import result
from voting.verify.result import standing_said

FOLDER: Final = Path(__file__).parent
SPOKEN: Final = ("number", "money", "day", "say", "language_name")  # as filters, of the reader's language


def environment() -> Environment:
    """Make the templates' environment: everything is escaped, an unknown name is an error."""
    found = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {name: _filter(name) for name in SPOKEN} | {"echo": _echo}
    found.globals |= {
        "static": static_address,
        "own_name": own_name,
        "help_for": part_for,
        "window_reason": window_reason_text,
        "of_voters": of_voters,
    }
    found.filters["standing"] = standing_said
    found.tests["from_page"] = is_page  # the voting page, and not a chat
    found.tests["alike"] = looks_like  # two names: one person, for the rules that need two
    return found


def spoken(speech: Speech) -> dict[str, Any]:
    """Give what a template says things with."""
    names = ("t", "h", "n", "when", "span", "ago", "percent", "between")
    return {"speech": speech, "lang": speech.language, "zone": speech.zone, "now": speech.now} | {
        name: getattr(speech, name) for name in names
    }


def of_voters(votes: int, voters: int) -> str:
    """Write a share of those who voted, as the published result has it."""
    return f"{result.percent(votes, voters)} %"


def own_name(tag: str) -> str:
    """Name a language in itself."""
    return text("words", "language.name", tag)


def member_address(member_no: str) -> str:
    """Give where a member's file is; a number may hold any printable character."""
    return f"/console/members/{quote(member_no, safe='')}"


@lru_cache(maxsize=64)
def static_address(name: str) -> str:
    """Give a static file's address, which changes with its content: it can be kept for ever."""
    digest = hashlib.sha256((FOLDER / "static" / name).read_bytes()).hexdigest()[:12]
    return f"/console/static/{name}?v={digest}"


def _filter(name: str) -> Callable[..., Any]:
    @pass_context
    def said(context: Context, *values: Any) -> Any:  # noqa: ANN401 - a filter's values are whatever it is put on
        return getattr(context["speech"], name)(*values)

    return said


@pass_context
def _echo(context: Context, sentence: str) -> str:
    return echoed(sentence, context["speech"])
