"""How a process is named, and whether one of that name is surely gone, so that nothing it held need wait.

After kill -9 a row of the inbox waits for its lease to run out, and a provider's pace for its holder's silence. Where
the process can be known to be dead, the next one takes both at once. What cannot be known is left to the lease:
another machine, another container, a number that the system has given to a new process.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.schema import inbox

# Linux: the machine since it started, and the numbering of processes within it. See proc(5), namespaces(7).
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_NUMBERING: Final = Path("/proc/self/ns/pid")


def place() -> str | None:
    """Name where process numbers mean what they mean here; None where that cannot be told."""
    try:
        return f"{_BOOT.read_text(encoding='ascii').strip()}.{_NUMBERING.readlink().name}"
    except OSError:
        return None


def claimant(token: str) -> str:
    """Name this process for what it claims; `token` tells it from others that had its number."""
    return f"{place() or 'unknown'}/{os.getpid()}/{token}"


def is_gone(who: str) -> bool:
    """Tell whether the process that claimed a row is surely gone."""
    where, _, rest = who.partition("/")
    number = rest.partition("/")[0]
    if where != place() or not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def may_live(who: str) -> bool:
    """Tell whether a process may still be at work here: for what lies on this machine, another place is a past one."""
    return who.partition("/")[0] == place() and not is_gone(who)


async def take_back(connection: AsyncConnection, *, gone: Callable[[str], bool] = is_gone) -> int:
    """Free the rows that processes which are gone had claimed; return how many."""
    held = (inbox.c.state == "new") & inbox.c.lease_until.is_not(None)
    holders = await connection.execute(select(inbox.c.claimed_by).where(held).distinct())
    dead = [who for who in holders.scalars() if who is not None and gone(who)]
    if not dead:
        return 0
    freed = await connection.execute(
        update(inbox).where(held, inbox.c.claimed_by.in_(dead)).values(lease_until=None, claimed_by=None)
    )
    return freed.rowcount
