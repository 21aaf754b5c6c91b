"""The only writer of votes: casts that wait together are locked by one statement in one transaction.

Each cast has its ballot, sealed and checked, before that. The database decides, not Python: the statement locks whoever
has no lock, may vote, holds a live pack whose credential is the ballot's, accepted the rule of now and is in time, and
says whom it locked. Their ballots are stored in the same transaction, which the chain's entry names; everybody is
answered after commit. An intent is one showing of the paper: pressing it again gives the same receipt again.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.audit import chain
from voting.ballots.election import Election
from voting.model import By, Phase
from voting.poll.bound import load_bound
from voting.poll.election import election_of
from voting.poll.polls import load
from voting.secrets_file import Secrets
from voting.store.columns import microseconds
from voting.store.database import Database
from voting.store.inserts import insert_rows
from voting.store.together import Together
from voting.votes.cast import Cast, CastOutcome, Paper, Ready, Waiting
from voting.votes.lock_sql import lock_statement
from voting.votes.sealing import Sealing, forget_secrets
from voting.votes.why_not import explain

_BALLOT: Final = ("credential", "packed", "digest", "entry")


class Clerk:
    """Takes casts from any number of tasks; several clerks, in one process or many, may work on one database."""

    def __init__(self, database: Database, secrets: Secrets) -> None:
        self._database, self._sealing = database, Sealing(secrets)
        self._statement = lock_statement(sqlite=database.is_sqlite)
        self._election: Election | None = None
        self._together: Together[Waiting, CastOutcome] = Together(
            "votes", self._lock, prepare=self._make_ready, turn=database.writers_turn
        )

    async def finish(self) -> None:
        """Wait until every cast that was taken is answered."""
        await self._together.finish()

    async def cast(self, cast: Cast, now: datetime) -> CastOutcome:
        """Lock this vote, or give the receipt it has already; returns after commit.

        PollNotOpen, NotEligible, PackVoid, PackLockedOut, UnknownIntent (not this chat's), UnknownOption,
        RuleChanged, PaperGone, BallotRefusal (a ballot from outside that does not hold), AlreadyVoted (the member's
        vote was locked elsewhere, before this press); TooMany, Fault.
        """
        return await self._together.ask(Waiting(cast, now))

    async def _make_ready(self, together: Sequence[Waiting]) -> None:
        """Seal and check ballots while others are being locked. Before the opening there is nothing to lock."""
        async with self._database.reading() as connection:
            if self._election is None:
                poll = await load_bound(connection)
                if poll.phase is Phase.PREPARING:
                    return
                self._election = election_of(poll)  # it does not change any more
            await self._sealing.make_ready(connection, self._election, together)

    async def _lock(self, together: Sequence[Waiting]) -> list[CastOutcome | Exception]:
        """Lock what can be locked, in one transaction; then say of the rest why not."""
        async with self._database.writing() as connection:
            chosen: dict[Paper, tuple[Waiting, Ready]] = {}  # a double tap: the first is tried, the second is a replay
            for waiting in together:
                if waiting.ballot is not None:
                    chosen.setdefault(waiting.paper, (waiting, waiting.ballot))
            fresh = await self._lock_batch(connection, chosen) if chosen else {}
            answers = [fresh.pop(waiting.paper, None) if waiting.ballot else None for waiting in together]
            rest = [waiting for waiting, answer in zip(together, answers, strict=True) if answer is None]
            explained = iter(await explain(connection, await load(connection), rest) if rest else ())
        return [answer or next(explained) for answer in answers]

    async def _lock_batch(
        self, connection: AsyncConnection, chosen: Mapping[Paper, tuple[Waiting, Ready]]
    ) -> dict[Paper, CastOutcome]:
        """Lock the member of each cast who can be, and store the ballot; return the outcome by paper."""
        batch = [
            {
                "place": place,
                "intent": waiting.cast.intent_id,
                "chat": waiting.cast.chat,
                "rule": waiting.cast.rule_version,
                "receipt": ballot.mark,
                "credential": ballot.credential.hex(),
                "at": microseconds(waiting.now),
            }
            for place, (waiting, ballot) in enumerate(chosen.values())
        ]
        found = (await connection.execute(self._statement, {"batch": json.dumps(batch)})).all()
        if not found:
            return {}
        won = {(intent_id, chat): (member_id, *chosen[intent_id, chat]) for intent_id, chat, member_id in found}
        entry = await _write(connection, [(waiting, ballot) for _, waiting, ballot in won.values()])
        await forget_secrets(connection, [member_id for member_id, _, _ in won.values()])
        return {
            paper: CastOutcome(ballot.mark, waiting.now, member_id, fresh=True, digest=ballot.digest, entry=entry)
            for paper, (member_id, waiting, ballot) in won.items()
        }


async def _write(connection: AsyncConnection, locked: Sequence[tuple[Waiting, Ready]]) -> int:
    """Write the chain's entry that names these ballots, and store them under it; give its number."""
    body = {"n": len(locked), "ballots": sorted(ballot.digest.hex() for _, ballot in locked)}
    latest = max(waiting.now for waiting, _ in locked)
    entry = await chain.append(connection, "votes_locked", body, by=By.system(latest))
    rows = sorted((ballot.credential, ballot.packed, ballot.digest, entry.seq) for _, ballot in locked)
    await insert_rows(connection, schema.ballot, _BALLOT, rows)
    return entry.seq
