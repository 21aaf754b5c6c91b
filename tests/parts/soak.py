"""How long the long runs are: `make soak` sets BALLOTLINE_SOAK=1, and this is the one place that asks.

`BALLOTLINE_FAULT_ROUNDS=4 make soak` takes ten minutes of PostgreSQL's faults instead of an hour.
"""

import os
from typing import Final

SOAK: Final = os.environ.get("BALLOTLINE_SOAK") == "1"

KILLS: Final = 50 if SOAK else 3  # on each engine
CHUNKS: Final = 25 if SOAK else 1  # databases of innocent members, on each engine: a million in all
INNOCENT_PER_CHUNK: Final = 20_000 if SOAK else 1_000

BROADCAST_KILLS: Final = 30 if SOAK else 4  # in one broadcast, on each engine and with each policy
BROADCAST_MEMBERS: Final = 5_000 if SOAK else 600

_ROUNDS: Final = int(os.environ.get("BALLOTLINE_FAULT_ROUNDS", "25"))  # an hour in all
FAULT_ROUNDS: Final = _ROUNDS if SOAK else 1  # of each of PostgreSQL's faults

RUSH: Final = (300, 300, 5_000) if SOAK else (12, 12, 60)  # vote by chat and by page, and are told, while workers die
RUSH_WORKERS: Final = 4 if SOAK else 2
