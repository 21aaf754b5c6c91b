"""Owns the sandbox's background tasks, so that none outlives it and no failure is lost."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Chores:
    """A set of running tasks with one end."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._failures: list[Exception] = []

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run `work` in the background until it ends or the sandbox does."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    async def close(self) -> None:
        """Cancel what still runs; raise an ExceptionGroup of what went wrong since the start."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        failures, self._failures = self._failures, []
        if failures:
            raise ExceptionGroup("the sandbox's own work failed", failures)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            self._failures.append(error)
