"""'Is one of these', for hundreds of values in one parameter: a list as JSON, instead of as many variables."""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection


def among(
    connection: AsyncConnection, column: ColumnElement[Any], values: Collection[int | str]
) -> ColumnElement[bool]:
    """Say that a column is one of `values`.

    The statement is the same text for any number of values, so no engine plans it anew and nothing renders hundreds
    of placeholders; SQLite's limit of variables in a statement is no limit.
    """
    listed = literal(json.dumps(list(values)), Text)
    if connection.dialect.name == "postgresql":
        each = func.jsonb_array_elements_text(cast(listed, JSONB)).table_valued("value")
        return column.in_(select(cast(each.c.value, column.type)))
    return column.in_(select(func.json_each(listed).table_valued("value").c.value))
