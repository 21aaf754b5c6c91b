"""The secrets file: keys that never enter the database.

One JSON file, mode 0600, made once by `ballotline init`. Losing it means no code can be checked again;
`code_key` in a thief's hands together with the database lets codes be guessed offline.
"""

import base64
import json
import os
import secrets
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from nacl.signing import SigningKey

from voting.hour_keys import HourKeys
from voting.kept_file import MODE
from voting.refusals import SecretsMissing

KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """32-byte keys, one for each purpose."""

    code_key: bytes  # hashes of pack and vote codes, the pack's word
    session_key: bytes  # console sessions, login links, one-time codes
    button_key: bytes  # HMAC of what a button carries
    signing_key: bytes  # Ed25519 seed: signs entries and heads of the chain
    webhook_secret: str
    hours: HourKeys = field(compare=False)  # what was typed, at rest, until it is processed

    @property
    def verify_key(self) -> bytes:
        """Give the public half of the signing key."""
        return bytes(SigningKey(self.signing_key).verify_key)


def make() -> Secrets:
    """Make fresh keys."""
    return Secrets(
        code_key=secrets.token_bytes(KEY_BYTES),
        session_key=secrets.token_bytes(KEY_BYTES),
        button_key=secrets.token_bytes(KEY_BYTES),
        signing_key=secrets.token_bytes(KEY_BYTES),
        webhook_secret=secrets.token_urlsafe(32),
        hours=HourKeys.make(),
    )


def save(path: Path, value: Secrets) -> None:
    """Write a new file with mode 0600; an existing one is never overwritten (FileExistsError)."""
    words = {one.name: _word(getattr(value, one.name)) for one in fields(value)}
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        json.dump(words, file, indent=1)
        file.flush()
        os.fsync(file.fileno())


def load(path: Path) -> Secrets:
    """Read the file, whose `hours` move with it from now on; SecretsMissing when it is not there or not whole."""
    try:
        words = json.loads(path.read_text(encoding="ascii"))
        webhook_secret, hours = words.pop("webhook_secret"), words.pop("hours")
        return Secrets(
            **{name: base64.b64decode(key, validate=True) for name, key in words.items()},
            webhook_secret=webhook_secret,
            hours=HourKeys.read(hours, path),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise SecretsMissing(file=str(path)) from problem


def _word(value: bytes | str | HourKeys) -> str | dict[str, Any]:
    if isinstance(value, HourKeys):
        return value.words
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value
