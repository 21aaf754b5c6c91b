"""What came out of a rehearsal, as facts."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voting.rehearsal.stopwatch import Memory, Stage
from voting.verify.report import Report


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What came out; `result` is as in the bundle's result.json, the bundle is in `bundle`."""

    stages: tuple[Stage, ...]
    result: dict[str, Any]
    report: Report
    bundle: Path
    attempts: int
    replays: int
    chain_entries: int
    memory: Memory
    seconds: float

    def facts(self) -> dict[str, Any]:
        """Give everything as one JSON object."""
        return {
            "result": self.result,
            "verified": self.report.ok,
            "attempts": self.attempts,
            "replays": self.replays,
            "chain_entries": self.chain_entries,
            "seconds": round(self.seconds, 2),
            "peak_memory_mib": round(self.memory.here / 2**20, 1),
            "peak_worker_memory_mib": round(self.memory.worker / 2**20, 1),
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
