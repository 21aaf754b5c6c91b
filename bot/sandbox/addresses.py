"""Where a webhook really is: the sandbox never calls anything but this machine."""

from typing import Final
from urllib.parse import urlsplit

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def is_loopback(host: str | None) -> bool:
    """Tell whether a host name (without port) means this machine."""
    return host in LOOPBACK


def local_address(url: str, public: dict[str, str]) -> str | None:
    """Return the address on this machine behind a URL; None if there is none.

    `public` maps prefixes a bot is known by to where it listens:
    {"https://ballot.example": "http://127.0.0.1:8080"}.
    """
    for prefix, local in public.items():
        if url.startswith(prefix):
            return local + url.removeprefix(prefix)
    return url if is_loopback(urlsplit(url).hostname) else None
