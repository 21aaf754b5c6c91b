"""The systemd units: what systemd itself says of them, and what both must hold."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from shell import ROOT

DEPLOY = ROOT / "deploy"
EXPOSURE_MAX = 1.5  # of 10, as `systemd-analyze security` counts: a network service cannot reach nought
UNITS = ("ballotline.service", "ballotline-backup.service")


@pytest.fixture
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("systemd-analyze is not on this machine: apt-get install systemd")
    return found


@pytest.mark.parametrize("name", [*UNITS, "ballotline-backup.timer"])
def test_systemd_understands_every_line(analyze: str, tmp_path: Path, name: str) -> None:
    """Where /opt/ballotline is not installed its program is said to be missing; another stands for it here."""
    for unit in (*UNITS, "ballotline-backup.timer"):
        content = (DEPLOY / unit).read_text(encoding="utf-8")
        (tmp_path / unit).write_text(re.sub(r"^ExecStart=.*", "ExecStart=/bin/true", content, flags=re.MULTILINE))

    done = subprocess.run(
        [analyze, "verify", str(tmp_path / name)], capture_output=True, text=True, check=False, timeout=60
    )

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", UNITS)
def test_systemd_finds_little_that_a_unit_may_do(analyze: str, name: str) -> None:
    words = [analyze, "security", "--offline=true", "--no-pager", str(DEPLOY / name)]

    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)

    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert float(found.group(1)) <= EXPOSURE_MAX


def test_the_service_writes_to_one_folder_and_comes_back() -> None:
    unit = (DEPLOY / "ballotline.service").read_text(encoding="utf-8")

    assert re.findall(r"^ReadWritePaths=(.*)", unit, re.MULTILINE) == ["/var/lib/ballotline"]
    assert "\nRestart=always\n" in unit
    assert "BALLOTLINE_LOG_FORMAT=json" in unit
    assert "ExecStart=/opt/ballotline/bin/ballotline run\n" in unit
