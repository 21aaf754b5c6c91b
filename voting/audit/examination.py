"""The whole chain examined: links, signatures, every entry where its kind may stand, and the head that is kept."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from voting.audit import chain
from voting.audit.phases import first_out_of_place
from voting.refusals import Fault


@dataclass(frozen=True, slots=True)
class Examined:
    """How many entries hold together, and the first thing that is wrong."""

    entries: int
    problem: str | None


@dataclass(frozen=True, slots=True)
class _Stands:
    seq: int
    kind: str


async def examine(connection: AsyncConnection) -> Examined:
    """Walk the chain from its beginning; what is wrong is in the answer. NobodySigns."""
    stands: list[_Stands] = []
    try:
        async for entry in chain.read_on(connection):
            stands.append(_Stands(entry.seq, entry.kind))  # noqa: PERF401 - what came before a fault is counted
        await chain.check_continues(connection)
    except chain.NobodySigns:
        raise
    except Fault as fault:
        return Examined(len(stands), str(fault))
    misplaced = first_out_of_place(stands)
    return Examined(len(stands), None if misplaced is None else str(misplaced))
