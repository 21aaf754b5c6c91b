"""What does not travel: whatever holds what people typed, closed with keys that do not travel either."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, Table

from voting import schema


@dataclass(frozen=True, slots=True)
class Withheld:
    """Of one table: which rows travel, all if `rows` is None, and what a column's value becomes on the way."""

    table: Table
    rows: ColumnElement[bool] | None = None
    values: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)


def nothing(_value: object) -> None:
    """Leave a value out."""


# A credential's secret could cast the member's ballot; without it an open paper asks for the codes again.
OF_VOTES: Final[Sequence[Withheld]] = (Withheld(schema.intent, values={"credential_secret": nothing}),)
