"""Read JSON from outside: each value knows where it stands, and a wrong one is refused by that name.

Whether the bytes are spelled exactly right is not decided here: the reader writes what it read again and compares.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from voting.ballots.refusals import FieldWrong


@dataclass(frozen=True, slots=True)
class Item:
    """One JSON value and the name of its place, as `answers[0].choices`."""

    value: Any
    field: str
    nested: bool = True  # False for the whole file, whose name does not stand before its fields

    def has(self, name: str) -> bool:
        """Say whether this is an object with a field of this name."""
        return isinstance(self.value, dict) and name in self.value

    def fields(self, names: Sequence[str]) -> dict[str, "Item"]:
        """Give the fields of an object that has exactly these, in this order."""
        if not isinstance(self.value, dict) or tuple(self.value) != tuple(names):
            raise FieldWrong(self.field, problem=f"exactly the fields {', '.join(names)} in this order")
        prefix = f"{self.field}." if self.nested else ""
        return {name: Item(value, prefix + name) for name, value in self.value.items()}

    def items(self) -> Iterator["Item"]:
        """Give the items of a list."""
        if not isinstance(self.value, list):
            raise FieldWrong(self.field, problem="a list")
        return (Item(value, f"{self.field}[{number}]") for number, value in enumerate(self.value))

    def text(self) -> str:
        """Give a text."""
        if not isinstance(self.value, str):
            raise FieldWrong(self.field, problem="a text")
        return self.value

    def number(self) -> int:
        """Give a whole number; true is none."""
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            raise FieldWrong(self.field, problem="a whole number")
        return self.value


def read_json(raw: bytes, *, bytes_max: int, field: str) -> Item:
    """Parse UTF-8 JSON of at most `bytes_max` bytes; `FieldWrong(field)` if it is none or repeats a field."""
    if len(raw) > bytes_max:
        raise FieldWrong(field, problem=f"at most {bytes_max} bytes")
    try:
        return Item(json.loads(raw.decode(), object_pairs_hook=_once), field, nested=False)
    except (ValueError, RecursionError) as problem:
        raise FieldWrong(field, problem="JSON in UTF-8") from problem


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        names = [name for name, _ in pairs]
        raise FieldWrong(next(name for name in names if names.count(name) > 1), problem="it stands there once")
    return fields
