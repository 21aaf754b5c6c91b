"""The count: opens the box with the trustees' shares, adds the papers, and writes the result once.

It refuses until all is in order: the poll closed, the tray empty, every probe holding, the papers counted. Then, in
this order: the chain commits to the box and the receipts and its head is signed; only after that is a ballot opened;
the result goes to the database and the chain in one transaction; the bundle is written. Counting again takes up
where an earlier count was cut off, and otherwise gives the same result and the same bundle.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.audit import chain
from voting.audit.probes import run_probes
from voting.count.ballots import Whole, box_in_order, whole_box, whole_receipts
from voting.count.bundle import Counted, write_bundle
from voting.model import By, Phase, Poll
from voting.poll import polls
from voting.post import papers as postal_count
from voting.refusals import CannotCount, ForeignSecrets, NoElectionKey
from voting.sealing.seal import BallotSpoiled, OpeningKey, open_key
from voting.sealing.shares import read_share
from voting.secrets_file import Secrets
from voting.store.database import Database
from voting.verify import format as form

Progress = Callable[[int], None]  # called with the number of ballots opened so far


@dataclass(frozen=True, slots=True)
class Papers:
    """What came by post: valid papers, rejected ones, ones set aside, and the votes counted, in the poll's order."""

    received: int
    rejected: int
    set_aside: int
    votes: tuple[int, ...]
    justification: str | None = None

    def facts(self) -> dict[str, Any]:
        """Give postal.json."""
        return {
            "received": self.received,
            "rejected": self.rejected,
            "set_aside": self.set_aside,
            "votes": list(self.votes),
            "justification": self.justification,
        }


async def count(
    database: Database, shares: Sequence[Path], out: Path, *, secrets: Secrets, by: By, progress: Progress | None = None
) -> dict[str, Any]:
    """Count and write the bundle into `out`, a folder that is new or empty; return what result.json says.

    `shares` are trustees' share files, as many as the threshold or more. CannotCount with the reason;
    ShareRefusal naming the share that is wrong; NoElectionKey, ForeignSecrets.
    """
    _refuse_taken(out)
    async with database.reading() as connection:
        poll = await polls.load(connection)
        await _refuse_unready(connection, poll, secrets)
        await _papers(connection, poll)
    key = _open(poll, shares)
    async with database.writing() as connection:
        box = await _commit(connection, by=by)
    async with database.reading() as connection:
        votes = await _tally(connection, key, box, len(poll.options), progress)
    async with database.writing() as connection:
        result = await _keep(connection, votes, by=by)
    async with database.reading() as connection:
        papers = await _papers(connection, poll)
        counted = Counted(result, papers.facts(), votes, key.private_bytes())
        await write_bundle(connection, out, counted, secrets)
    return result


