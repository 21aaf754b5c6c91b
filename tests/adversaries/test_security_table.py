"""SECURITY.md is a table of promises: each "cannot" names a test, and that test is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def rows() -> list[tuple[str, set[str]]]:
    """Give each row of a table that says what somebody cannot do, and the tests it names."""
    found = []
    for table in re.findall(r"^\|[^\n]*cannot[^\n]*\|\n\|[-| ]+\|\n((?:\|[^\n]*\n)+)", _text(), flags=re.MULTILINE):
        found += [(row, set(re.findall(r"`(test_\w+)`", row))) for row in table.splitlines()]
    return found


def _text() -> str:
    return (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def _tests(folder: Path) -> set[str]:
    return {
        name
        for path in folder.rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8"))
    }


def test_each_cannot_names_a_test_that_exists() -> None:
    named = rows()

    assert len(named) > 25
    assert [row for row, tests in named if not tests] == []
    assert set().union(*(tests for _, tests in named)) - _tests(ROOT / "tests") == set()
