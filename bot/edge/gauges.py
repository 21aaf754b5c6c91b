"""Numbers for /metrics, the same for one process and for several workers that share them through files.

https://prometheus.github.io/client_python/multiprocess/
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, cast

from prometheus_client import REGISTRY, CollectorRegistry, Gauge, Metric, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

METRICS_DIRECTORY: Final = "PROMETHEUS_MULTIPROC_DIR"  # the client library's own name for where processes share numbers


def gauge(name: str, words: str, labels: Sequence[str] = ()) -> Gauge:
    """Make a gauge of something that all workers see alike: the one set last is shown."""
    return Gauge(name, words, labels, multiprocess_mode="livemostrecent")


def shared_in(folder: str) -> dict[str, str]:
    """Give the environment of a worker that shares its numbers through files in a folder."""
    return os.environ | {METRICS_DIRECTORY: folder}


def exposition() -> bytes:
    """Give all numbers in Prometheus' text format: this process's, or those of all workers together."""
    if METRICS_DIRECTORY not in os.environ:
        return generate_latest(REGISTRY)
    together = CollectorRegistry()
    together.register(_Begun(os.environ[METRICS_DIRECTORY]))
    return generate_latest(together)


class _Begun(Collector):
    """Adds up the files of all workers but those that a worker is just making: the library stumbles over these."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        """Give the sums."""
        begun = [str(path) for path in sorted(Path(self._folder).glob("*.db")) if _size(path) > 0]
        return cast("Iterable[Metric]", MultiProcessCollector.merge(begun))  # type: ignore[no-untyped-call]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # its worker has just ended
        return 0
