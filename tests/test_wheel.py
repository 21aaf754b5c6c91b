"""What is installed from the wheel is all that lies beside the code: templates, words, migrations, files of pages.

Whether setuptools agrees is seen by `.ci/try-wheel`, which builds the wheel and plays the story with it.
"""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
FLOORS = ("bot", "messages", "voting")
BESIDE = {
    "templates": "bot/console/templates/overview.html",
    "files of the console": "bot/console/static/console.css",
    "files of the phones": "bot/sandbox/static/phones.html",
    "texts": "messages/locale/cy/LC_MESSAGES/member.po",
    "words": "voting/codes/words.txt",
}


def kept() -> set[str]:
    """Name every file of the packages but what only makes vendored files again, in the tree as it is."""
    found = (path for floor in FLOORS for path in (ROOT / floor).rglob("*") if path.is_file())
    return {str(path.relative_to(ROOT)) for path in found if not {"__pycache__", "vendor"} & set(path.parts)}


def packed() -> set[str]:
    """Name what pyproject.toml has packed: modules of packages, and each package's data."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        data = tomllib.load(file)["tool"]["setuptools"]["package-data"]
    found = {
        path for floor in FLOORS for path in (ROOT / floor).rglob("*.py") if (path.parent / "__init__.py").exists()
    }
    for package, patterns in data.items():
        for pattern in patterns:
            found |= set((ROOT / package.replace(".", "/")).glob(pattern))
    return {str(path.relative_to(ROOT)) for path in found}


def test_every_file_beside_the_code_is_packed() -> None:
    assert set(BESIDE.values()) <= kept()
    assert kept() - packed() == set()
    handbook = {f"bot/console/docs/{path.relative_to(ROOT / 'docs')}" for path in (ROOT / "docs").rglob("*.*")}
    assert handbook <= packed()  # through a link to docs/


def test_every_package_with_a_migration_or_a_module_is_a_package_up_to_the_floor() -> None:
    """Setuptools finds packages by their __init__.py, from the floor down."""
    folders = {path.parent for floor in FLOORS for path in (ROOT / floor).rglob("*.py")}

    assert ROOT / "voting" / "migrations" / "versions" in folders
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []
