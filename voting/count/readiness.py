"""Whether the poll can be counted: every reason against it, named before anything is written or decrypted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.audit.probes import run_probes
from voting.count.stored import rows
from voting.count.tally import Tallied
from voting.model import Phase, Poll
from voting.packs.forgetting import refuse_when_forgotten
from voting.poll import polls
from voting.poll.election import questions_of
from voting.post import papers as postal_count
from voting.refusals import CannotCount, ForeignSecrets, SmallPoll
from voting.secrets_file import Secrets
from voting.verify.result import adds_up, counted_papers

SMALL: Final = 5  # from so many ballots, or papers, on their sum says nothing of one of them


@dataclass(frozen=True, slots=True)
class Papers:
    """What came by post: valid papers, rejected ones, ones set aside, how many were counted, and the votes on them."""

    received: int
    rejected: int
    set_aside: int
    counted: int
    votes: tuple[tuple[int, ...], ...]
    justification: str | None = None

    def facts(self) -> dict[str, Any]:
        """Give postal.json."""
        return {
            "received": self.received,
            "rejected": self.rejected,
            "set_aside": self.set_aside,
            "votes": list(map(list, self.votes)),
            "justification": self.justification,
        }


async def ready_poll(connection: AsyncConnection, secrets: Secrets) -> Poll:
    """Give the poll when it can be counted; ForeignSecrets, CredentialsForgotten, CannotCount with the reason."""
    poll = await polls.load(connection)
    if poll.signing_key != secrets.verify_key:
        raise ForeignSecrets
    if poll.phase not in {Phase.CLOSED, Phase.COUNTED}:
        raise CannotCount(reason=f"the poll is {poll.phase}; close it first")
    await refuse_when_forgotten(connection)
    broken = [probe.name for probe in await run_probes(connection) if not probe.holds]
    if broken:
        raise CannotCount(reason=f"these checks do not hold: {'; '.join(broken)}")
    await papers_of(connection, poll)
    return poll


async def papers_of(connection: AsyncConnection, poll: Poll) -> Papers:
    """Give the papers and their count; CannotCount when they were not counted, or differ and nobody said why."""
    outcomes = await connection.execute(select(schema.paper.c.outcome, func.count()).group_by(schema.paper.c.outcome))
    papers = {row[0]: row[1] for row in outcomes}
    received, rejected, set_aside = (papers.get(outcome, 0) for outcome in ("locked", "rejected", "set_aside"))
    counted, questions = await postal_count.latest(connection), questions_of(poll)
    if counted is None:
        if received:
            raise CannotCount(reason=f"{received} papers were received but not counted; import postal-count.csv first")
        return Papers(received, rejected, set_aside, 0, tuple((0,) * question.ciphertexts for question in questions))
    papers_counted = counted_papers(questions, counted.votes, received)
    fits = all(adds_up(one, votes, received) for one, votes in zip(questions, counted.votes, strict=True))
    if not fits and not counted.justification:
        differs = f"{received} papers were scanned but {papers_counted} counted"
        raise CannotCount(reason=f"{differs}; import the count again and say why")
    return Papers(received, rejected, set_aside, papers_counted, counted.votes, counted.justification)


def is_small(ballots: int, papers: Papers) -> bool:
    """Say whether what is published could tell how somebody voted; see SmallPoll."""
    return any(0 < number < SMALL for number in (ballots, papers.counted))


def refuse_small(ballots: int, papers: Papers, *, agreed: bool) -> None:
    """Warn, by numbers alone and before anything is decrypted, unless the officer has agreed; SmallPoll."""
    if is_small(ballots, papers) and not agreed:
        raise SmallPoll(online=ballots, papers=papers.counted)


def refuse_changed(closed: Mapping[str, Any], tallied: Tallied) -> None:
    """Refuse other ballots or credentials than the chain has committed to; CannotCount."""
    if any(closed[name] != value for name, value in tallied.said.items()):
        raise CannotCount(reason="the ballots or the credentials have changed since the count began; look into it")


async def said(connection: AsyncConnection, kind: str) -> Mapping[str, Any] | None:
    """Give what an entry that stands on the chain once says, with its number as `seq`."""
    found = select(schema.chain.c.seq, schema.chain.c.body).where(schema.chain.c.kind == kind)
    row = (await connection.execute(found.order_by(schema.chain.c.seq).limit(1))).one_or_none()
    return None if row is None else {**row.body, "seq": row.seq}


async def roll_now(connection: AsyncConnection) -> dict[str, int]:
    """Count the roll, and on it who may vote at the close or did before they lapsed."""
    member, voted = schema.member, select(schema.lock.c.member_id)
    eligible = await rows(connection, member, or_(member.c.eligible, member.c.id.in_(voted)))
    return {"members": await rows(connection, member), "eligible": eligible}
