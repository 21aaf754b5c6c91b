"""What a step took: seconds on the clock, of the processor, ours and PostgreSQL's, and memory; a row printed at once.

A machine that does other things too makes the clock say less than it should; the processor's time says the same on
a busy machine. Ours is that of this process and of all it starts; the server's that of all its processes.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Final

import psutil

from tests.benchmarks.own_postgres import OwnServer

HEADS: Final = ("seconds", "ratio", "ours", "ratio", "server's", "ratio", "MiB")
WIDTH: Final = 44  # of a step's name, or a page's address
TICK_SECONDS: Final = 0.01  # the processor's time is counted in these
LONG_SECONDS: Final = 1.0  # a step that takes less is not judged: other things decide about it


@dataclass
class Spent:
    """What a step took."""

    seconds: float = 0.0
    processor: float = 0.0
    server: float = 0.0
    memory: float = 0.0  # MiB of this process at its peak, 0 where it cannot be told

    @property
    def all_processor(self) -> float:
        """Give the processor's seconds, ours and the server's."""
        return self.processor + self.server


@dataclass
class Ledger:
    """Every step's cost at one size, each printed when it is done, beside the same step at the size before."""

    server: OwnServer
    members: int
    before: "Ledger | None" = None
    steps: dict[str, Spent] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[Spent]:
        """Measure a step and print its row."""
        with self.measured() as spent:
            yield spent
        self.steps[name] = spent
        print(row(name, self.members, spent, self.before.steps.get(name) if self.before else None), flush=True)

    @contextmanager
    def measured(self) -> Iterator[Spent]:
        """Measure something."""
        spent = Spent()
        forget_peak()
        ours, theirs, began = self._ours(), used_by(self.server.processes()), perf_counter()
        yield spent
        spent.seconds = perf_counter() - began
        spent.processor, spent.server = self._ours() - ours, used_by(self.server.processes()) - theirs
        spent.memory = peak_mib()

    def over(self, most: float) -> tuple[list[str], list[str]]:
        """Give the long steps that took more than so many times as long as before: by the clock, by the processor."""
        pairs = [(name, spent, self.before.steps[name]) for name, spent in self.steps.items()] if self.before else []
        pairs = [(name, now, then) for name, now, then in pairs if now.seconds > LONG_SECONDS]
        late = [name for name, now, then in pairs if now.seconds > most * then.seconds]
        return late, [name for name, now, then in pairs if now.all_processor > most * then.all_processor]

    def _ours(self) -> float:
        theirs = {process.pid for process in self.server.processes()}
        everybody = (psutil.Process(), *psutil.Process().children(recursive=True))
        return used_by([one for one in everybody if one.pid not in theirs])


def used_by(processes: Iterable[psutil.Process]) -> float:
    """Give the processor seconds of processes and of those that they have waited for."""
    seconds = 0.0
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            seconds += times.user + times.system + times.children_user + times.children_system
    return seconds


def heads() -> str:
    """Name the columns."""
    return f"{'':{WIDTH}} {'members':>10}" + "".join(f" {head:>{9 if head != 'ratio' else 6}}" for head in HEADS)


def row(name: str, members: int, spent: Spent, before: Spent | None) -> str:
    """Write a step's row."""
    pairs = (
        (spent.seconds, before.seconds if before else 0.0),
        (spent.processor, before.processor if before else 0.0),
        (spent.server, before.server if before else 0.0),
    )
    columns = "".join(f" {now:9.2f} {_ratio(now, then):>6}" for now, then in pairs)
    return f"{name:{WIDTH}} {members:10,}{columns} {spent.memory:9,.0f}"


def _ratio(now: float, then: float) -> str:
    return f"{now / then:.1f}" if then > TICK_SECONDS else ""


def forget_peak() -> None:
    """Let the process's peak of memory begin again here, where Linux can."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_mib() -> float:
    """Give the most memory that the process had since then, in MiB; 0 where it cannot be told."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 2**10
    return 0.0
