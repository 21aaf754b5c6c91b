"""'Is one of these', for hundreds of values in one parameter: a list as JSON, instead of as many variables."""

import json
from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import ColumnElement, Integer, LargeBinary, Text, bindparam, cast, func, select
from sqlalchemy.dialects.postgresql import JSONB

LISTED: Final = "listed"
JOINED: Final = "joined"


def among(engine: str, column: ColumnElement[Any]) -> ColumnElement[bool]:
    """Say that a column is one of the values that `listed` gives when the statement is executed.

    `engine` is the dialect's name. The statement is the same text for any number of values: it is built once, no
    engine plans it anew, nothing renders hundreds of placeholders, and SQLite's limit of variables is no limit.
    """
    value = _each_listed(engine)
    return column.in_(select(cast(value, column.type) if engine == "postgresql" else value))


def among_bytes(engine: str, column: ColumnElement[Any], size: int) -> ColumnElement[bool]:
    """Say that a column of `size` bytes is one of the values that `listed_bytes` gives, as `among` does."""
    begins = cast(_each_listed(engine), Integer)
    joined = bindparam(JOINED, type_=LargeBinary)
    return column.in_(select(func.substr(joined, begins, size)))


def listed_bytes(values: Collection[bytes], size: int) -> dict[str, str | bytes]:
    """Give the parameters of a statement with `among_bytes`: the values in a row, and where each begins."""
    begins = range(1, len(values) * size + 1, size)
    return {LISTED: json.dumps(list(begins)), JOINED: b"".join(values)}


def listed(values: Collection[int | str]) -> dict[str, str]:
    """Give the parameter of a statement with `among`."""
    return {LISTED: json.dumps(list(values))}


def _each_listed(engine: str) -> ColumnElement[Any]:
    values = bindparam(LISTED, type_=Text)
    if engine == "postgresql":
        return func.jsonb_array_elements_text(cast(values, JSONB)).table_valued("value").c.value
    return func.json_each(values).table_valued("value").c.value
