"""What each test would compute anew is computed once in this process: compiled SQL, powers of points, derived secrets.

A process of ours has one database and compiles each statement once; a worker of the tests has thousands of them, and
would spend a third of its time in compiling the same statements.

So with the curve's arithmetic and the derivation from codes: their answers hang on nothing but the bytes they are
given, and tests open, check and count the same ballots again and again. A refusal is not kept.
"""

import functools
import hashlib
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import LRUCache

from voting.backup import file
from voting.ballots import group
from voting.store import database

STATEMENTS = 5_000  # all that the house knows, several times over
ANSWERS = 20_000  # of each function of the curve: some twenty bundles' worth
ARITHMETIC = ("_times", "_base_times", "_add", "_sub", "_is_valid")


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


def share_arithmetic(patch: pytest.MonkeyPatch) -> None:
    """Let the same points multiply, and the same codes be derived, once."""
    for name in ARITHMETIC:
        patch.setattr(group, name, functools.lru_cache(ANSWERS)(getattr(group, name)))
    patch.setattr(hashlib, "pbkdf2_hmac", functools.lru_cache(ANSWERS)(hashlib.pbkdf2_hmac))
