"""Who waits for a slot: the lowest rank first, within a rank first come first served."""

import asyncio
import heapq
import itertools
import math

from messages.pace.spacing import Spacing


class Queue:
    """Releases callers one by one when `spacing` lets them; nobody after `valid_until`, a time of the event loop."""

    def __init__(self, spacing: Spacing) -> None:
        self._spacing = spacing
        self._waiting: list[tuple[int, int, int, asyncio.Future[None]]] = []
        self._turn = itertools.count()
        self._timer: asyncio.TimerHandle | None = None
        self._valid_until = math.inf

    def __len__(self) -> int:
        """Give how many callers wait."""
        return sum(not entry[-1].done() for entry in self._waiting)

    def take(self, cost: int) -> bool:
        """Take a slot that is free now, if nobody waits."""
        if self._waiting or self._ready_at(cost) > loop_time():
            return False
        self._spacing.take(cost, loop_time())
        return True

    async def wait(self, rank: int, cost: int) -> None:
        """Return when a slot for `cost` units was taken; the lowest rank goes first."""
        if self.take(cost):
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (rank, next(self._turn), cost, future))
        self.release()
        await future

    def open_until(self, valid_until: float) -> None:
        """Release nobody after this time of the event loop."""
        self._valid_until = valid_until
        self.release()

    def release(self) -> None:
        """Let go everyone whose time has come, and wake up again for the next."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            _, _, cost, future = self._waiting[0]
            if not future.done():
                ready_at = self._ready_at(cost)
                if ready_at > loop_time():
                    self._wake_at(ready_at)
                    return
                self._spacing.take(cost, loop_time())
                future.set_result(None)
            heapq.heappop(self._waiting)

    def _ready_at(self, cost: int) -> float:
        ready_at = self._spacing.ready_at(cost, loop_time())
        return ready_at if ready_at < self._valid_until and loop_time() < self._valid_until else math.inf

    def _wake_at(self, time: float) -> None:
        if math.isfinite(time):
            self._timer = asyncio.get_running_loop().call_at(time, self.release)


def loop_time() -> float:
    """Give the event loop's time."""
    return asyncio.get_running_loop().time()
