"""The count: opens the box with the trustees' shares, adds the papers, and writes the result once.

It refuses until all is in order: the poll closed, the tray empty, every probe holding, the papers counted. Counting
again gives the same result and writes the bundle anew: a crash between the two leaves nothing undone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import bundle_format, chain, polls, schema
from voting.bundle import Bundle, write_bundle
from voting.database import Database
from voting.model import Phase, Poll
from voting.probes import run_probes
from voting.refusals import CannotCount, NoElectionKey
from voting.seal import BallotSpoiled, OpeningKey, open_key
from voting.secrets_file import Secrets
from voting.shares import read_share

PROGRESS_EVERY: Final = 2_000
CENT: Final = Decimal("0.01")

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Papers:
    """What came by post: locks, of which `rejected`; `counted` votes in the paper's order, with their justification."""

    locked: int
    rejected: int
    set_aside: int
    counted: tuple[int, ...]
    justification: str | None


def percent(part: int, whole: int) -> str:
    """Give a share in per cent with two decimals, halves up."""
    if whole == 0:
        return "0.00"
    return str((Decimal(100 * part) / Decimal(whole)).quantize(CENT, ROUND_HALF_UP))


def result_of(poll: Poll, online: Sequence[int], papers: Papers, eligible: int) -> dict[str, Any]:
    """Add online and postal votes, and name both turnouts: with rejected papers and without."""
    options = [
        {"option": name, "online": online[i], "post": papers.counted[i], "votes": online[i] + papers.counted[i]}
        for i, name in enumerate(poll.options)
    ]
    votes = sum(online) + sum(papers.counted)
    return {
        "poll": poll.id,
        "options": options,
        "online": sum(online),
        "post": sum(papers.counted),
        "votes": votes,
        "rejected_papers": papers.rejected,
        "eligible": eligible,
        "turnout_with_rejected": percent(votes + papers.rejected, eligible),
        "turnout_without_rejected": percent(votes, eligible),
    }


