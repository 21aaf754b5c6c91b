"""What the count writes to the chain and the database, in the caller's transaction; the same each time it is asked."""

from decimal import Decimal

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.audit import chain
from voting.audit.chain import Act
from voting.count.bundle import Counted, Ending, heads_until
from voting.count.readiness import is_small, papers_of, refuse_small, roll_now, said
from voting.count.tally import Tallied
from voting.model import By
from voting.poll import polls
from voting.refusals import CannotCount
from voting.verify import format as form


async def close_ballots(connection: AsyncConnection, *, tallied: Tallied, publish_small: bool, by: By) -> Ending:
    """Have the chain say what is counted and sign its head, once; CannotCount when it said something else before."""
    await connection.execute(select(schema.poll.c.only).with_for_update())
    closed = await said(connection, form.BALLOTS_CLOSED)
    if closed is not None:
        return await _end_at(connection, closed["seq"])
    papers = await papers_of(connection, await polls.load(connection))
    refuse_small(tallied.ballots, papers, agreed=publish_small)
    small = {"small": True} if is_small(tallied.ballots, papers) else {}
    acts = [
        Act(form.ROLL_CLOSED, await roll_now(connection)),
        Act(form.BALLOTS_CLOSED, {**tallied.said, **small}),
    ]
    return await _append(connection, acts, by=by)


async def keep_result(connection: AsyncConnection, *, counted: Counted, by: By) -> Ending:
    """Keep the result in the database and on the chain, once; CannotCount when there is another one."""
    await connection.execute(select(schema.poll.c.only).with_for_update())
    body = {
        "result": form.sha256(form.readable(counted.result)),
        "decryptions": form.sha256(counted.decryptions),
    }
    there, kept = await said(connection, form.COUNTED), await kept_result(connection)
    if there is not None or kept is not None:
        if kept != counted or there != {**body, "seq": there and there["seq"]}:
            raise CannotCount(reason="the result was written before and is another one; look into it")
        return await _end_at(connection, there["seq"])
    await polls.mark_counted(connection)
    turnout = Decimal(counted.result["turnout_with_rejected"])
    values = {"only": 1, "body": counted.result, "at": by.at, "turnout": turnout, "decryptions": counted.decryptions}
    await connection.execute(insert(schema.result).values(values))
    return await _append(connection, [Act(form.COUNTED, body)], by=by)


async def kept_result(connection: AsyncConnection) -> Counted | None:
    """Give the result that an earlier count has kept, None before."""
    row = (await connection.execute(select(schema.result.c.body, schema.result.c.decryptions))).one_or_none()
    return None if row is None else Counted(row.body, row.decryptions)


async def _append(connection: AsyncConnection, acts: list[Act], *, by: By) -> Ending:
    entries = await chain.append_many(connection, acts, by=by)
    before = entries[0].seq - 1
    await chain.sign_head(connection, by.at)
    *heads, head = await heads_until(connection, entries[-1].seq)
    return Ending(before, len(heads), head, tuple(entries))


async def _end_at(connection: AsyncConnection, seq: int) -> Ending:
    heads = await heads_until(connection, seq)
    return Ending(seq, len(heads), heads[-1])
