"""Every probe there is, for whoever says that all hold: the records', the staff's rights, what the poll is bound to.

The count asks the records' alone: an unsigned row of a member of staff is no reason to keep a result back.
"""

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.staff import rights
from voting.audit.probes import Probe, run_probes
from voting.poll import bound


async def run_every_probe(connection: AsyncConnection) -> list[Probe]:
    """Try each of them."""
    return [*await run_probes(connection), await rights.probe(connection), await bound.probe(connection)]
