"""BALLOTLINE_LOG_FORMAT=json: whatever `run` says on standard error is one JSON object a line."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from forked import Forked
from shell import ROOT, Shell
from town import free_port

POLL = (ROOT / "examples" / "poll.toml").read_text(encoding="utf-8")


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def objects(said: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said.splitlines()]


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("LISTEN", "nonsense", "BALLOTLINE_LISTEN"),
        ("SECRETS_FILE", "nowhere.secrets", "nowhere.secrets"),
        ("LOG_LEVEL", "LOUD", "BALLOTLINE_LOG_LEVEL"),
    ],
    ids=["a setting", "no secrets", "a level"],
)
def test_why_the_service_cannot_start_is_one_json_object(shell: Shell, name: str, value: str, why: str) -> None:
    shell.settings |= {"BALLOTLINE_LOG_FORMAT": "json", f"BALLOTLINE_{name}": value}

    (line,) = objects(shell("run", code=1))

    assert why in line["why"]
    assert (line["level"], line["event"]) == ("critical", "the service ends: it cannot run")
    assert line["timestamp"].endswith("Z")


def test_without_the_setting_it_is_a_sentence(shell: Shell) -> None:
    """Also where nobody looks on: the format is what was asked for, not what standard error is."""
    shell.settings["BALLOTLINE_LISTEN"] = "nonsense"

    said = shell("run", code=1)

    assert said.startswith("The setting BALLOTLINE_LISTEN is wrong")
    assert len(said.splitlines()) == 1


def test_a_format_that_is_none_is_refused_by_name(shell: Shell) -> None:
    shell.settings["BALLOTLINE_LOG_FORMAT"] = "xml"

    assert "BALLOTLINE_LOG_FORMAT" in shell("run", code=1)


@pytest.mark.parametrize("format_", ["json", "text"])
def test_the_service_says_in_that_format_that_it_runs(shell: Shell, format_: str) -> None:
    (shell.folder / "poll.toml").write_text(POLL, encoding="utf-8")
    shell("init", "poll.toml")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BALLOTLINE_")}
    told = {"BALLOTLINE_LOG_FORMAT": format_, "BALLOTLINE_LISTEN": f"127.0.0.1:{free_port()}", "PYTHONPATH": str(ROOT)}
    told |= {"BALLOTLINE_PUBLIC_URL": "https://vote.example.org"}

    ours, its = os.pipe()
    service = Forked("-m", "bot.cli", "run", cwd=shell.folder, env=kept | told, stderr=its)
    os.close(its)
    with os.fdopen(ours, encoding="utf-8") as said:
        first = said.readline()
        service.send_signal(signal.SIGTERM)
        rest = said.read()

    assert service.wait() == 0
    if format_ == "json":
        assert objects(first)[0]["event"] == "Ballotline is running"
        assert all("event" in line for line in objects(rest))
    else:
        assert first.startswith("Ballotline is running")
        assert " https://vote.example.org/console " in first
