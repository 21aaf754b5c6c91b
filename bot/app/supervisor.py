"""Several workers on one machine: one that ends is started again, and all end together.

The supervisor holds the listening socket and each worker serves on it. It decides nothing and keeps nothing: what
workers share is in the database. A worker ends by itself when the supervisor is gone, however that ended: the pipe
between them closes.
"""

import asyncio
import os
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Final

import structlog
from prometheus_client.multiprocess import mark_process_dead

from bot.app.place import Place
from bot.edge.gauges import shared_in

PAUSE_FIRST_SECONDS: Final = 0.2
PAUSE_MOST_SECONDS: Final = 15.0
WELL_AFTER_SECONDS: Final = 10.0  # whoever ran as long is started again after the first pause

log = structlog.get_logger()


class Supervisor:
    """Runs `count` workers on a socket; `command` begins one when the words of its place are added."""

    def __init__(self, count: int, listening: socket.socket, command: Sequence[str]) -> None:
        self._count, self._listening, self._command = count, listening, command
        self._stop = asyncio.Event()
        self._workers: dict[int, asyncio.subprocess.Process] = {}
        self._lifeline: tuple[int, int] | None = None
        self._metrics = ""

    async def run(self, stop: asyncio.Event, *, ready: asyncio.Event | None = None) -> int:
        """Run until `stop`; return 0, or the exit code of a first worker that never served: it has said why."""
        self._stop = stop
        async with self._set_up():
            first = await self._begin(1, 1)
            if not await self._serves(first):
                code = await first.process.wait()
                return 0 if stop.is_set() else code
            keeping = [asyncio.create_task(self._keep(1, first))]
            keeping += [asyncio.create_task(self._keep(number)) for number in range(2, self._count + 1)]
            if ready is not None:
                ready.set()
            await stop.wait()
            for worker in self._workers.values():
                if worker.returncode is None:
                    worker.terminate()
            await asyncio.gather(*keeping)
        return 0

    async def _keep(self, number: int, worker: "_Worker | None" = None) -> None:
        """Start one number again and again until all stop; wait longer each time that it does not last."""
        starts, pause = 1, PAUSE_FIRST_SECONDS
        while not self._stop.is_set():
            began = monotonic()
            try:
                worker = worker or await self._begin(number, starts)
            except OSError as problem:  # the machine has no room for it now
                log.error("a worker cannot be started yet", worker=number, why=str(problem), wait_seconds=pause)  # noqa: TRY400 - a sentence says it
            else:
                code = await worker.process.wait()
                os.close(worker.ready)
                self._forget(number)
                if self._stop.is_set():
                    return
                pause = pause_after(pause, monotonic() - began)
                log.error("a worker ended and is started again", worker=number, exit_code=code, wait_seconds=pause)
            await _until(self._stop, pause)
            starts, pause, worker = starts + 1, min(pause * 2, PAUSE_MOST_SECONDS), None

    async def _begin(self, number: int, starts: int) -> "_Worker":
        assert self._lifeline is not None
        ours, theirs = os.pipe()
        place = Place(number, starts, self._listening.fileno(), self._lifeline[0], theirs)
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                *place.words,
                pass_fds=(place.listening, place.lifeline, place.ready),
                env=shared_in(self._metrics),
                start_new_session=True,  # Ctrl-C reaches the supervisor alone, which ends them in order
            )
        except OSError:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        self._workers[number] = process
        if self._stop.is_set():
            process.terminate()
        return _Worker(process, ours)

    async def _serves(self, worker: "_Worker") -> bool:
        """Wait until a worker serves; False when it ended instead, as it is told to when all stop before that."""
        ending = asyncio.create_task(self._ends_with_all(worker))
        try:
            return await asyncio.to_thread(os.read, worker.ready, 1) == b"1"
        finally:
            ending.cancel()

    async def _ends_with_all(self, worker: "_Worker") -> None:
        await self._stop.wait()
        if worker.process.returncode is None:
            worker.process.terminate()

    def _forget(self, number: int) -> None:
        """Take a worker that has ended out of what /metrics adds up."""
        dead = self._workers.pop(number).pid
        mark_process_dead(dead, path=self._metrics)  # type: ignore[no-untyped-call]

    @asynccontextmanager
    async def _set_up(self) -> AsyncIterator[None]:
        with tempfile.TemporaryDirectory(prefix="ballotline-metrics-") as folder:
            self._metrics, self._lifeline = folder, os.pipe()
            try:
                yield
            finally:
                for end in self._lifeline:
                    os.close(end)


@dataclass(frozen=True, slots=True)
class _Worker:
    """A worker, and where it says that it serves."""

    process: asyncio.subprocess.Process
    ready: int


def pause_after(pause: float, lasted_seconds: float) -> float:
    """Give how long to wait before the next start of a worker that lasted so long; `pause`: if it did not last."""
    return PAUSE_FIRST_SECONDS if lasted_seconds >= WELL_AFTER_SECONDS else pause


async def _until(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


def command_of(module: str) -> list[str]:
    """Give the command that runs a module of ours with the same interpreter."""
    return [sys.executable, "-m", module]