def _refuse_taken(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CannotCount(reason=f"{out} is not an empty folder")


async def _refuse_unready(connection: AsyncConnection, poll: Poll, secrets: Secrets) -> None:
    if poll.signing_key != secrets.verify_key:
        raise ForeignSecrets
    if poll.phase not in {Phase.CLOSED, Phase.COUNTED}:
        raise CannotCount(reason=f"the poll is {poll.phase}; close it first")
    if left := await _rows(connection, schema.tray):
        raise CannotCount(reason=f"{left} ballots are still in the tray; close the poll again to box them")
    broken = [probe.name for probe in await run_probes(connection) if not probe.holds]
    if broken:
        raise CannotCount(reason=f"these checks do not hold: {'; '.join(broken)}")


async def _papers(connection: AsyncConnection, poll: Poll) -> Papers:
    """Give the papers and their count; CannotCount when they were not counted, or differ and nobody said why."""
    rows = await connection.execute(select(schema.paper.c.outcome, func.count()).group_by(schema.paper.c.outcome))
    papers = {row[0]: row[1] for row in rows}
    received, rejected, set_aside = (papers.get(outcome, 0) for outcome in ("locked", "rejected", "set_aside"))
    counted = await postal_count.latest(connection)
    if counted is None:
        if received:
            raise CannotCount(reason=f"{received} papers were received but not counted; import postal-count.csv first")
        return Papers(received, rejected, set_aside, (0,) * len(poll.options))
    if sum(counted.votes) != received and not counted.justification:
        differs = f"{received} papers were scanned but {sum(counted.votes)} counted"
        raise CannotCount(reason=f"{differs}; import the count again and say why")
    return Papers(received, rejected, set_aside, counted.votes, counted.justification)


def _open(poll: Poll, paths: Sequence[Path]) -> OpeningKey:
    if poll.election_key is None:
        raise NoElectionKey
    shares = [read_share(path) for path in paths]
    return open_key(shares, public_key=poll.election_key, share_digests=poll.share_digests)


async def _commit(connection: AsyncConnection, *, by: By) -> Whole:
    """Have the chain say what is in the box and sign it, before anything is opened; or compare, if it has said so."""
    await connection.execute(select(schema.poll.c.only).with_for_update())
    box, receipts = await whole_box(connection), await whole_receipts(connection)
    acts = [
        chain.Act(form.BOX_CLOSED, {"n": box.n, "sealed": box.digest}),
        chain.Act(form.RECEIPTS_CLOSED, {"n": receipts.n, "receipts": receipts.digest}),
    ]
    said = {entry.kind: entry.body for entry in await _entries(connection, [act.kind for act in acts])}
    if not said:
        await chain.append_many(connection, acts, by=by)
        await chain.sign_head(connection, by.at)
    elif said != {act.kind: act.body for act in acts}:
        raise CannotCount(reason="the box or the receipts have changed since an earlier count began")
    return box


async def _entries(connection: AsyncConnection, kinds: Sequence[str]) -> Sequence[Any]:
    found = select(schema.chain.c.kind, schema.chain.c.body).where(schema.chain.c.kind.in_(kinds))
    return (await connection.execute(found)).all()


async def _tally(
    connection: AsyncConnection, key: OpeningKey, box: Whole, options: int, progress: Progress | None
) -> list[int]:
    """Open every ballot, off the event loop; give votes by option. CannotCount when one cannot be read."""
    votes, opened = [0] * options, 0
    async for page in box_in_order(connection):
        for option in await asyncio.to_thread(_open_page, key, page, options):
            votes[option] += 1
        opened += len(page)
        if progress is not None:
            progress(opened)
    if opened != box.n:
        raise CannotCount(reason=f"the box held {box.n} ballots and now holds {opened}")
    return votes


def _open_page(key: OpeningKey, page: Sequence[bytes], options: int) -> list[int]:
    chosen = []
    for opened in key.open_all(page):
        if isinstance(opened, BallotSpoiled):
            raise CannotCount(reason=f"a ballot in the box cannot be read: {opened.facts['problem']}")
        if opened.option >= options:
            raise CannotCount(reason="a ballot in the box does not hold a choice in this poll")
        chosen.append(opened.option)
    return chosen


async def _keep(connection: AsyncConnection, votes: Sequence[int], *, by: By) -> dict[str, Any]:
    """Write the result once, in the database and on the chain, and sign its head; CannotCount if it was another one."""
    await connection.execute(select(schema.poll.c.only).with_for_update())
    poll = await polls.load(connection)
    papers = await _papers(connection, poll)
    members, eligible = await _roll(connection)
    result = form.result_of(
        poll.id, poll.options, online=votes, post=papers.votes, rejected=papers.rejected, eligible=eligible
    )
    kept = await connection.scalar(select(schema.result.c.body))
    if kept is not None:
        if kept != result:
            raise CannotCount(reason="the result was written before and is another one; look into it")
        return result
    await polls.mark_counted(connection)
    turnout = Decimal(result["turnout_with_rejected"])
    await connection.execute(insert(schema.result).values(only=1, body=result, at=by.at, turnout=turnout))
    acts = [
        chain.Act(form.ROLL_CLOSED, {"members": members, "eligible": eligible}),
        chain.Act(form.COUNTED, {"result": form.sha256(form.readable(result))}),
    ]
    await chain.append_many(connection, acts, by=by)
    await chain.sign_head(connection, by.at)
    return result


async def _roll(connection: AsyncConnection) -> tuple[int, int]:
    """Count the roll, and on it who may vote at the close or did before they lapsed."""
    member, voted = schema.member, select(schema.lock.c.member_id)
    eligible = await _rows(connection, member, or_(member.c.eligible, member.c.id.in_(voted)))
    return await _rows(connection, member), eligible


async def _rows(connection: AsyncConnection, table: Any, *where: Any) -> int:  # noqa: ANN401 - any table and condition
    return int(await connection.scalar(select(func.count()).select_from(table).where(*where)) or 0)
