"""The only writer of votes: casts that wait together are locked by one statement in one transaction.

The database decides, not Python: the statement locks whoever has no lock, may vote, holds a live pack and is in time,
and says whom it locked. Only their ballots go into the tray, in the same transaction; everybody is answered after
commit. An intent is one showing of the paper: pressing it again gives the same receipt again, never an attempt.
"""

import asyncio
import hashlib
import json
import secrets as randomness
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.audit import chain
from voting.model import By, Phase, Poll
from voting.poll.polls import load
from voting.sealing.seal import seal
from voting.secrets_file import Secrets
from voting.store.columns import microseconds
from voting.store.database import Database
from voting.store.inserts import insert_rows
from voting.store.together import Together
from voting.votes.cast import Cast, CastOutcome, Form, Paper, Waiting, receipt_for
from voting.votes.lock_sql import lock_statement
from voting.votes.why_not import explain

BALLOT_ID_BYTES: Final = 16
ON_THE_SPOT_MAX: Final = 8  # ballots; more are sealed by two threads


class Clerk:
    """Takes casts from any number of tasks; several clerks, in one process or many, may work on one database."""

    def __init__(self, database: Database, secrets: Secrets) -> None:
        self._database, self._secrets = database, secrets
        self._statement = lock_statement(sqlite=database.is_sqlite)
        self._known_form: Form | None = None
        self._together: Together[Waiting, CastOutcome] = Together(
            "votes", self._lock, prepare=self._seal, turn=database.writers_turn
        )

    async def finish(self) -> None:
        """Wait until every cast that was taken is answered."""
        await self._together.finish()

    async def cast(self, cast: Cast, now: datetime) -> CastOutcome:
        """Lock this vote, or give the receipt it has already; returns after commit.

        PollNotOpen, NotEligible, PackVoid, PackLockedOut, UnknownIntent (not this chat's), UnknownOption,
        AlreadyVoted (the member's vote was locked elsewhere, before this press); TooMany, Fault.
        """
        return await self._together.ask(Waiting(cast, now))

    async def _seal(self, together: Sequence[Waiting]) -> None:
        """Seal ballots while others are being locked."""
        form = await self._form()
        if len(together) > ON_THE_SPOT_MAX:
            half = len(together) // 2
            parts = (together[:half], together[half:])
            await asyncio.gather(*(asyncio.to_thread(_seal, form, part) for part in parts))
        else:
            _seal(form, together)

    async def _lock(self, together: Sequence[Waiting]) -> list[CastOutcome | Exception]:
        """Lock what can be locked, in one transaction; then say of the rest why not."""
        async with self._database.writing() as connection:
            poll = await load(connection)
            form = _form_of(poll)
            chosen: dict[Paper, Waiting] = {}  # a double tap: the first is tried, the second is a replay
            for waiting in together:
                if waiting.form == form and waiting.ballot:
                    chosen.setdefault(waiting.paper, waiting)
            fresh = await self._lock_batch(connection, poll, chosen)
            answers = [
                fresh.get(waiting.paper) if chosen.get(waiting.paper) is waiting else None for waiting in together
            ]
            rest = [waiting for waiting, answer in zip(together, answers, strict=True) if answer is None]
            explained = iter(await explain(connection, poll, rest) if rest else ())
        return [answer or next(explained) for answer in answers]

    async def _form(self) -> Form:
        """Give what ballots are sealed with: it may change until the poll opens, and then never again."""
        if self._known_form is not None:
            return self._known_form
        async with self._database.reading() as connection:
            poll = await load(connection)
        form = _form_of(poll)
        if poll.phase is Phase.OPEN:
            self._known_form = form
        return form

    async def _lock_batch(
        self, connection: AsyncConnection, poll: Poll, chosen: Mapping[Paper, Waiting]
    ) -> dict[Paper, CastOutcome]:
        """Lock the member of each cast who can be; return the outcome by paper."""
        receipts = {paper: receipt_for(self._secrets.receipt_key, poll.id, paper[0]) for paper in chosen}
        batch = [
            {
                "place": place,
                "intent": paper[0],
                "chat": paper[1],
                "receipt": receipts[paper],
                "at": microseconds(waiting.now),
            }
            for place, (paper, waiting) in enumerate(chosen.items())
        ]
        found = (await connection.execute(self._statement, {"batch": json.dumps(batch)})).all() if batch else []
        members = {(intent_id, chat): member_id for intent_id, chat, member_id in found}
        won = {
            paper: CastOutcome(receipts[paper], waiting.now, members[paper], fresh=True)
            for paper, waiting in chosen.items()
            if paper in members
        }
        if won:
            await _put_in_tray(connection, [chosen[paper] for paper in won])
            given = "\n".join(sorted(outcome.receipt for outcome in won.values()))
            body = {"n": len(won), "receipts": hashlib.sha256(given.encode()).hexdigest()}
            latest = max(outcome.at for outcome in won.values())
            await chain.append(connection, "votes_locked", body, by=By.system(latest))
        return won


def _form_of(poll: Poll) -> Form:
    return Form(poll.election_key, len(poll.options))


def _seal(form: Form, together: Sequence[Waiting]) -> None:
    if form.election_key is None:  # nothing can be locked either
        return
    for waiting in together:
        waiting.form = form
        if waiting.cast.option in range(form.options):
            waiting.ballot = seal(form.election_key, waiting.cast.option, options=form.options)


async def _put_in_tray(connection: AsyncConnection, won: Sequence[Waiting]) -> None:
    """Store ballots in the order of random ids: where a ballot lies says nothing about who cast it."""
    rows = sorted((randomness.token_bytes(BALLOT_ID_BYTES), waiting.ballot) for waiting in won)
    await insert_rows(connection, schema.tray, ("id", "sealed"), rows)
