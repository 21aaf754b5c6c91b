"""What a worker does as one of several: it is seen in /metrics, and goes on with what a killed one had begun.

The client library adds up what workers share through files.
"""

import os
from collections.abc import Callable
from datetime import timedelta
from time import process_time
from typing import Final

from prometheus_client import Gauge

from bot.app.chores import Chore
from bot.app.place import Place
from bot.inbox import predecessors
from voting.store.database import Database

EVERY: Final = timedelta(seconds=5)
TAKE_OVER_EVERY: Final = timedelta(seconds=1)  # people wait for it
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


def worker_chores(place: Place | None, database: Database, *, wake: Callable[[], None]) -> list[Chore]:
    """Give what a worker does beside others; nothing where one process does all. `wake` tells the inbox's reader."""
    if place is None:
        return []
    name = str(place.number)

    async def show() -> None:
        PROCESS.labels(name).set(os.getpid())
        STARTS.labels(name).set(place.starts)
        PROCESSOR.labels(name).set(process_time())

    async def take_over() -> None:
        async with database.writing() as connection:
            freed = await predecessors.take_back(connection)
        if freed:
            wake()

    return [Chore("worker", EVERY, show), Chore("take over", TAKE_OVER_EVERY, take_over)]
