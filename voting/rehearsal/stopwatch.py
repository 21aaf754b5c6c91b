"""How a rehearsal tells the time, and measures what each stage took."""

import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

Clock = Callable[[], datetime]
Progress = Callable[[str, int, int], None]  # stage, how many are done, of how many (0: not known)


@dataclass(frozen=True, slots=True)
class Stage:
    """One part of the poll: how many of what went through it, and how long that took."""

    name: str
    number: int
    what: str
    seconds: float

    @property
    def per_second(self) -> float:
        """How many went through in a second."""
        return self.number / self.seconds if self.seconds > 0 else 0.0


class Counter:
    """Counts what is done in one stage and passes it on."""

    def __init__(self, name: str, number: int, progress: Progress | None) -> None:
        self._name, self._number, self._progress = name, number, progress
        self.done = 0

    def add(self) -> None:
        """One more is done."""
        self.reach(self.done + 1)

    def reach(self, done: int) -> None:
        """So many are done."""
        self.reach_of(done, self._number)

    def reach_of(self, done: int, of: int) -> None:
        """So many are done, of a number that is not the stage's own."""
        self.done = done
        if self._progress is not None:
            self._progress(self._name, done, of)

    def reach_part(self, _part: str, done: int, of: int) -> None:
        """So many are done in one part of the stage."""
        self.reach_of(done, of)


class Stopwatch:
    """Measures stages one after the other."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._began = time.perf_counter()
        self.stages: list[Stage] = []

    @contextmanager
    def stage(self, name: str, number: int, what: str) -> Iterator[Counter]:
        """Measure one stage, in which `number` of `what` are done."""
        counter = Counter(name, number, self._progress)
        counter.reach(0)
        began = time.perf_counter()
        yield counter
        self.stages.append(Stage(name, number, what, time.perf_counter() - began))

    @property
    def seconds(self) -> float:
        """How long all has taken so far."""
        return time.perf_counter() - self._began


def clock_from(now: datetime) -> Clock:
    """Give a clock that shows `now` and goes on as time does."""
    began = time.monotonic()
    return lambda: now + timedelta(seconds=time.monotonic() - began)


class Memory(NamedTuple):
    """The most memory so far, in bytes: of this process, and of the largest of the workers it had."""

    here: int
    worker: int


def peak_memory() -> Memory:
    """Measure; the unit is the system's: getrusage(2)."""
    unit = 1 if sys.platform == "darwin" else 1024
    return Memory(
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit,
        resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit,
    )
