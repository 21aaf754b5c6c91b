"""The static files of the voting page, read once, with the digest that stands in their path."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import PurePath
from typing import Final

TYPES: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file of the page and its media type."""

    content: bytes
    media_type: str

    @property
    def compressed(self) -> bytes:
        """Give it as most browsers take it; the same bytes each time."""
        return _compressed(self.content)


@lru_cache(maxsize=64)
def _compressed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


@lru_cache(maxsize=1)
def static_files() -> dict[str, StaticFile]:
    """Give every static file by its name, ascending."""
    found = sorted(files("bot.page").joinpath("static").iterdir(), key=lambda file: file.name)
    return {file.name: StaticFile(file.read_bytes(), TYPES[PurePath(file.name).suffix]) for file in found}


@lru_cache(maxsize=1)
def static_digest() -> str:
    """Hash all of them: SHA-256 over `<SHA-256> <name>` lines."""
    lines = [f"{hashlib.sha256(file.content).hexdigest()} {name}\n" for name, file in static_files().items()]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
