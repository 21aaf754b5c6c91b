"""The command line as a process, in a folder of its own."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import forked

ROOT = Path(__file__).parents[2]


class Shell:
    """Runs `ballotline` in a folder of its own, with no setting but those given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings: dict[str, str] = {}

    def __call__(self, *words: str, code: int = 0) -> str:
        done = self.run(*words)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        if code:
            assert len(done.stderr.strip().splitlines()) >= 1
        return done.stdout if code == 0 else done.stderr

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run it as a process."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BALLOTLINE_")}
        return forked.run(
            *("-m", "bot.cli", *words),
            cwd=self.folder,
            env=kept | self.settings | {"PYTHONPATH": str(ROOT), "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"},
        )

    def json(self, *words: str) -> Any:
        """Run it with --json."""
        return json.loads(self(*words, "--json"))
