"""Run all benchmarks at reduced size, or those named, here or in PART, at full size: `PART="votes count" make bench`.

All together take less than a quarter of an hour on two cores that do nothing else. `ballots-full`, the count of
141,725 ballots, and `tenfold`, ten times a large roll, are run by their names only; they say first how long they take
and how much disk. BENCH_SHRINK=20 takes a twentieth of the full size instead, BENCH_SMALL=1 a tenth.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks import (
    ballots_bench,
    chat_bench,
    console_bench,
    cost_bench,
    count_bench,
    messages_bench,
    page_bench,
    tenfold_bench,
    voting_bench,
    workers_bench,
)


class Part(NamedTuple):
    """A benchmark, and how many times smaller it is when all are run; None: it is run by its name only."""

    run: Callable[[Path, int], Awaitable[None]]
    reduced: int | None


BENCHMARKS = {
    "ballots": Part(ballots_bench.ballots, 1),
    "votes": Part(voting_bench.votes, 4),
    "count": Part(count_bench.count, 1),
    "roll": Part(voting_bench.roll_import, 1),
    "chat": Part(chat_bench.chat, 2),
    "cost": Part(cost_bench.cost, 3),
    "page": Part(page_bench.page, 2),
    "messages": Part(messages_bench.messages, 2),
    "console": Part(console_bench.console, 5),
    "workers": Part(workers_bench.workers, 4),
    "ballots-full": Part(count_bench.full, None),
    "tenfold": Part(tenfold_bench.tenfold, None),
}


async def main(names: list[str]) -> None:
    """Run them one after the other, each in a folder of its own; say what each took."""
    began = time.perf_counter()
    for name in names or [name for name, part in BENCHMARKS.items() if part.reduced is not None]:
        part, at, used = BENCHMARKS[name], time.perf_counter(), processor_seconds()
        shrink = asked() or (1 if names else part.reduced) or 1
        with tempfile.TemporaryDirectory(prefix="ballotline-bench-") as folder:
            await part.run(Path(folder), shrink)
        seconds, used = time.perf_counter() - at, processor_seconds() - used
        size = f"full size / {shrink}" if shrink > 1 else "full size"
        load = os.getloadavg()[0]
        print(
            f"-- {name}: {size}, {seconds:.0f} s, {used:.0f} s of processor; the machine's load {load:.1f}", flush=True
        )
    print(f"-- in all {time.perf_counter() - began:.0f} s, {processor_seconds():.0f} s of processor")


def processor_seconds() -> float:
    """Give the processor's seconds of this process and of all that it started and that ended; not PostgreSQL's."""
    return sum(os.times()[:4])


def asked() -> int | None:
    """Give how many times smaller than full they shall be, if that was asked for."""
    small = 10 if os.environ.get("BENCH_SMALL") == "1" else 0
    return int(os.environ.get("BENCH_SHRINK", small)) or None


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:] or os.environ.get("PART", "").split()))
