"""Tickets to the console: a token that says itself whose it is and until when, so that no row of a table can.

The tables keep a token's hash under the secrets file's session key: whoever writes to the database can end a ticket,
and make or change none.
"""

import hashlib
import hmac
import secrets as randomness
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from voting.secrets_file import Secrets

TOKEN_BYTES: Final = 24  # 32 characters of base64url
TOKEN_CHARACTERS_MAX: Final = 80
_PARTS: Final = 3

Token = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a token says, and what is kept of it; it is ours only if a table holds `hash`."""

    staff_id: int
    ends_at: datetime
    hash: bytes


def new_token() -> str:
    """Make something that nobody guesses."""
    return randomness.token_urlsafe(TOKEN_BYTES)


def write_ticket(
    secrets: Secrets, purpose: str, staff_id: int, ends_at: datetime, *, make: Token = new_token
) -> tuple[str, Ticket]:
    """Make a token for one purpose, valid until `ends_at` (to the second), and the ticket to keep."""
    token = f"{staff_id}.{int(ends_at.timestamp())}.{make()}"
    return token, read_ticket(secrets, purpose, token)


def read_ticket(secrets: Secrets, purpose: str, token: str) -> Ticket:
    """Read a token that somebody shows; ValueError for what no token of ours can be."""
    parts = token.split(".")
    if len(token) > TOKEN_CHARACTERS_MAX or len(parts) != _PARTS or not token.isascii():
        raise ValueError("no ticket")
    staff_id, seconds = (int(part) for part in parts[:2])
    try:
        ends_at = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError) as far:
        raise ValueError("no time") from far
    return Ticket(staff_id, ends_at, keyed(secrets, purpose, token))


def keyed(secrets: Secrets, purpose: str, token: str) -> bytes:
    """Give a token's hash for one purpose, 32 bytes."""
    return hmac.digest(secrets.session_key, f"{purpose}|{token}".encode(), hashlib.sha256)
