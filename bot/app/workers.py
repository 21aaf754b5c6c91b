"""What /metrics says of each worker; the client library adds up what they share through files."""

import os
from datetime import timedelta
from time import process_time
from typing import Final

from prometheus_client import Gauge

from bot.app.chores import Chore
from bot.app.place import Place

EVERY: Final = timedelta(seconds=5)
PROCESS: Final = Gauge(
    "ballotline_worker_process", "The process number of each worker.", ["worker"], multiprocess_mode="livemax"
)
STARTS: Final = Gauge(
    "ballotline_worker_starts", "How often each worker was started.", ["worker"], multiprocess_mode="livemax"
)
PROCESSOR: Final = Gauge(
    "ballotline_worker_processor_seconds",
    "Processor time of each worker since its start.",
    ["worker"],
    multiprocess_mode="livemax",
)


def worker_chores(place: Place | None) -> list[Chore]:
    """Give what a worker does to be seen; nothing where one process does all."""
    if place is None:
        return []
    name = str(place.number)

    async def show() -> None:
        PROCESS.labels(name).set(os.getpid())
        STARTS.labels(name).set(place.starts)
        PROCESSOR.labels(name).set(process_time())

    return [Chore("worker", EVERY, show)]
