"""The voting page as pure functions: its HTML, the JSON it asks for, its words, and the digest of all of it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from babel import Locale
from babel.dates import get_month_names
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from bot.page.files import static_digest, static_files
from messages.words.dates import between_text, moment_text
from messages.words.texts import templates, text
from voting.model import Phase, Poll, Window

_DATES: Final = (
    "date.moment",
    "date.moment_midnight",
    "date.noon",
    "date.midnight",
    "date.time.morning",
    "date.time.afternoon",
    *(f"date.weekday.{day}" for day in range(1, 8)),
)
_ENVIRONMENT: Final = Environment(
    loader=PackageLoader("bot.page"),
    autoescape=select_autoescape(),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the page is told besides the poll: hashes that it holds against the files, and when packs come.

    The hashes are None before the election key is there.
    """

    election_hash: str | None = None
    trustees_sha256: str | None = None
    fingerprint: str | None = None
    window: Window | None = None


def page_html(languages: Sequence[str]) -> str:
    """Write the page for a poll in these languages; it is the same for everybody, whatever the poll is about."""
    said = [{"language": tag, **_plain_words(tag)} for tag in languages]
    return _ENVIRONMENT.get_template("page.html").render(said=said, static=static_path())


def poll_json(poll: Poll, facts: Facts, now: datetime) -> dict[str, Any]:
    """Say what the poll is about, in every language, and what may be done now; nothing in it is about a person."""
    return {
        "uuid": poll.uuid,
        "id": poll.id,
        "languages": list(poll.languages),
        "names": {tag: text("words", "language.name", tag) for tag in poll.languages},
        "title": dict.fromkeys(poll.languages, poll.title),
        "rule": {tag: poll.rule_in(tag) for tag in poll.languages},
        "rule_version": poll.rule_version,
        "opens_at": poll.opens_at.isoformat(),
        "closes_at": poll.closes_at.isoformat(),
        "timezone": poll.timezone,
        "window": _window_json(facts.window),
        "state": state_of(poll, now),
        "says": {tag: _says(poll, facts, now, tag) for tag in poll.languages},
        "contact": poll.staff.contact,
        "election_hash": facts.election_hash,
        "trustees_sha256": facts.trustees_sha256,
        "signing_key": poll.signing_key.hex(),
        "fingerprint": facts.fingerprint,
        "page": page_digest(tuple(poll.languages)),
    }


def state_of(poll: Poll, now: datetime) -> str:
    """Say in a word what the poll does now: `not_open`, `open` or `closed`."""
    if poll.takes_votes(now):
        return "open"
    is_over = poll.phase in {Phase.CLOSED, Phase.COUNTED} or now >= poll.closes_at
    return "closed" if is_over else "not_open"


@lru_cache(maxsize=16)
def words_json(language: str) -> str:
    """Write every sentence of the page in one language, with the patterns of its dates and the languages' names."""
    shared = templates("words", language)
    texts = templates("page", language) | {key: shared[key] for key in _DATES}
    locale = Locale.parse(language, sep="-")
    texts |= {f"date.month.{number}": name for number, name in get_month_names("wide", locale=locale).items()}
    return json.dumps({"language": language, "texts": texts}, ensure_ascii=False, sort_keys=True)


def static_path() -> str:
    """Give the path under which the static files lie: their digest is in it, so they may be kept for ever."""
    return f"/vote/static/{static_digest()[:16]}"


@lru_cache(maxsize=16)
def page_digest(languages: tuple[str, ...]) -> str:
    """Hash every file that the page is made of: SHA-256 over `<SHA-256> <name>` lines, ascending by name.

    The names are `page.html`, `words/<tag>.json` of each language, and `static/<name>`.
    """
    parts = {f"static/{name}": file.content for name, file in static_files().items()}
    parts |= {f"words/{tag}.json": words_json(tag).encode() for tag in languages}
    parts["page.html"] = page_html(languages).encode()
    lines = [f"{hashlib.sha256(content).hexdigest()} {name}\n" for name, content in sorted(parts.items())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _says(poll: Poll, facts: Facts, now: datetime, tag: str) -> dict[str, Any]:
    opens, closes = (moment_text(at, poll.timezone, tag) for at in (poll.opens_at, poll.closes_at))
    is_late = now >= poll.opens_at
    not_open = "state.not_open_soon" if is_late else "state.not_open"
    states = {
        "not_open": text("page", not_open, tag, opens=opens, closes=closes),
        "closed": text("page", "state.closed", tag, closes=closes),
    }
    window = facts.window and text(
        "page", "state.window", tag, window=between_text(facts.window.first_day, facts.window.last_day, tag)
    )
    return {
        "closes": text("page", "state.closes", tag, closes=closes),
        "which_language": text("page", "language.heading", tag),
        "state": states.get(state_of(poll, now), ""),
        "states": states,
        "window": window,
    }


def _window_json(window: Window | None) -> dict[str, str] | None:
    return (
        None if window is None else {"first_day": window.first_day.isoformat(), "last_day": window.last_day.isoformat()}
    )


def _plain_words(tag: str) -> dict[str, str]:
    names = ("moment", "unfit", "broken", "unreached")
    stop = text("page", "stop.wrong_word.heading", tag)
    return {name: text("page", f"html.{name}", tag) for name in names} | {"stop": stop}
