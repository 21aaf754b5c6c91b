"""`make audit`: everything shipped has a licence we take, and the bill of materials is what CycloneDX says one is."""

import hashlib
import re
import zipfile
from pathlib import Path

import pytest

from tests import supply
from tests.supply import Part

ROOT = Path(__file__).parent.parent
VENDOR = (ROOT / "bot" / "page" / "vendor" / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def parts() -> list[Part]:
    return supply.parts()


def test_everything_that_is_shipped_has_a_licence_that_we_take(parts: list[Part]) -> None:
    assert len(parts) > 50
    assert [(part.name, part.licence) for part in parts if not supply.is_taken(part.licence)] == []


@pytest.mark.parametrize(
    ("expression", "taken"),
    [
        ("MIT", True),
        ("MIT AND Zlib", True),
        ("GPL-3.0-only OR MIT", True),
        ("(GPL-3.0-only) OR (Apache-2.0 AND MIT)", True),
        ("MIT AND GPL-3.0-only", False),
        ("GPL-3.0-only", False),
        ("whatever", False),
        ("", False),
    ],
)
def test_a_licence_is_taken_when_one_choice_of_it_is_wholly(expression: str, taken: bool) -> None:
    assert supply.is_taken(expression) is taken


def test_what_is_installed_is_what_is_pinned(parts: list[Part]) -> None:
    """A dependency that nobody pinned would be another one tomorrow."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    pinned = {supply.normal(line.partition("==")[0]) for line in lines}

    assert {part.name for part in parts if not part.vendored} - pinned == set()
    assert lines == sorted(lines, key=str.lower)


def test_what_is_vendored_is_what_its_files_say() -> None:
    """Name, version and licence as in the vendor's README; and no script of others that is not in the list."""
    htmx = (ROOT / "bot/console/static/htmx.min.js").read_text(encoding="utf-8")
    said = dict(re.findall(r"`([@\w/]+)` (\d+\.\d+\.\d+)", VENDOR))

    assert said | {"htmx.org": re.findall(r'version:"([\d.]+)"', htmx)[0]} == {
        part.name: part.version for part in supply.VENDORED
    }
    for part in supply.VENDORED:
        assert all((ROOT / file).is_file() for file in part.vendored)
    minified = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "bot").rglob("*.js")
        if max(map(len, path.read_text(encoding="utf-8").splitlines())) > 500
    }
    assert minified == {file for part in supply.VENDORED for file in part.vendored}
    for file, digest in re.findall(r"^\| `(\w+\.js)` .* `([0-9a-f]{64})` \|$", VENDOR, re.MULTILINE):
        assert hashlib.sha256((ROOT / "bot/page/static" / file).read_bytes()).hexdigest() == digest


def test_the_bill_of_materials_is_cyclonedx_and_whole(parts: list[Part], tmp_path: Path) -> None:
    wheel = tmp_path / "ballotline-0-py3-none-any.whl"
    wheel.write_bytes(b"wheel")

    made = supply.bill(parts, wheel)

    refs = [part["bom-ref"] for part in made["components"]]
    root = made["metadata"]["component"]
    assert (made["bomFormat"], made["specVersion"], made["version"]) == ("CycloneDX", "1.5", 1)
    assert (root["name"], root["version"]) == ("ballotline", supply.ours()["version"])
    assert root["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(b"wheel").hexdigest()}]
    assert len(set(refs)) == len(refs) == len(parts)
    assert all(re.fullmatch(r"pkg:(pypi|npm)/[\w.%/-]+@[\w.]+", ref) for ref in refs)
    assert all(part["licenses"] == [{"expression": part["licenses"][0]["expression"]}] for part in made["components"])
    nodes = {node["ref"]: node["dependsOn"] for node in made["dependencies"]}
    assert set(nodes) == {root["bom-ref"], *refs}
    reached: set[str] = set()
    waiting = [root["bom-ref"]]
    while waiting:
        ref = waiting.pop()
        if ref not in reached:
            reached.add(ref)
            waiting += nodes[ref]
    assert set(refs) - reached <= {ref for ref in refs if ref.startswith("pkg:pypi/greenlet@")}


def test_a_version_that_could_not_be_asked_for_is_not_one_without_advisories() -> None:
    report = {
        "dependencies": [
            {"name": "one", "version": "1", "vulns": []},
            {"name": "two", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["2.1"]}]},
            {"name": "three", "skip_reason": "Dependency not found on PyPI and could not be audited: three (3)"},
        ]
    }

    assert supply.unasked(report) == ["three"]
    assert supply.advisories(report) == ["two 2: CVE-1, mended in 2.1"]


@pytest.mark.parametrize(
    ("pinned", "skipped", "known", "said"),
    [
        (9, 9, 0, "NOT ASKED: none of 9 pinned versions could be asked for, so nothing is known of advisories"),
        (9, 2, 1, "NOT ASKED: 2 of 9 pinned versions; for the others 1 advisories are known"),
        (9, 0, 0, "0 advisories are known for 9 pinned versions"),
    ],
)
def test_what_is_known_of_advisories_is_one_sentence(pinned: int, skipped: int, known: int, said: str) -> None:
    assert supply.said_of(pinned, skipped, known) == said


def test_without_pip_audit_s_report_it_says_that_nothing_is_known(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(supply.sys, "executable", "/bin/true")

    assert supply.main(["advisories"]) == 0

    assert supply.NOT_ASKED in capsys.readouterr().out


def test_a_wheel_that_lacks_a_committed_file_is_told_by_its_name(tmp_path: Path) -> None:
    wheel = tmp_path / "ballotline-0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as made:
        made.writestr("bot/app.py", "")
        made.writestr("bot/console/docs/handbook/README.md", "")

    packed = ["bot/app.py", "docs/handbook/README.md"]
    assert supply.lacking(wheel, packed) == []
    assert supply.lacking(wheel, [*packed, "bot/page/templates/page.html", "docs/dpia.md"]) == [
        "bot/console/docs/dpia.md",
        "bot/page/templates/page.html",
    ]


def test_what_is_lent_is_what_the_wheel_depends_on_and_no_tool_of_developers(tmp_path: Path) -> None:
    assert supply.main(["lend", str(tmp_path)]) == 0

    lent = {path.name for path in tmp_path.iterdir()}
    assert {"aiohttp", "sqlalchemy", "typing_extensions.py"} <= lent
    assert lent & {"pytest", "hypothesis", "playwright", "bot", "voting"} == set()
    assert (tmp_path / "aiohttp" / "__init__.py").is_file()
