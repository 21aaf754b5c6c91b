"""Processes of ours that cost no new start of Python: forked from one that has imported the whole house already.

`Forked("-m", "bot.cli", "poll", "status", ...)` is the process that `python -m bot.cli poll status` would be: it has
its own folder, settings, streams, process id and exit code, and can be ended with kill -9. That what is imported is
little and quick is another test's subject (`tests/bot/commands/test_help.py`). Each worker of the tests has one such
parent, begun when first asked for; this file is its program, too.
"""

import asyncio
import atexit
import fcntl
import gc
import importlib
import io
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FLOORS = ("voting", "messages", "bot")
PROGRAMS = ("bot.cli", "bot.worker")
REQUEST_BYTES_MAX = 200_000


class Forked:
    """A process: `words` are what would come after `python`; the streams are file descriptors, by default nothing."""

    def __init__(
        self,
        *words: str,
        cwd: Path,
        env: Mapping[str, str],
        stdin: int | None = None,
        stdout: int | None = None,
        stderr: int | None = None,
        own_terminal: bool = False,
    ) -> None:
        nothing = os.open(os.devnull, os.O_RDWR)
        self._news, told = os.pipe()
        streams = [nothing if stream is None else stream for stream in (stdin, stdout, stderr)]
        asked = {"words": words, "cwd": str(cwd), "env": dict(env), "own_terminal": own_terminal}
        socket.send_fds(_parent(), [json.dumps(asked).encode()], [*streams, told])
        os.close(told)
        os.close(nothing)
        self.pid = self._read(None)
        self.returncode: int | None = None
        assert self.pid, "the parent of all processes is gone"

    def poll(self) -> int | None:
        """Give the exit code if it has ended."""
        return self._ended(0.0)

    def wait(self, timeout_seconds: float = 120.0) -> int:
        """Wait for its end; the exit code, or minus the signal."""
        code = self._ended(timeout_seconds)
        if code is None:
            self.kill()
            raise subprocess.TimeoutExpired(str(self.pid), timeout_seconds)
        return code

    def send_signal(self, number: int) -> None:
        """Send it a signal; nothing if it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it with kill -9."""
        self.send_signal(signal.SIGKILL)

    def _ended(self, timeout_seconds: float) -> int | None:
        if self.returncode is None:
            self.returncode = self._read(timeout_seconds)
            if self.returncode is not None:
                os.close(self._news)
        return self.returncode

    def _read(self, timeout_seconds: float | None) -> int | None:
        """Read the next number of its keeper, if it comes in time."""
        if not select.select([self._news], [], [], timeout_seconds)[0]:
            return None
        return int(os.read(self._news, 32).decode().split()[0])


def run(
    *words: str, cwd: Path, env: Mapping[str, str], stdin: int | None = None, timeout_seconds: float = 120.0
) -> "subprocess.CompletedProcess[str]":
    """Run a process to its end, as `subprocess.run` does."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = Forked(*words, cwd=cwd, env=env, stdin=stdin, stdout=out.fileno(), stderr=err.fileno())
        code = child.wait(timeout_seconds)
        for file in (out, err):
            file.seek(0)
        return subprocess.CompletedProcess(words, code, out.read().decode(), err.read().decode())


async def reader_of(pipe: int) -> asyncio.StreamReader:
    """Read what comes through a pipe, to its end; the pipe is then closed."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(pipe, "rb")
    )
    return reader


@dataclass(frozen=True)
class Talking:
    """A process that is spoken with: `says` is what it writes on stdout."""

    process: Forked
    says: asyncio.StreamReader
    typed: int

    def types(self, line: str) -> None:
        """Write a line to its stdin."""
        os.write(self.typed, f"{line}\n".encode())


@asynccontextmanager
async def talking(*words: str, cwd: Path, env: Mapping[str, str]) -> AsyncIterator[Talking]:
    """Start a process and speak with it; kill it with -9 when the block ends before it does."""
    (hears, typed), (said, says) = os.pipe(), os.pipe()
    process = Forked(*words, cwd=cwd, env=env, stdin=hears, stdout=says)
    os.close(hears)
    os.close(says)
    talk = Talking(process, await reader_of(said), typed)
    try:
        yield talk
    finally:
        os.close(typed)
        process.kill()
        await talk.says.read()
        await asyncio.to_thread(process.wait)


@cache
def _parent() -> socket.socket:
    """Begin the parent of all, once in this process."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    parent = subprocess.Popen(
        [sys.executable, __file__, str(its.fileno())],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        pass_fds=[its.fileno()],
    )
    its.close()

    def end() -> None:
        ours.close()
        parent.wait()

    atexit.register(end)
    return ours


# -- the parent's own program ------------------------------------------------------------


def import_house() -> None:
    """Import what commands import when they run. What is run itself is not, and a migration is loaded by its path."""
    for floor in FLOORS:
        package = importlib.import_module(floor)
        for module in pkgutil.walk_packages(package.__path__, f"{floor}."):
            if module.name not in PROGRAMS and not module.name.startswith("voting.migrations"):
                importlib.import_module(module.name)
    gc.collect()
    gc.freeze()


def serve(requests: socket.socket) -> list[str]:
    """Fork for each request; only what is forked comes back, with the words that it is to run."""
    keepers: set[int] = set()
    while True:
        data, streams, *_ = socket.recv_fds(requests, REQUEST_BYTES_MAX, 4)
        if not data:
            os._exit(0)
        keepers -= {keeper for keeper in keepers if os.waitpid(keeper, os.WNOHANG)[0]}
        keeper = os.fork()
        if not keeper:
            requests.close()
            return _kept(json.loads(data), streams)
        keepers.add(keeper)
        for stream in streams:
            os.close(stream)


def _kept(asked: dict[str, Any], streams: list[int]) -> list[str]:
    """Fork once more: the keeper waits and tells of the end; what comes back is the process that was asked for."""
    told = streams.pop()
    child = os.fork()
    if not child:
        os.close(told)
        _become(asked, streams)
        return list(asked["words"])
    for stream in streams:
        os.close(stream)
    os.write(told, f"{child}\n".encode().ljust(32))
    _, status = os.waitpid(child, 0)
    os.write(told, f"{os.waitstatus_to_exitcode(status)}\n".encode().ljust(32))
    os._exit(0)


def _become(asked: dict[str, Any], streams: list[int]) -> None:
    """Take the folder, the settings and the streams of a process of its own."""
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    time.tzset()
    for place, stream in enumerate(streams):
        os.dup2(stream, place)
        os.close(stream)
    if asked["own_terminal"]:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    sys.stdin = sys.__stdin__ = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), encoding="utf-8")
    sys.stdout = sys.__stdout__ = _writer(1, "strict", line_buffering=os.isatty(1))
    sys.stderr = sys.__stderr__ = _writer(2, "backslashreplace", line_buffering=True)


def _writer(stream: int, errors: str, *, line_buffering: bool) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.BufferedWriter(io.FileIO(stream, "w", closefd=False)),
        encoding="utf-8",
        errors=errors,
        line_buffering=line_buffering,
    )


def main() -> None:
    """Serve; and what is forked ends as any Python does."""
    requests = socket.socket(fileno=int(sys.argv[1]))
    import_house()
    words = serve(requests)
    sys.path[0] = str(Path.cwd())
    if words[0] == "-m":
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = str(Path(words[0]).parent)
        sys.argv = words
        runpy.run_path(words[0], run_name="__main__")


if __name__ == "__main__":
    main()
