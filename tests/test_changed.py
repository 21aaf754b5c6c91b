"""`make check` runs the tests of what changed: which those are."""

import subprocess
from pathlib import Path

import pytest

from tests.changed import SECONDS_MAX, Bell, asked_by, changed_files, chosen

HOUSE = {
    "tests/test_house.py": "",
    "tests/parts/prepared.py": "",
    "tests/voting/roll/test_importing.py": "from prepared import NOW",
    "tests/voting/test_schema.py": "import prepared",
    "tests/bot/test_settings.py": "from prepared_otherwise import NOW",
    "tests/test_console.py": "",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in HOUSE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        pytest.param("voting/roll/importing.py", {"tests/voting/roll"}, id="a module's package has a folder"),
        pytest.param("voting/schema.py", {"tests/voting/test_schema.py"}, id="a module at a floor's root"),
        pytest.param("bot/console/routes.py", {"tests/test_console.py"}, id="a package's one test file"),
        pytest.param("bot/console/templates/base.html", {"tests/test_console.py"}, id="a template"),
        pytest.param("tests/test_console.py", {"tests/test_console.py"}, id="a test file"),
        pytest.param("tests/test_gone.py", set(), id="a test file that was removed"),
        pytest.param(
            "tests/parts/prepared.py",
            {"tests/voting/roll/test_importing.py", "tests/voting/test_schema.py"},
            id="a part that tests share",
        ),
        pytest.param("tests/conftest.py", set(), id="what every test stands on"),
        pytest.param("README.md", set(), id="words"),
        pytest.param("messages/locale/cy/LC_MESSAGES/member.po", set(), id="nothing is named after it"),
    ],
)
def test_the_tests_of_a_changed_file(root: Path, changed: str, wanted: set[str]) -> None:
    assert {str(path.relative_to(root)) for path in asked_by(changed, root)} == wanted


def test_the_rules_of_the_house_are_always_asked_and_each_test_once(root: Path) -> None:
    files = ["voting/schema.py", "tests/voting/test_schema.py", "tests/test_house.py"]

    assert chosen(files, root) == ["tests/test_house.py", "tests/voting/test_schema.py"]
    assert chosen([], root) == ["tests/test_house.py"]


def test_the_minute_is_shared_so_that_nobody_s_tests_are_all_left_out(root: Path) -> None:
    bell = Bell(["tests/test_house.py", "tests/voting/roll", "tests/bot"], root)

    shares = {
        "tests/test_house.py": 1 / 3,
        "tests/voting/roll/test_importing.py": 2 / 3,
        "tests/bot/test_settings.py": 1,
        "tests/test_console.py": 1,
    }
    assert {name: bell.ends_after_seconds(root / name) / SECONDS_MAX for name in shares} == shares


def test_what_changed_is_what_differs_from_main_and_what_is_new(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        author = ["-c", "user.name=Gwen", "-c", "user.email=gwen@example.org"]
        subprocess.run(["git", *author, *words], cwd=tmp_path, check=True, capture_output=True)

    def write(name: str, text: str) -> None:
        (tmp_path / name).write_text(text)

    git("init", "-b", "main")
    for name in ("same", "committed", "edited"):
        write(name, "1")
    git("add", ".")
    git("commit", "-m", "one")
    git("switch", "-c", "branch")
    write("committed", "2")
    git("commit", "-a", "-m", "two")
    write("edited", "2")
    write("new", "1")

    assert changed_files(tmp_path) == ["committed", "edited", "new"]
