"""A SQLite database as it stood once something had been made in it, copied instead of made again by the next test.

    letters = await once(database, ("poll", members), make)

What is made must be the same each time but for what is drawn at random; a worker's secrets are the same for all its
tests, so what was signed and hashed holds in the copy. PostgreSQL's databases are made each time.
"""

import asyncio
import copy
import sqlite3
from collections.abc import Awaitable, Callable, Hashable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from voting.store.database import Database

Made = TypeVar("Made")
_KEPT: dict[Hashable, tuple[bytes, Any]] = {}


async def once(database: Database, key: Hashable, make: Callable[[], Awaitable[Made]]) -> Made:
    """Call `make`, or copy what it did under this key before; the database must be as it was migrated, unopened."""
    if not database.is_sqlite or await asyncio.to_thread(_is_opened, database):
        return await make()
    if key not in _KEPT:
        made = await make()
        _KEPT[key] = await asyncio.to_thread(_read, database), copy.deepcopy(made)
        return made
    content, made = _KEPT[key]
    await asyncio.to_thread(_file(database).write_bytes, content)
    return copy.deepcopy(made)


def _file(database: Database) -> Path:
    assert database.url.database is not None
    return Path(database.url.database)


def _is_opened(database: Database) -> bool:
    """Whether a connection is open, or was not closed in order: then there is a log beside the database."""
    file = _file(database)
    return file.with_name(f"{file.name}-wal").exists()


def _read(database: Database) -> bytes:
    file = _file(database)
    copied = file.with_name(f"{file.name}-kept")
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copied)) as target:
        source.backup(target)
    content = copied.read_bytes()
    copied.unlink()
    return content
