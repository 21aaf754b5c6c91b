"""Lint and types, and beside them a minute of the tests of what changed since main: `make check`.

A changed test file is run itself. A module's tests are those of its package, `tests/<floor>/<package>/`, or bear its or
its package's name. A part that tests share brings the tests that import it. The minute is shared evenly among these, so
that none is left without a test. What would last longer is said and left to `make test`, as is everything that ends
processes or drives a browser.
"""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from time import monotonic
from typing import Final

import pytest

FLOORS: Final = ("voting", "messages", "bot")
SECONDS_MAX: Final = 60.0
ROOT: Final = Path(__file__).parent.parent


class Bell:
    """Lets no further test of a place begin when its share of the time is over, what others did not use included."""

    def __init__(self, places: Sequence[str], root: Path = ROOT) -> None:
        self._began = monotonic()
        self._root = root
        self._ends = {place: SECONDS_MAX * number / len(places) for number, place in enumerate(places, 1)}
        self.left_out = 0

    def ends_after_seconds(self, path: Path) -> float:
        """Give how long after the beginning a test in this file may begin."""
        within = path.relative_to(self._root).as_posix()
        return max(
            (end for place, end in self._ends.items() if f"{within}/".startswith(f"{place}/")), default=SECONDS_MAX
        )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Skip what would begin too late; its fixtures are not made either."""
        if monotonic() - self._began > self.ends_after_seconds(item.path):
            self.left_out += 1
            item.add_marker(pytest.mark.skip(reason="the time of `make check` is over"))
        return (yield)


def changed_files(root: Path = ROOT, main: str = "main") -> list[str]:
    """Name what differs from where this branch left main, and what git does not know yet."""

    def git(*words: str) -> list[str]:
        return subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, text=True).stdout.splitlines()

    (base,) = git("merge-base", main, "HEAD")
    return sorted({*git("diff", "--name-only", base), *git("ls-files", "--others", "--exclude-standard")})


def asked_by(changed: str, root: Path = ROOT) -> set[Path]:
    """Give the test files and folders of one changed file; nothing for what no test is named after."""
    path = Path(changed)
    if path.parts[0] == "tests":
        return _asked_by_part(path, root)
    if path.parts[0] not in FLOORS:
        return set()
    floor, *packages = path.parts[:-1]
    folder = root.joinpath("tests", floor, *packages[:1])
    if packages and folder.is_dir():
        return {folder}
    names = {path.stem, *packages[:1]}
    return {found for name in names for found in (root / "tests").rglob(f"test_{name}.py")}


def _asked_by_part(path: Path, root: Path) -> set[Path]:
    if path.name.startswith("test_") and path.suffix == ".py":
        return {root / path} if (root / path).exists() else set()
    if path.suffix != ".py" or path.name == "conftest.py":
        return set()
    imports = re.compile(rf"^(from|import) {re.escape(path.stem)}\b", re.MULTILINE)
    return {found for found in (root / "tests").rglob("test_*.py") if imports.search(found.read_text("utf-8"))}


def chosen(changed: Iterable[str], root: Path = ROOT) -> list[str]:
    """Give what pytest is to run: the rules of the house always, then the rest, each once."""
    found = {path for name in changed for path in asked_by(name, root)}
    house = sorted((root / "tests").rglob("test_house.py"))
    return [str(path.relative_to(root)) for path in [*house, *sorted(found - set(house))]]


def main() -> int:
    """Lint and test; give an exit code."""
    lint = subprocess.Popen(["make", "lint"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    tests = chosen(changed_files())
    bell = Bell(tests)
    print("\n".join(tests), flush=True)
    code = pytest.main(["-x", "-m", "not browser and not crash", *tests], plugins=[bell])
    if bell.left_out:
        print(f"{bell.left_out} tests were left out after {SECONDS_MAX:.0f} s: `make test` runs them.")
    print(lint.communicate()[0])
    return int(code) or lint.returncode


if __name__ == "__main__":
    sys.exit(main())
