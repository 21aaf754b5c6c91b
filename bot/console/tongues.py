"""The language of pages that know nobody: the one last spoken in this browser, else the one the browser asks for."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from messages.words.texts import DEFAULT_LANGUAGE, fit_language, languages

COOKIE: Final = "ballotline_language"  # tells nothing but a language
YEAR_SECONDS: Final = 31_536_000
ASKED_MAX: Final = 20


def of_browser(request: Request) -> str:
    """Give the language for a page before login."""
    kept = request.cookies.get(COOKIE, "")
    return kept if kept in languages() else accepted(request.headers.get("Accept-Language", ""))


def accepted(header: str) -> str:
    """Give the language of ours that an Accept-Language header likes best (RFC 9110, 12.5.4)."""
    wanted = []
    for place, part in enumerate(header.split(",")[:ASKED_MAX]):
        tag, _, weight = part.partition(";")
        wanted.append((-_weight(weight), place, tag.strip()))
    roots = {known.partition("-")[0] for known in languages()}
    liked = [tag for weight, _, tag in sorted(wanted) if weight < 0 and tag.partition("-")[0].casefold() in roots]
    return fit_language(liked[0]) if liked else DEFAULT_LANGUAGE


def remember(answer: Response, language: str, *, secure: bool) -> None:
    """Let this browser be spoken to in a language before login too."""
    answer.set_cookie(
        COOKIE, language, max_age=YEAR_SECONDS, path="/console", httponly=True, samesite="strict", secure=secure
    )


def _weight(raw: str) -> float:
    name, _, value = raw.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    digits = value.strip()
    return float(digits) if digits.replace(".", "", 1).isdigit() and digits.isascii() else 0.0
