"""Rules about the house: floors, cycles, one reader of the environment, and a README that tells everything."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from bot.cli import build
from bot.settings import Settings

ROOT = Path(__file__).parent.parent
FLOORS = ("voting", "messages", "bot")
LINES_MAX = 300  # of a module
METHODS_MAX = 15  # of a class, private ones counted
LONG_MODULES = {
    "bot/demo/story.py",  # one story, told from beginning to end
    "voting/schema.py",  # until the tables of sealed ballots go
}
LARGE_CLASSES = {
    "Story",
    # The local providers: one class is one provider, or one person's phone.
    "Person",
    "Telegram",
    "TelegramWorld",
    "Twilio",
    "TwilioWorld",
}
ABOVE = {"voting": {"messages", "bot"}, "messages": {"bot"}, "bot": set()}


def modules(floor: str) -> list[Path]:
    return [path for path in sorted((ROOT / floor).rglob("*.py")) if "migrations/versions" not in str(path)]


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("floor", FLOORS)
def test_imports_go_down_only(floor: str) -> None:
    upward = {
        (str(path.relative_to(ROOT)), name)
        for path in modules(floor)
        for name in imports(path)
        if name.split(".")[0] in ABOVE[floor]
    }

    assert upward == set()


def test_the_sandbox_imports_nothing_of_ours() -> None:
    found = list((ROOT / "bot" / "sandbox").rglob("*.py"))
    ours = {
        (path.name, name)
        for path in found
        for name in imports(path)
        if name.split(".")[0] in FLOORS and not name.startswith("bot.sandbox")
    }

    assert found
    assert ours == set()


def test_verify_takes_nothing_from_us_but_the_protocol() -> None:
    """Whatever checks the bundle stands alone: its own parts, and the protocol in voting.ballots, which is pure."""
    found = [path for room in ("verify", "ballots") for path in (ROOT / "voting" / room).rglob("*.py")]
    ours = {
        name
        for path in found
        for name in imports(path)
        if name.split(".")[0] in FLOORS and not name.startswith(("voting.verify", "voting.ballots"))
    }

    assert found
    assert ours == set()


def test_no_module_imports_itself_in_a_circle() -> None:
    names = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path for floor in FLOORS for path in modules(floor)
    }
    edges = {name: {other for other in imports(path) if other in names} for name, path in names.items()}
    done: set[str] = set()

    def walk(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail[trail.index(name) :], name))
        if name not in done:
            for other in sorted(edges[name]):
                walk(other, (*trail, name))
            done.add(name)

    for name in sorted(edges):
        walk(name, ())


def test_only_the_settings_read_the_environment() -> None:
    """But for the one variable that is not ours: where Prometheus' client library lets processes share numbers."""
    readers = {
        str(path.relative_to(ROOT))
        for floor in FLOORS
        for path in modules(floor)
        if re.search(r"os\.environ|os\.getenv", path.read_text(encoding="utf-8"))
    }

    assert readers == {"bot/edge/gauges.py"}


def test_no_escape_from_the_rules_of_import() -> None:
    hidden = [path.name for floor in FLOORS for path in modules(floor) if "TYPE_CHECKING" in path.read_text("utf-8")]

    assert hidden == []


@pytest.mark.parametrize("floor", FLOORS)
def test_no_module_is_too_long(floor: str) -> None:
    """All but the migrations, which are left as they were applied."""
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in modules(floor)
    }

    assert lengths
    assert {name: lines for name, lines in lengths.items() if lines > LINES_MAX and name not in LONG_MODULES} == {}


@pytest.mark.parametrize("floor", FLOORS)
def test_no_class_does_too_much(floor: str) -> None:
    found = [
        (
            f"{path.relative_to(ROOT)}: {node.name}",
            sum(isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) for part in node.body),
        )
        for path in modules(floor)
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ClassDef) and node.name not in LARGE_CLASSES
    ]

    assert found
    assert [(name, methods) for name, methods in found if methods > METHODS_MAX] == []


def test_every_setting_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    missing = [name for name in Settings.model_fields if f"BALLOTLINE_{name.upper()}" not in readme]

    assert missing == []


def test_every_command_is_in_the_readme_and_has_an_example() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    app = build()
    commands = [(command.name or command.callback.__name__, command) for command in app.registered_commands]  # type: ignore[union-attr]
    for group in app.registered_groups:
        commands += [
            (f"{group.name} {command.name}", command)
            for command in group.typer_instance.registered_commands  # type: ignore[union-attr]
        ]

    assert [name for name, _ in commands if f"`{name.split()[0]}" not in readme] == []
    assert [
        name for name, command in commands if "Example:" not in (command.help or command.callback.__doc__ or "")
    ] == []


def test_every_promise_names_tests_that_exist() -> None:
    design = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    promises = re.split(r"^\d+\. ", design.partition("## Promises")[2], flags=re.MULTILINE)[1:]
    tests = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8"))
    }
    named = [set(re.findall(r"`(test_\w+)`", promise)) for promise in promises]

    assert len(promises) == 16
    assert all(named)
    assert set().union(*named) - tests == set()


def test_the_table_of_rooms_is_the_tree() -> None:
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rooms = {
        f"{path.relative_to(ROOT)}/"
        for floor in FLOORS
        for path in [ROOT / floor, *(ROOT / floor).iterdir()]
        if (path / "__init__.py").exists() and path.name != "migrations"
    }
    table = contributing.partition("| room |")[2].partition("A request goes")[0]
    named = {
        name
        for row in table.splitlines()
        for name in re.findall(r"`((?:voting|messages|bot)/\w*/?)`", row.split(" | ")[0])
    }
    files = set(re.findall(r"`((?:voting|messages|bot)/[\w/]+\.py)`", contributing))

    assert named == rooms
    assert {name for name in files if not (ROOT / name).exists()} == set()


def test_every_log_is_called_log_and_says_what_happened_in_words() -> None:
    """Whoever reads a log reads sentences; what varies stands beside them in fields."""
    trees = [(path, tree_of(path)) for floor in FLOORS for path in modules(floor)]
    made = {
        ast.unparse(node).split("=")[0].strip()
        for _, tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign) and "get_logger()" in ast.unparse(node)
    }
    said = [
        (str(path.relative_to(ROOT)), event.value if isinstance(event, ast.Constant) else ast.unparse(event))
        for path, tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("log.")
        for event in node.args[:1]
    ]

    assert made == {"log"}
    assert said
    assert [event for event in said if " " not in str(event[1]) or "_" in str(event[1])] == []
