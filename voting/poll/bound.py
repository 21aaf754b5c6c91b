"""The poll as members are shown it: only as the signed opening on the chain has it, whatever stands in its row.

Whoever writes to the database could else swap the options while a paper is shown, and back before anybody counts: the
ballot would be a good one, for the other option. The rule is not bound: it may change, and no ballot rests on it.
"""

import hashlib
import json
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.audit import chain
from voting.audit.chain import ChainBroken, Entry
from voting.audit.probes import Probe
from voting.ballots.refusals import BallotRefusal
from voting.ballots.trustee_refusals import TrusteeRefusal
from voting.model import Phase, Poll
from voting.poll.election import election_of, paper_of
from voting.poll.stored import load
from voting.refusals import Fault, NoElectionKey, NoPoll
from voting.store.database import MEMORY

_BOUND: Final = "bound"
_FIXED: Final = (
    "uuid",
    "title",
    "questions",
    "opens_at",
    "closes_at",
    "languages",
    "trustees_file",
    "key_kind",
    "paper",
)


class PaperChanged(Fault):
    """What the database says of the poll is not what its opening bound."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"the poll in the database is not the one that the chain bound at the opening ({why}): somebody changed it"
            " there. Nobody is shown a paper until it is as it was; `ballotline audit` says whether it is"
        )


async def load_bound(connection: AsyncConnection) -> Poll:
    """Give the poll; once it has opened, PaperChanged unless it is the one that the signed opening names. NoPoll."""
    poll = await load(connection)
    if poll.phase is Phase.PREPARING:
        return poll
    assert connection.sync_connection is not None  # it is open
    memory: dict[str, Any] = connection.sync_connection.get_execution_options()[MEMORY]
    fixed = tuple(getattr(poll, name) for name in _FIXED)
    if memory.get(_BOUND) != fixed:
        await _insist(connection, poll)
        memory[_BOUND] = fixed
    return poll


async def probe(connection: AsyncConnection) -> Probe:
    """Say whether the poll is the one that opened."""
    name = "the paper is the one that the opening bound"
    try:
        poll = await load_bound(connection)
    except NoPoll:
        return Probe(name, holds=True, detail="no poll yet")
    except PaperChanged as changed:
        return Probe(name, holds=False, detail=str(changed))
    return Probe(name, holds=True, detail=str(poll.phase))


async def _insist(connection: AsyncConnection, poll: Poll) -> None:
    body = await _opening(connection, poll)
    try:
        said = json.loads(poll.paper or b"{}")
        made = paper_of(replace(poll, paper=None, rule=said.get("rule", {})))
        bound = (hashlib.sha256(made).hexdigest(), election_of(poll).hash)
    except (ValueError, BallotRefusal, TrusteeRefusal, NoElectionKey) as problem:
        raise PaperChanged(str(problem)) from problem
    if bound != (body.get("paper"), body.get("election")):
        raise PaperChanged("its paper or its election is another")


async def _opening(connection: AsyncConnection, poll: Poll) -> dict[str, Any]:
    """Give what the opening says, once our key is known to have signed it."""
    found = select(schema.chain).where(schema.chain.c.kind == "poll_opened").order_by(schema.chain.c.seq).limit(1)
    row = (await connection.execute(found)).one_or_none()
    if row is None:
        raise PaperChanged("no entry opened it")
    entry = Entry(row.seq, row.at, row.actor, row.kind, row.body, row.previous, row.hash, row.signature)
    try:
        chain.check_links([entry], seq=entry.seq - 1, previous=entry.previous)
        chain.check_signature(entry, chain.signer_of(connection).verify_key, poll.uuid)
    except ChainBroken as broken:
        raise PaperChanged(str(broken)) from broken
    return dict(entry.body)
