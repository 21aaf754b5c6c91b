"""Identities that must hold at every minute of the poll; each is one cheap aggregate over what the database holds."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from voting.audit import chain
from voting.refusals import Fault

TAIL: Final = 200  # newest chain entries walked each time; `audit` walks all


@dataclass(frozen=True, slots=True)
class Probe:
    """One identity: whether it holds, and the numbers it was tried with."""

    name: str
    holds: bool
    detail: str


# name: one statement that gives two numbers, which must be the same.
EQUAL: Final = {
    "online locks are ballots": """
        SELECT (SELECT count(*) FROM lock WHERE how = 'online'), (SELECT count(*) FROM ballot)""",
    "every online lock has the ballot of its pack's credential": """
        SELECT (SELECT count(*) FROM lock
            WHERE how = 'online' AND (receipt IS NOT NULL OR NOT {purged})),
               (SELECT count(*) FROM lock JOIN pack ON pack.id = lock.pack_id
                    JOIN ballot ON ballot.credential = pack.credential WHERE lock.how = 'online')""",
    "online locks are receipts": """
        SELECT (SELECT count(*) FROM lock
            WHERE how = 'online' AND (receipt IS NOT NULL OR NOT {purged})),
               (SELECT count(DISTINCT receipt) FROM lock)""",
    "votes on the chain are online locks": """
        SELECT (SELECT coalesce(sum({n}), 0) FROM chain WHERE kind = 'votes_locked'),
               (SELECT count(*) FROM lock WHERE how = 'online')""",
    "ballots stand under an entry that locked votes": """
        SELECT (SELECT count(*) FROM ballot),
               (SELECT count(*) FROM ballot JOIN chain ON chain.seq = ballot.entry AND chain.kind = 'votes_locked')""",
    "every lock's pack is its member's": """
        SELECT (SELECT count(*) FROM lock),
               (SELECT count(*) FROM lock JOIN pack ON pack.id = lock.pack_id AND pack.member_id = lock.member_id)""",
    "no lock used a pack that was replaced or void": """
        SELECT 0, (SELECT count(*) FROM lock JOIN pack ON pack.id = lock.pack_id WHERE pack.state <> 'live')""",
    "packs issued are used, void, replaced or unused": """
        SELECT (SELECT count(*) FROM pack),
               (SELECT count(*) FROM lock)
               + (SELECT count(*) FROM pack WHERE state IN ('void', 'replaced'))
               + (SELECT count(*) FROM pack WHERE state = 'live'
                    AND NOT EXISTS (SELECT 1 FROM lock WHERE lock.pack_id = pack.id))""",
    "no member has two working packs": """
        SELECT 0, (SELECT count(*) FROM (
            SELECT member_id FROM pack WHERE state = 'live' GROUP BY member_id HAVING count(*) > 1) AS twice)""",
    "every online lock has its intent, from the same chat": """
        SELECT (SELECT count(*) FROM lock
            WHERE how = 'online' AND (intent_id IS NOT NULL OR NOT {purged})),
               (SELECT count(*) FROM lock JOIN intent ON intent.id = lock.intent_id
                    AND intent.member_id = lock.member_id AND intent.chat = lock.chat
                    AND intent.pack_id = lock.pack_id)""",
    "locks by post have their paper": """
        SELECT (SELECT count(*) FROM lock WHERE how = 'post'),
               (SELECT count(DISTINCT lock.member_id) FROM lock JOIN paper ON paper.pack_id = lock.pack_id
                    AND paper.outcome IN ('locked', 'rejected') WHERE lock.how = 'post')""",
    "every attempt is in its member's case": """
        SELECT (SELECT count(*) FROM attempt),
               (SELECT count(*) FROM attempt JOIN attempt_case ON attempt_case.id = attempt.case_id
                    AND attempt_case.member_id = attempt.member_id)""",
    "every attempt's member has voted": """
        SELECT (SELECT count(*) FROM attempt),
               (SELECT count(*) FROM attempt JOIN lock ON lock.member_id = attempt.member_id)""",
    "attempts on the chain are attempts": """
        SELECT (SELECT count(*) FROM chain WHERE kind = 'attempt_recorded'), (SELECT count(*) FROM attempt)""",
}
_PURGED: Final = "EXISTS (SELECT 1 FROM poll WHERE phase = 'counted')"  # a lock may then have forgotten its ballot
_N: Final = {"sqlite": "json_extract(body, '$.n')", "postgresql": "CAST(body->>'n' AS bigint)"}


async def run_probes(connection: AsyncConnection) -> list[Probe]:
    """Try every identity; all aggregates are one statement, so that they see the same moment."""
    n = _N[connection.dialect.name]
    together = " UNION ALL ".join(
        f"SELECT {number} AS probe, two.* FROM ({statement.format(n=n, purged=_PURGED)}) AS two"  # noqa: S608 - our own constants
        for number, statement in enumerate(EQUAL.values())
    )
    names = list(EQUAL)
    rows = (await connection.execute(text(together + " ORDER BY probe"))).all()
    found = [Probe(names[row[0]], int(row[1]) == int(row[2]), f"{row[1]} and {row[2]}") for row in rows]
    return [*found, await _tail(connection)]


async def _tail(connection: AsyncConnection) -> Probe:
    """Walk the newest entries of the chain."""
    name = "the chain's newest entries are linked and signed"
    last = int(await connection.scalar(text("SELECT coalesce(max(seq), 0) FROM chain")) or 0)
    first = max(0, last - TAIL)
    try:
        previous = chain.GENESIS
        if first:
            previous = await connection.scalar(text("SELECT hash FROM chain WHERE seq = :seq"), {"seq": first})
        await chain.walk(connection, after=first, previous=previous or b"")
    except Fault as broken:
        return Probe(name, holds=False, detail=str(broken))
    return Probe(name, holds=True, detail=f"{last - first} walked")
