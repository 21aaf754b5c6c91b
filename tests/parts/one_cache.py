"""SQL that is compiled once in this process, not once by each test's engine.

A process of ours has one database and compiles each statement once; a worker of the tests has thousands of them, and
would spend a third of its time in compiling the same statements.
"""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import LRUCache

from voting.backup import file
from voting.store import database

STATEMENTS = 5_000  # all that the house knows, several times over


class OneCache(LRUCache[Any, Any]):
    """A cache of compiled statements for all engines whose dialect is the same: it begins each key."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(_by_kind(key), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__(_by_kind(key), compiled)


def _by_kind(key: Any) -> Any:
    dialect, *rest = key
    return type(dialect), *rest


def share_one_cache(patch: pytest.MonkeyPatch) -> None:
    """Let every engine that is made from now on share what was compiled."""
    cache: OneCache = OneCache(STATEMENTS)

    def create(*arguments: Any, **named: Any) -> AsyncEngine:
        engine = create_async_engine(*arguments, **named)
        engine.sync_engine.update_execution_options(compiled_cache=cache)
        return engine

    patch.setattr(database, "create_async_engine", create)
    patch.setattr(file, "create_async_engine", create)
