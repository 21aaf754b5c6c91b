"""What came out of a rehearsal, as facts."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voting.rehearsal.stopwatch import Stage
from voting.verify.verify import Report


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What came out; `result` is as in the bundle's result.json, the bundle is in `bundle`."""

    stages: tuple[Stage, ...]
    result: dict[str, Any]
    verdict: Report
    bundle: Path
    attempts: int
    replays: int
    chain_entries: int
    peak_memory_bytes: int
    seconds: float

    def facts(self) -> dict[str, Any]:
        """Give everything as one JSON object."""
        return {
            "result": self.result,
            "verified": self.verdict.ok,
            "attempts": self.attempts,
            "replays": self.replays,
            "chain_entries": self.chain_entries,
            "seconds": round(self.seconds, 2),
            "peak_memory_mib": round(self.peak_memory_bytes / 2**20, 1),
            "stages": [
                {
                    "stage": stage.name,
                    "number": stage.number,
                    "what": stage.what,
                    "seconds": round(stage.seconds, 2),
                    "per_second": round(stage.per_second),
                }
                for stage in self.stages
            ],
        }
