"""What the page takes from others: the committed bundles are what their packages give, byte for byte."""

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import bot.page

HOME = Path(bot.page.__file__).parent
VENDOR, STATIC = HOME / "vendor", HOME / "static"
README = (VENDOR / "README.md").read_text(encoding="utf-8")
BUNDLES = ("ed25519.js", "qr.js")


@pytest.mark.parametrize("name", BUNDLES)
def test_the_committed_bundle_has_the_digest_that_is_written_beside_it(name: str) -> None:
    found = re.search(rf"`{re.escape(name)}` .*`([0-9a-f]{{64}})`", README)

    assert found
    assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == found[1]


def test_every_licence_is_served_with_the_page() -> None:
    licences = (STATIC / "licences.txt").read_text(encoding="utf-8")

    assert licences.count("Permission is hereby granted") == 2
    assert all(package in licences for package in ("@noble/curves 2.4.0", "@noble/hashes 2.4.0", "qr 0.7.0"))
    assert all(b"licences.txt" in (STATIC / name).read_bytes()[:120] for name in BUNDLES)


def test_the_bundles_are_what_their_packages_give(tmp_path: Path) -> None:
    """Made again by the command of the README; skipped where npm or its packages cannot be had."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm here, so the committed bundles are taken at their digest")
    here = shutil.copytree(VENDOR, tmp_path / "vendor")
    out = tmp_path / "out"
    installed = subprocess.run(
        [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=0"],
        cwd=here,
        capture_output=True,
        timeout=120,
        check=False,
        text=True,
    )
    if installed.returncode != 0:
        pytest.skip(f"npm cannot give the packages: {installed.stderr[-200:]}")
    command = ["env", f"OUT={out}", npm, "run", "build"]
    subprocess.run(command, cwd=here, capture_output=True, timeout=60, check=True)

    assert "npm ci --ignore-scripts && npm run build" in README
    assert {name: (out / name).read_bytes() == (STATIC / name).read_bytes() for name in BUNDLES} == dict.fromkeys(
        BUNDLES, True
    )
