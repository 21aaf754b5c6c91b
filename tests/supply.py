"""What is shipped and what it stands on: `make audit`, and with it the bill of materials written beside the wheel.

    python -m tests.supply licences            whose code is shipped or installed with it, each under a licence we take
    python -m tests.supply sbom WHEEL          WHEEL.cdx.json, CycloneDX 1.5 (https://cyclonedx.org/docs/1.5/json/)
    python -m tests.supply advisories          pip-audit over the pinned list; what it could not ask for is said
    python -m tests.supply whole WHEEL         whether every file of the packages that is committed is in WHEEL
    python -m tests.supply lend FOLDER         link what is installed with the wheel, and no more, into FOLDER

Exit 1: a licence that is not known or not taken, an advisory, or a file that is not packed. Not asked is not the same
as none found: it is said.
"""

import hashlib
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement

ROOT: Final = Path(__file__).parent.parent
NOT_ASKED: Final = "NOT ASKED"
HANDBOOK: Final = "bot/console/docs/"  # a link to docs/ in the repository

# Those with which an Apache-2.0 program may be passed on. LGPL and MPL: used as they are, and replaceable.
TAKEN: Final = frozenset(
    [
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC0-1.0",
        "ISC",
        "LGPL-3.0-only",
        "MIT",
        "MIT-0",
        "MIT-CMU",
        "MPL-2.0",
        "PSF-2.0",
        "Unlicense",
        "Zlib",
    ]
)
# What older metadata says instead of an SPDX expression.
CLASSIFIERS: Final = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
# Says nothing in its metadata: https://github.com/woodruffw/pyrage/blob/main/LICENSE
SAID_ELSEWHERE: Final = {"pyrage": "MIT"}


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """One thing of others that is shipped with the wheel or installed with it."""

    name: str
    version: str
    licence: str  # an SPDX expression; empty: unknown
    needs: tuple[str, ...] = ()
    vendored: tuple[str, ...] = ()  # files of it in the wheel

    @property
    def purl(self) -> str:
        """Its package URL; https://github.com/package-url/purl-spec."""
        kind = "npm" if self.vendored else "pypi"
        return f"pkg:{kind}/{self.name.replace('@', '%40')}@{self.version}"


# Bundled from npm (bot/page/vendor/README.md) and htmx; a test compares names and versions with what the files say.
VENDORED: Final = (
    Part("@noble/curves", "2.4.0", "MIT", vendored=("bot/page/static/ed25519.js",)),
    Part("@noble/hashes", "2.4.0", "MIT", vendored=("bot/page/static/ed25519.js",)),
    Part("htmx.org", "2.0.11", "0BSD", vendored=("bot/console/static/htmx.min.js",)),
    Part("qr", "0.7.0", "MIT OR Apache-2.0", vendored=("bot/page/static/qr.js",)),
)


def ours() -> dict[str, Any]:
    """Read what pyproject.toml says of this project."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return dict(tomllib.load(file)["project"])


def normal(name: str) -> str:
    """Give a distribution's name as indexes write it; PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def needed(requirements: Iterable[str]) -> list[str]:
    """Name what of these is installed here without any extra but those asked for."""
    read = [Requirement(requirement) for requirement in requirements]
    return sorted({normal(one.name) for one in read if one.marker is None or one.marker.evaluate({"extra": ""})})


def installed() -> list[Part]:
    """Give everything that comes with `pip install ballotline-*.whl`. PackageNotFoundError."""
    found: dict[str, Part] = {}
    waiting = [*needed(ours()["dependencies"]), "greenlet"]  # sqlalchemy[asyncio]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        metadata = distribution(name)
        needs = needed(metadata.requires or [])
        found[name] = Part(name, metadata.version, licence_of(name), tuple(needs))
        waiting += needs
    return sorted(found.values())


def licence_of(name: str) -> str:
    """Give a distribution's licence as an SPDX expression, empty if its metadata does not say one we know."""
    metadata = distribution(name).metadata
    said = metadata.get("License-Expression") or ""
    classifiers = [one.rpartition(" :: ")[2] for one in metadata.get_all("Classifier") or [] if one.startswith("Lic")]
    known = [CLASSIFIERS[one] for one in classifiers if one in CLASSIFIERS]
    field = (metadata.get("License") or "").strip()
    if said:
        return str(said)
    if field in TAKEN:
        return field
    return " OR ".join(sorted(known)) or SAID_ELSEWHERE.get(name, "")


def is_taken(expression: str) -> bool:
    """Tell whether every licence that must be kept is one we take; of alternatives one is enough."""
    choices = re.sub(r"[()]", "", expression).split(" OR ")
    return bool(expression) and any(set(choice.split(" AND ")) <= TAKEN for choice in choices)


def parts() -> list[Part]:
    """Give everything of others, vendored and installed."""
    return [*VENDORED, *installed()]


