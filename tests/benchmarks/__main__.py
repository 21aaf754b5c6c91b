"""Run all benchmarks, or those named, here or in PART: `PART="votes count" make bench`. BENCH_SMALL=1: a quick look.

`ballots-full`, the count of 141,725 ballots, and `tenfold`, ten times a large roll, are run by their names only, each
alone; they say first how long they take and how much disk.
"""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

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

BENCHMARKS = {
    "ballots": ballots_bench.ballots,
    "votes": voting_bench.votes,
    "count": count_bench.count,
    "roll": voting_bench.roll_import,
    "chat": chat_bench.chat,
    "cost": cost_bench.cost,
    "page": page_bench.page,
    "messages": messages_bench.messages,
    "console": console_bench.console,
    "workers": workers_bench.workers,
    "ballots-full": count_bench.full,
    "tenfold": tenfold_bench.tenfold,
}
BY_NAME_ONLY = {"ballots-full", "tenfold"}


async def main(names: list[str]) -> None:
    """Run them one after the other, each in a folder of its own."""
    shrink = 10 if os.environ.get("BENCH_SMALL") == "1" else 1
    for name in names or [name for name in BENCHMARKS if name not in BY_NAME_ONLY]:
        with tempfile.TemporaryDirectory(prefix="ballotline-bench-") as folder:
            await BENCHMARKS[name](Path(folder), shrink)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:] or os.environ.get("PART", "").split()))
