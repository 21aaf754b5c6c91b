"""Run all benchmarks, or those named: `python -m tests.benchmarks votes count roll`. BENCH_SMALL=1: a quick look."""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from tests.benchmarks import chat_bench, console_bench, messages_bench, voting_bench

BENCHMARKS = {
    "votes": voting_bench.votes,
    "count": voting_bench.count_and_verify,
    "roll": voting_bench.roll_import,
    "chat": chat_bench.chat,
    "messages": messages_bench.messages,
    "console": console_bench.console,
}


async def main(names: list[str]) -> None:
    """Run them one after the other, each in a folder of its own."""
    shrink = 10 if os.environ.get("BENCH_SMALL") == "1" else 1
    for name in names or BENCHMARKS:
        with tempfile.TemporaryDirectory(prefix="ballotline-bench-") as folder:
            await BENCHMARKS[name](Path(folder), shrink)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
