"""`ballotline verify` in a process of its own, as strangers run it: how long it takes, and how much memory."""

import re
import resource
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from tests.benchmarks.voting_bench import watch

MOMENT_SECONDS: Final = 0.2  # between two looks at the verifier's memory


class Verification(NamedTuple):
    """What `ballotline verify` took: seconds on the clock and of all cores, MiB of its processes at their peaks."""

    seconds: float
    processor: float
    memory: float


def verified(bundle: Path) -> Verification:
    """Verify in a process of its own, as strangers do."""
    peaks: dict[int, int] = {}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with watch() as watched:
        words = [sys.executable, "-m", "bot.cli", "verify", str(bundle)]
        child = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        while not ended(child):
            peaks |= peaks_of(child.pid)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert child.returncode == 0, "the bundle does not verify"
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Verification(watched.seconds, processor, sum(peaks.values()) / 2**10)


def ended(child: "subprocess.Popen[bytes]") -> bool:
    """Wait a moment for a process to end."""
    with suppress(subprocess.TimeoutExpired):
        child.wait(timeout=MOMENT_SECONDS)
    return child.returncode is not None


def peaks_of(process: int) -> dict[int, int]:
    """Give how much memory a process and its children have had at most, in KiB, as Linux tells; nothing elsewhere."""
    peaks = {}
    with suppress(OSError):
        threads = Path(f"/proc/{process}/task").glob("*/children")  # each thread's own
        children = [int(one) for thread in threads for one in thread.read_text(encoding="ascii").split()]
        for one in (process, *children):
            status = Path(f"/proc/{one}/status").read_text(encoding="utf-8")
            peaks[one] = max(map(int, re.findall(r"VmHWM:\s*(\d+) kB", status)), default=0)
    return peaks
