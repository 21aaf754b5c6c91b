"""After an honest restore: two officers write on the chain which head was lost, and the kept head moves to this chain.

The first asks, the second approves; both are entries, so that whoever reads the published chain sees who it was.
Nobody should do this before they have compared the database with the newest backup: what the lost entries said,
votes among it, is gone from this chain.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from voting.audit import chain
from voting.audit.chain import RESUMED, Entry, HeadNotContinued
from voting.audit.signer import Head
from voting.model import By
from voting.refusals import NeedsSecondPerson, StaffRefusal
from voting.typed_text import looks_like

ASKED: Final = "head_resume_asked"  # {lost_seq, lost_hash, asked_by}


class HeadNotLost(StaffRefusal):
    """The chain continues the head that is kept; there is nothing to resume."""


@dataclass(frozen=True, slots=True)
class Resuming:
    """How far it is: `approved_by` is None while a second person has to approve; `seq` is the entry just written."""

    lost: Head
    asked_by: str
    approved_by: str | None
    seq: int


async def resume(connection: AsyncConnection, *, by: By) -> Resuming:
    """Ask for the chain as it is to go on, or approve what somebody else asked for.

    HeadNotLost, NeedsSecondPerson; ChainBroken when the chain does not hold in itself, KeptHeadDamaged.
    """
    lost = await _lost_head(connection)
    words = {"lost_seq": lost.seq, "lost_hash": lost.hash.hex()}
    request = await _request(connection, words)
    if request is None:
        entry = await chain.append(connection, ASKED, words | {"asked_by": by.actor}, by=by)
        return Resuming(lost, by.actor, None, entry.seq)
    asked_by = str(request.body["asked_by"])
    if looks_like(asked_by, by.actor):
        raise NeedsSecondPerson(act="Resuming from another head", name=by.actor)
    body = words | {"asked_by": asked_by, "approved_by": by.actor}
    entry = await chain.append(connection, RESUMED, body, by=by)
    return Resuming(lost, asked_by, by.actor, entry.seq)


async def resume_and_sign(connection: AsyncConnection, *, by: By) -> Resuming:
    """Do `resume`, and sign the head at once when the second officer has approved. Raises as `resume`."""
    done = await resume(connection, by=by)
    if done.approved_by is not None:
        await chain.sign_head(connection, by.at)
    return done


async def _lost_head(connection: AsyncConnection) -> Head:
    kept = chain.signer_of(connection).kept()
    try:
        await chain.check_continues(connection)
    except HeadNotContinued:
        assert kept is not None  # the one that is not continued
        return kept
    raise HeadNotLost


async def _request(connection: AsyncConnection, words: dict[str, object]) -> Entry | None:
    """Walk the whole chain and give who asked to go on without this head."""
    found = None
    async for entry in chain.read_on(connection):
        if entry.kind == ASKED and words.items() <= entry.body.items():
            found = entry
    return found