def bill(found: Iterable[Part], wheel: Path) -> dict[str, Any]:
    """Give the bill of materials of a wheel, as CycloneDX 1.5."""
    project, listed = ours(), sorted(found)
    refs = {part.name: part.purl for part in listed}
    root = f"pkg:pypi/{project['name']}@{project['version']}"
    direct = [*needed(project["dependencies"]), *(part.name for part in VENDORED)]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": project["name"],
                "version": project["version"],
                "purl": root,
                "licenses": [{"expression": project["license"]}],
                "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(wheel.read_bytes()).hexdigest()}],
            }
        },
        "components": [_component(part) for part in listed],
        "dependencies": [
            {"ref": root, "dependsOn": sorted(refs[name] for name in direct)},
            *({"ref": part.purl, "dependsOn": sorted(refs[name] for name in part.needs)} for part in listed),
        ],
    }


def _component(part: Part) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": "library",
        "bom-ref": part.purl,
        "name": part.name,
        "version": part.version,
        "purl": part.purl,
        "licenses": [{"expression": part.licence}],
    }
    if part.vendored:
        made["evidence"] = {"occurrences": [{"location": file} for file in part.vendored]}
    return made


def unasked(report: dict[str, Any]) -> list[str]:
    """Name what pip-audit's report says it could not ask for."""
    return sorted(found["name"] for found in report["dependencies"] if "skip_reason" in found)


def advisories(report: dict[str, Any]) -> list[str]:
    """Give every advisory of pip-audit's report, in a line."""
    return [
        f"{found['name']} {found['version']}: {known['id']}, mended in {', '.join(known['fix_versions']) or 'nothing'}"
        for found in report["dependencies"]
        for known in found.get("vulns", [])
    ]


def say_licences() -> int:
    """Print each part with its licence; 1 if one is unknown or not taken."""
    found = parts()
    for part in found:
        print(f"{'ok ' if is_taken(part.licence) else 'NO '} {part.name} {part.version}: {part.licence or 'unknown'}")
    return int(not all(is_taken(part.licence) for part in found))


def write_bill(wheel: Path) -> int:
    """Write the bill beside the wheel."""
    file = wheel.with_name(wheel.name + ".cdx.json")
    file.write_text(json.dumps(bill(parts(), wheel), indent=1) + "\n", encoding="utf-8")
    print(f"{file.name}: {len(parts())} parts")
    return 0


def say_advisories() -> int:
    """Ask pip-audit for every pinned version; say what it knows, and what could not be asked."""
    words = ["-r", str(ROOT / "constraints.txt"), "--no-deps", "--disable-pip", "-f", "json", "--progress-spinner=off"]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pip_audit", *words], capture_output=True, text=True, check=False, timeout=600
        )
        report = json.loads(done.stdout)
    except (json.JSONDecodeError, subprocess.TimeoutExpired):
        print(f"{NOT_ASKED}: pip-audit is not installed or gave no report, so nothing is known of advisories")
        return 0
    known = advisories(report)
    print(*known, said_of(len(report["dependencies"]), len(unasked(report)), len(known)), sep="\n")
    return int(bool(known))


def said_of(pinned: int, skipped: int, known: int) -> str:
    """Put into one sentence what is known of advisories, and for how many versions."""
    if skipped == pinned:
        return f"{NOT_ASKED}: none of {pinned} pinned versions could be asked for, so nothing is known of advisories"
    if skipped:
        return f"{NOT_ASKED}: {skipped} of {pinned} pinned versions; for the others {known} advisories are known"
    return f"{known} advisories are known for {pinned} pinned versions"


def lacking(wheel: Path, committed: Iterable[str]) -> list[str]:
    """Name what a wheel lacks of files of the repository: those of packages, and the console's handbook in docs/."""
    packed = set(zipfile.ZipFile(wheel).namelist())
    made_from = {HANDBOOK + name.removeprefix("docs/") if name.startswith("docs/") else name for name in committed}
    return sorted(made_from - packed)


def say_whole(wheel: Path) -> int:
    """Print what the wheel lacks; 1 if it lacks anything."""
    listed = ["git", "ls-files", "bot", "messages", "voting", "docs", ":!bot/page/vendor", f":!{HANDBOOK.rstrip('/')}"]
    committed = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    found = lacking(wheel, committed)
    if found:
        print(f"{wheel.name} lacks {', '.join(found)}")
    return int(bool(found))


def lend(folder: Path) -> int:
    """Link every dependency's files into another environment's folder: installed at once, as it is here."""
    for part in installed():
        here = distribution(part.name)
        for name in {file.parts[0] for file in here.files or () if ".." not in file.parts} - {"__pycache__"}:
            (folder / name).symlink_to(Path(str(here.locate_file(name))))
    return 0


def main(words: list[str]) -> int:
    """Run one of the five."""
    match words:
        case ["licences"]:
            return say_licences()
        case ["sbom", wheel]:
            return write_bill(Path(wheel))
        case ["advisories"]:
            return say_advisories()
        case ["whole", wheel]:
            return say_whole(Path(wheel))
        case ["lend", folder]:
            return lend(Path(folder))
    print(__doc__)
    return 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except PackageNotFoundError as missing:
        sys.exit(f"{missing.name} is not installed: make lint installs what is needed")
