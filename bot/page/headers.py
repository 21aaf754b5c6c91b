"""What every answer of the voting page carries: only its own files run, and only Telegram may frame it."""

from typing import Final
from urllib.parse import urlsplit

from bot.settings import LOOPBACK

TELEGRAM_WEB: Final = "https://web.telegram.org"  # where Telegram's web clients frame Mini Apps from
KEPT_FOR_GOOD: Final = "public, max-age=31536000, immutable"  # of static files: their digest is in the path
YEAR_SECONDS: Final = 31_536_000


def page_headers(telegram_api_url: str = "", *, https: bool, cache: str = "no-store") -> dict[str, str]:
    """Give the headers. Where Telegram's API is on this machine, the local phones there may frame the page too.

    There is no X-Frame-Options: it cannot name who may frame, and browsers heed `frame-ancestors`.
    """
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "worker-src 'self'; form-action 'none'; base-uri 'none'; "
        f"frame-ancestors {' '.join(frame_ancestors(telegram_api_url))}"
    )
    secure = {"Strict-Transport-Security": f"max-age={YEAR_SECONDS}"} if https else {}
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cache-Control": cache,
        **secure,
    }


def frame_ancestors(telegram_api_url: str) -> list[str]:
    """Name who may show the page in a frame."""
    parts = urlsplit(telegram_api_url)
    local = [f"{parts.scheme}://{parts.netloc}"] if parts.hostname in LOOPBACK else []
    return [TELEGRAM_WEB, *local]
