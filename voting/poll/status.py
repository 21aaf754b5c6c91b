"""Where the poll stands, in numbers that reveal nothing about anybody: for `poll status`, the console, the picture."""

from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.ballots.refusals import BallotRefusal
from voting.ballots.trustees import Trustees
from voting.model import Phase, Poll
from voting.poll import polls
from voting.poll.election import fingerprint_of, trustees_of
from voting.poll.keys import trustees_without_yes

VOTED_ONLINE = "voted_online"
VOTED_BY_POST = "voted_by_post"
UNUSED = "unused"


async def poll_facts(connection: AsyncConnection) -> dict[str, Any]:
    """Give phase, roll, packs by state, locks by how, ballots and open cases, and the result once there is one.

    Until the count nothing is told of any question: every figure is of the whole paper.
    """
    poll = await polls.load(connection)
    roll = (
        await connection.execute(
            select(func.count(schema.member.c.id), func.count(case((schema.member.c.eligible, 1))))
        )
    ).one()
    locks = {"online": 0, "post": 0}
    rows = await connection.execute(select(schema.lock.c.how, func.count()).group_by(schema.lock.c.how))
    locks.update((row.how, row[1]) for row in rows)
    return {
        "poll": poll.id,
        "title": poll.title,
        "phase": str(poll.phase),
        "opens_at": poll.opens_at.isoformat(),
        "closes_at": poll.closes_at.isoformat(),
        "key": await key_facts(connection, poll),
        "roll": {"members": roll[0], "eligible": roll[1]},
        "packs": await packs_by_state(connection),
        "locks": locks,
        "ballots": int(await connection.scalar(select(func.count()).select_from(schema.ballot)) or 0),
        "open_cases": int(await connection.scalar(select(func.count()).where(schema.case.c.state != "settled")) or 0),
        "result": await connection.scalar(select(schema.result.c.body)),
    }


async def key_facts(connection: AsyncConnection, poll: Poll) -> dict[str, Any] | None:
    """Give who made the election key, how many trustees there are and decrypt; None without a key.

    `without_yes`: the trustees for whose yes the opening waits. `fingerprint`: what strangers compare, empty while a
    text of the poll file cannot stand in the election.
    """
    if poll.trustees_file is None:
        return None
    trustees = trustees_of(poll)
    try:
        fingerprint = fingerprint_of(poll)
    except BallotRefusal:
        return _key(poll, trustees, [], "")
    waiting = await trustees_without_yes(connection, poll) if poll.phase is Phase.PREPARING else []
    return _key(poll, trustees, waiting, fingerprint)


def _key(poll: Poll, trustees: Trustees, waiting: list[int], fingerprint: str) -> dict[str, Any]:
    return {
        "kind": poll.key_kind,
        "trustees": len(trustees.keys),
        "threshold": trustees.threshold,
        "without_yes": waiting,
        "fingerprint": fingerprint,
    }


async def packs_by_state(connection: AsyncConnection) -> dict[str, int]:
    """Give every pack issued under exactly one of five states."""
    state = case(
        (schema.lock.c.how == "online", VOTED_ONLINE),
        (schema.lock.c.how == "post", VOTED_BY_POST),
        (schema.pack.c.state != "live", schema.pack.c.state),
        else_=UNUSED,
    )
    joined = schema.pack.outerjoin(schema.lock, schema.lock.c.pack_id == schema.pack.c.id)
    rows = await connection.execute(select(state, func.count()).select_from(joined).group_by(state))
    found = {VOTED_ONLINE: 0, VOTED_BY_POST: 0, "void": 0, "replaced": 0, UNUSED: 0}
    found.update((row[0], row[1]) for row in rows)
    return {"issued": sum(found.values()), **found}
