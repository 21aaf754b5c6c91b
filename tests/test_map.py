"""The map: each package says in its paragraph what it may import, and that is all it does import."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = ("voting", "messages", "bot", "bot.sandbox")  # each has a root with what everybody there may import


def named(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FOUND = [path for floor in ("voting", "messages", "bot") for path in sorted((ROOT / floor).rglob("*.py"))]
MODULES = {named(path): path for path in FOUND if "migrations" not in path.parts}
PACKAGES = [name for name, path in MODULES.items() if path.name == "__init__.py"]
ROOMS = [name for name in PACKAGES if name not in FLOORS]


def package_of(module: str) -> str:
    return module if module in PACKAGES else module.rpartition(".")[0]


def floor_of(name: str) -> str:
    return next(floor for floor in reversed(FLOORS) if name == floor or name.startswith(f"{floor}."))


@cache
def paragraph(package: str) -> str:
    return re.sub(r"\s+", " ", ast.get_docstring(ast.parse(MODULES[package].read_text(encoding="utf-8"))) or "")


def listed(package: str, after: str) -> set[str]:
    """Give the names that a package's paragraph lists after these words."""
    found = re.search(rf"{after}: ([a-z_., ]+)\.(?= |$)", paragraph(package))
    return set(found.group(1).split(", ")) - {"nothing"} if found else set()


def shared(floor: str) -> set[str]:
    return listed(floor, f"Everybody in {floor} may import")


def allowed(package: str) -> set[str]:
    """Give what a package may import: what it names, and whatever that may import."""
    wanted, found = {package}, set()
    while wanted:
        name = wanted.pop()
        found.add(name)
        wanted |= (listed(name, "May import") if name in PACKAGES else set()) - found
    return found


@cache
def imported(module: str) -> frozenset[str]:
    """Give the modules of ours that a module imports; a name that is no module stands for the module it is in."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in names}
    return frozenset(found & MODULES.keys())


def refused(module: str, may: set[str], free: set[str]) -> set[str]:
    inside = {name for name in may if name in PACKAGES and name not in FLOORS}
    whole = {floor for floor in may & set(FLOORS) if floor != floor_of(module) or floor == "bot.sandbox"}
    return {
        name
        for name in imported(module)
        if name not in free | may
        and package_of(name) not in inside
        and not any(name == floor or name.startswith(f"{floor}.") for floor in whole)
    }


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_has_a_paragraph_that_says_its_job_and_what_it_may_import(package: str) -> None:
    assert "May import: " in paragraph(package)
    assert len(paragraph(package).split("May import")[0]) > 20
    assert all(name in MODULES for name in listed(package, "May import") | shared(package))


@pytest.mark.parametrize("package", ROOMS)
def test_a_package_imports_what_its_paragraph_allows(package: str) -> None:
    floor = floor_of(package)
    modules = [name for name in MODULES if package_of(name) == package]
    wrong = {(name, other) for name in modules for other in refused(name, allowed(package), shared(floor))}

    assert modules
    assert wrong == set()


@pytest.mark.parametrize("floor", FLOORS)
def test_what_everybody_may_import_imports_only_its_like(floor: str) -> None:
    """Nouns and tables at a floor's root: they know each other and what the floor's paragraph names."""
    may = listed(floor, "May import")
    wrong = {(name, other) for name in shared(floor) for other in refused(name, may, shared(floor))}

    assert shared(floor)
    assert wrong == set()


def test_no_two_packages_import_each_other_in_a_circle() -> None:
    edges = {
        package: {
            package_of(other)
            for name in MODULES
            if package_of(name) == package
            for other in imported(name)
            if package_of(other) in ROOMS and package_of(other) != package
        }
        for package in ROOMS
    }
    done: set[str] = set()

    def walk(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail[trail.index(name) :], name))
        if name not in done:
            for other in sorted(edges[name]):
                walk(other, (*trail, name))
            done.add(name)

    for package in ROOMS:
        walk(package, ())

    assert done == set(ROOMS)
