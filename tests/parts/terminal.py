"""The command line in a terminal of its own: somebody reads the screen and types."""

import asyncio
import os
import pty
import select
from pathlib import Path
from time import monotonic

from forked import Forked
from shell import ROOT

PATIENCE_SECONDS = 60.0


class Terminal:
    """One run of `ballotline`; `screen` is everything that was shown."""

    def __init__(self, folder: Path, *words: str, settings: dict[str, str] | None = None) -> None:
        self.screen = ""
        self._read_to = 0
        self._master, slave = pty.openpty()
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BALLOTLINE_")}
        told = {"PYTHONPATH": str(ROOT), "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"} | (settings or {})
        self._child = Forked(
            *("-m", "bot.cli", *words),
            cwd=folder,
            env=kept | told,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            own_terminal=True,  # what is typed unseen is read from /dev/tty
        )
        os.close(slave)

    async def shows(self, words: str) -> None:
        """Wait until the screen shows this, after what was seen before."""
        until = monotonic() + PATIENCE_SECONDS
        while (found := self.screen.find(words, self._read_to)) < 0:
            assert monotonic() < until, self.screen
            assert await asyncio.to_thread(self._read), f"it ended without {words!r}: {self.screen}"
        self._read_to = found + len(words)

    async def answers(self, question: str, line: str = "") -> None:
        """Type a line once the question is there to its end: what is typed earlier is thrown away with the echo."""
        await self.shows(question)
        until = monotonic() + PATIENCE_SECONDS
        while not self.screen.endswith(": "):
            assert monotonic() < until, self.screen
            assert await asyncio.to_thread(self._read), f"it ended at {question!r}: {self.screen}"
        os.write(self._master, line.encode() + b"\n")

    async def ends(self) -> int:
        """Read to the end; give the exit code."""
        while await asyncio.to_thread(self._read):
            pass
        return await asyncio.to_thread(self._child.wait, PATIENCE_SECONDS)

    def close(self) -> None:
        """End it, however far it came."""
        if self._child.poll() is None:
            self._child.kill()
            self._child.wait()
        os.close(self._master)

    def _read(self) -> bool:
        if not select.select([self._master], [], [], 1.0)[0]:
            return True
        try:
            part = os.read(self._master, 65536)
        except OSError:  # Linux says so when the last who could write is gone
            return False
        self.screen += part.decode(errors="replace").replace("\r", "")
        return bool(part)