async def count(
    database: Database,
    shares: Sequence[Path],
    out: Path,
    *,
    secrets: Secrets,
    actor: str,
    via: str = "command line",
    now: datetime,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Count and write the bundle into `out`, a folder that is new or empty; return the result.

    CannotCount with the reason; ShareRefusal naming the share that is wrong.
    """
    _refuse_taken(out)
    async with database.reading() as connection:
        poll = await polls.load(connection)
        await _refuse_unready(connection, poll)
        papers = await _papers(connection, poll)
        eligible = await _eligible(connection)
        box = list((await connection.execute(select(schema.box.c.sealed))).scalars())
    if poll.election_key is None:
        raise NoElectionKey
    key = open_key(
        [read_share(path) for path in shares], public_key=poll.election_key, share_digests=poll.share_digests
    )
    online = _tally(key, box, len(poll.options), progress)
    result = result_of(poll, online, papers, eligible)
    async with database.writing() as connection:
        await _keep(connection, result, box, secrets, actor=actor, via=via, now=now)
    async with database.reading() as connection:
        bundle = await _gather(connection, key=key, box=box, online=online, papers=papers, result=result)
    write_bundle(out, bundle, secrets)
    return result


def _refuse_taken(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CannotCount(reason=f"{out} is not an empty folder")


async def _refuse_unready(connection: AsyncConnection, poll: Poll) -> None:
    if poll.phase not in {Phase.CLOSED, Phase.COUNTED}:
        raise CannotCount(reason=f"the poll is {poll.phase}; close it first")
    if left := await _rows(connection, schema.tray):
        raise CannotCount(reason=f"{left} ballots are still in the tray; close the poll again to box them")
    broken = [probe.name for probe in await run_probes(connection) if not probe.holds]
    if broken:
        raise CannotCount(reason=f"these checks do not hold: {'; '.join(broken)}")


async def _papers(connection: AsyncConnection, poll: Poll) -> Papers:
    locked = await _rows(connection, schema.lock, schema.lock.c.how == "post")
    rejected = int(
        await connection.scalar(
            select(func.count(schema.lock.c.member_id.distinct()))
            .join(schema.paper, schema.paper.c.pack_id == schema.lock.c.pack_id)
            .where(schema.lock.c.how == "post", schema.paper.c.outcome == "rejected")
        )
        or 0
    )
    set_aside = await _rows(connection, schema.paper, schema.paper.c.outcome == "set_aside")
    row = (
        await connection.execute(select(schema.postal_count).order_by(schema.postal_count.c.version.desc()).limit(1))
    ).one_or_none()
    if row is None:
        if locked - rejected:
            raise CannotCount(reason="papers were received but not counted; import postal-count.csv first")
        return Papers(locked, rejected, set_aside, (0,) * len(poll.options), None)
    if row.scanned != locked - rejected:
        raise CannotCount(reason="more papers were scanned since they were counted; import the count again")
    if sum(row.votes) != locked - rejected and not row.justification:
        raise CannotCount(
            reason=f"{locked - rejected} papers were scanned but {sum(row.votes)} counted; "
            "import the count again with a justification"
        )
    return Papers(locked, rejected, set_aside, tuple(row.votes), row.justification)


async def _eligible(connection: AsyncConnection) -> int:
    """Count who may vote at the close, and who did before a lapse."""
    voted = select(schema.lock.c.member_id)
    return await _rows(connection, schema.member, or_(schema.member.c.eligible, schema.member.c.id.in_(voted)))


def _tally(key: OpeningKey, box: list[bytes], options: int, progress: Progress | None) -> list[int]:
    votes = [0] * options
    for number, opened in enumerate(key.open_all(box), 1):
        if isinstance(opened, BallotSpoiled):
            raise CannotCount(reason=f"a ballot in the box cannot be read: {opened.facts['problem']}")
        votes[opened.option] += 1
        if progress is not None and number % PROGRESS_EVERY == 0:
            progress(number)
    if progress is not None:
        progress(len(box))
    return votes


async def _keep(
    connection: AsyncConnection,
    result: dict[str, Any],
    box: list[bytes],
    secrets: Secrets,
    *,
    actor: str,
    via: str,
    now: datetime,
) -> None:
    """Write the result once, with what the bundle is checked against, and sign the chain's head."""
    kept = (await connection.execute(select(schema.result.c.body))).scalar_one_or_none()
    if kept is not None:
        if kept != result:
            raise CannotCount(reason="the result was written before and is another one; look into it")
        return
    receipts = list((await connection.execute(select(schema.lock.c.receipt))).scalars())
    given = [receipt for receipt in receipts if receipt is not None]
    acts = [
        chain.Act("box_closed", {"n": len(box), "sealed": bundle_format.box_digest(box)}, actor, via),
        chain.Act("receipts_closed", {"n": len(given), "receipts": bundle_format.receipts_digest(given)}, actor, via),
        chain.Act("counted", {"result": bundle_format.sha256(bundle_format.canonical(result))}, actor, via),
    ]
    await polls.mark_counted(connection)
    await connection.execute(
        insert(schema.result).values(only=1, body=result, at=now, turnout=Decimal(result["turnout_with_rejected"]))
    )
    await chain.append_many(connection, acts, now=now)
    await chain.sign_head(connection, secrets, now)


async def _gather(
    connection: AsyncConnection,
    *,
    key: OpeningKey,
    box: list[bytes],
    online: Sequence[int],
    papers: Papers,
    result: dict[str, Any],
) -> Bundle:
    receipts = await connection.execute(select(schema.lock.c.receipt).where(schema.lock.c.receipt.is_not(None)))
    heads = await connection.execute(select(schema.head).order_by(schema.head.c.seq))
    members = await _rows(connection, schema.member)
    return Bundle(
        poll=await polls.load(connection),
        members=members,
        private_key=key.private_bytes(),
        chain=[entry async for entry in chain.entries(connection)],
        heads=[(row.seq, row.hash, row.signature, row.at) for row in heads],
        box=box,
        receipts=list(receipts.scalars()),
        online=tuple(online),
        papers=papers,
        result=result,
    )


async def _rows(connection: AsyncConnection, table: Any, *where: Any) -> int:  # noqa: ANN401 - any table and condition
    return int(await connection.scalar(select(func.count()).select_from(table).where(*where)) or 0)
