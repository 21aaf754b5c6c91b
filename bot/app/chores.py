"""What the service does by the clock: move the tray, sign the chain's head, try the probes, forget what is over.

Every act is repeatable and safe beside another process doing the same.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

log = structlog.get_logger()

WAIT_AFTER_TROUBLE: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Chore:
    """Something done again and again; `act` must be repeatable."""

    name: str
    every: timedelta
    act: Callable[[], Awaitable[None]]


async def keep(chore: Chore) -> None:
    """Do a chore until cancelled; its trouble is logged and it is tried again."""
    while True:
        wait = chore.every
        try:
            await chore.act()
        except Exception:  # the outermost loop: one chore's trouble must not end the service
            log.exception("chore failed", chore=chore.name)
            wait = min(chore.every, WAIT_AFTER_TROUBLE)
        await asyncio.sleep(wait.total_seconds())
