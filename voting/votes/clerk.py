"""The only writer of votes: casts that wait together are locked by one statement in one transaction.

The database judges, not Python: the statement locks whoever has no lock, may vote, holds a live pack and is in time,
and says whom it locked. Only their ballots go into the tray, in the same transaction; everybody is answered after
commit. An intent is one showing of the paper: pressing it again gives the same receipt again, never an attempt.
"""

import asyncio
import base64
import hashlib
import json
import secrets as randomness
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.audit import chain
from voting.codes.format import ALPHABET
from voting.codes.hashing import keyed_hash
from voting.model import By, Lock, Phase, Poll
from voting.poll.polls import load
from voting.refusals import (
    AlreadyVoted,
    Fault,
    NotEligible,
    PackLockedOut,
    PackVoid,
    PollNotOpen,
    UnknownIntent,
    UnknownOption,
)
from voting.sealing.seal import seal
from voting.secrets_file import Secrets
from voting.store.columns import microseconds
from voting.store.database import Database
from voting.store.inserts import insert_rows
from voting.store.many_values import among, listed
from voting.store.together import Together
from voting.votes.locks import find_locks

RECEIPT_CHARACTERS: Final = 10
RECEIPT_GROUP: Final = 5
BALLOT_ID_BYTES: Final = 16
ON_THE_SPOT_MAX: Final = 8  # ballots; more are sealed by two threads
# A byte is a letter by its remainder: eight letters come up nine times for eight of the others, 49 bits in all.
_LETTER_OF: Final = bytes(ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256))


# One parameter carries the whole batch as JSON. NOT EXISTS keeps the judges (the keys, the triggers) out of ordinary
# work: a second lock, and a receipt that by chance somebody has already. ON CONFLICT is for another process that
# was faster within its own transaction. Each cast keeps its own time: nobody's lock is older than their paper. Of two
# papers of one member the first that was pressed counts.
_LOCK: Final = """
INSERT INTO lock (member_id, how, at, pack_id, intent_id, receipt, chat)
SELECT intent.member_id, 'online', {at}, intent.pack_id, intent.id, {receipt}, intent.chat
FROM {batch}
JOIN intent ON intent.id = {intent_id} AND intent.chat = {chat}
JOIN member ON member.id = intent.member_id AND member.eligible
JOIN pack ON pack.id = intent.pack_id AND pack.state = 'live' AND pack.locked_out_at IS NULL
JOIN poll ON poll.phase = 'open' AND poll.opens_at <= {at} AND {at} < poll.closes_at
WHERE NOT EXISTS (SELECT 1 FROM lock AS earlier WHERE earlier.member_id = intent.member_id)
  AND NOT EXISTS (SELECT 1 FROM lock AS twin WHERE twin.receipt = {receipt})
{first}
ON CONFLICT DO NOTHING
RETURNING intent_id, chat, member_id
"""
_SQLITE: Final = _LOCK.format(
    batch="json_each(:batch) AS cast_",
    intent_id="json_extract(cast_.value, '$.intent')",
    chat="json_extract(cast_.value, '$.chat')",
    receipt="json_extract(cast_.value, '$.receipt')",
    at="json_extract(cast_.value, '$.at')",
    first="GROUP BY intent.member_id HAVING min(cast_.key) >= 0",  # the other columns are those of the row with the min
)
_POSTGRESQL: Final = _LOCK.format(
    batch="jsonb_to_recordset(CAST(:batch AS jsonb))"
    " AS cast_(intent text, chat text, receipt text, at bigint, place integer)",
    intent_id="cast_.intent",
    chat="cast_.chat",
    receipt="cast_.receipt",
    at="cast_.at",
    # Whoever closes the poll, lapses a member or replaces a pack at this moment waits for us, or we for them.
    first="ORDER BY intent.member_id, cast_.place FOR SHARE OF poll, pack, member",
)


@dataclass(frozen=True, slots=True, repr=False)
class Cast:
    """A press on 'Cast my vote'. It has no repr: what was chosen must not reach a log."""

    intent_id: str
    chat: str
    option: int


@dataclass(frozen=True, slots=True)
class CastOutcome:
    """The vote is locked. `fresh` is False when it was locked before and this is the same receipt again."""

    receipt: str
    at: datetime
    member_id: int
    fresh: bool


@dataclass(slots=True, repr=False)
class _Waiting:
    cast: Cast
    now: datetime
    form: "_Form | None" = None
    ballot: bytes = b""  # sealed for this form; empty: for an option that there is not

    @property
    def paper(self) -> "_Paper":
        return self.cast.intent_id, self.cast.chat


class _Form(NamedTuple):
    election_key: bytes | None
    options: int


_Paper = tuple[str, str]  # an intent's id, and the chat it is pressed in


def receipt_for(key: bytes, poll_id: str, intent_id: str) -> str:
    """Make an intent's receipt: 10 characters that depend on the showing of the paper and on nothing chosen."""
    digest = keyed_hash(key, b"ballotline receipt 1", poll_id.encode(), intent_id.encode())
    letters = digest[:RECEIPT_CHARACTERS].translate(_LETTER_OF).decode()
    return f"{letters[:RECEIPT_GROUP]}-{letters[RECEIPT_GROUP:]}"


class Clerk:
    """Takes casts from any number of tasks; several clerks, in one process or many, may work on one database."""

    def __init__(self, database: Database, secrets: Secrets) -> None:
        self._database, self._secrets = database, secrets
        self._statement = text(_SQLITE if database.is_sqlite else _POSTGRESQL)
        self._known_form: _Form | None = None
        self._together: Together[_Waiting, CastOutcome] = Together(
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
        return await self._together.ask(_Waiting(cast, now))

    async def _seal(self, together: Sequence[_Waiting]) -> None:
        """Seal ballots while others are being locked."""
        form = await self._form()
        if len(together) > ON_THE_SPOT_MAX:
            half = len(together) // 2
            parts = (together[:half], together[half:])
            await asyncio.gather(*(asyncio.to_thread(_seal, form, part) for part in parts))
        else:
            _seal(form, together)

    async def _lock(self, together: Sequence[_Waiting]) -> list[CastOutcome | Exception]:
        """Lock what can be locked, in one transaction; then say of the rest why not."""
        async with self._database.writing() as connection:
            poll = await load(connection)
            form = _form_of(poll)
            chosen: dict[_Paper, _Waiting] = {}  # a double tap: the first is tried, the second is a replay
            for waiting in together:
                if waiting.form == form and waiting.ballot:
                    chosen.setdefault(waiting.paper, waiting)
            fresh = await self._lock_batch(connection, poll, chosen)
            answers = [
                fresh.get(waiting.paper) if chosen.get(waiting.paper) is waiting else None for waiting in together
            ]
            rest = [waiting for waiting, answer in zip(together, answers, strict=True) if answer is None]
            explained = iter(await _explain_all(connection, poll, rest) if rest else ())
        return [answer or next(explained) for answer in answers]

    async def _form(self) -> _Form:
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
        self, connection: AsyncConnection, poll: Poll, chosen: Mapping[_Paper, _Waiting]
    ) -> dict[_Paper, CastOutcome]:
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


class _Opened(NamedTuple):
    """An intent with what decides about it."""

    id: str
    member_id: int
    chat: str
    eligible: bool
    ineligible_reason: str | None
    pack_state: str
    locked_out_at: datetime | None


async def _intents(connection: AsyncConnection, ids: Collection[str]) -> dict[str, _Opened]:
    rows = await connection.execute(_opened(connection.dialect.name), listed(ids))
    return {row[0]: _Opened(*row) for row in rows}


@cache
def _opened(engine: str) -> Select[tuple[Any, ...]]:
    return (
        select(
            schema.intent.c.id,
            schema.intent.c.member_id,
            schema.intent.c.chat,
            schema.member.c.eligible,
            schema.member.c.ineligible_reason,
            schema.pack.c.state,
            schema.pack.c.locked_out_at,
        )
        .join(schema.member, schema.member.c.id == schema.intent.c.member_id)
        .join(schema.pack, schema.pack.c.id == schema.intent.c.pack_id)
        .where(among(engine, schema.intent.c.id))
    )


async def _explain_all(
    connection: AsyncConnection, poll: Poll, rest: Sequence[_Waiting]
) -> list[CastOutcome | Exception]:
    intents = await _intents(connection, {waiting.cast.intent_id for waiting in rest})
    locks = await find_locks(connection, {intent.member_id for intent in intents.values()})
    answers = []
    for waiting in rest:
        intent = intents.get(waiting.cast.intent_id)
        answers.append(_explain(poll, waiting, intent, locks.get(intent.member_id) if intent else None))
    refused = [one for one, answer in zip(rest, answers, strict=True) if isinstance(answer, AlreadyVoted)]
    if refused:
        await _leave_trace(connection, refused)
    return answers


async def _leave_trace(connection: AsyncConnection, refused: Sequence[_Waiting]) -> None:
    """Note on each paper that it was cast after its member had voted elsewhere: no attempt, but staff see it."""
    papers = {waiting.cast.intent_id: waiting.now for waiting in refused}
    first = schema.intent.c.refused_at.is_(None)
    for intent_id, at in papers.items():
        statement = update(schema.intent).where(schema.intent.c.id == intent_id, first)
        await connection.execute(statement.values(refused_at=at))


def _explain(poll: Poll, waiting: _Waiting, intent: _Opened | None, lock: Lock | None) -> CastOutcome | Exception:
    """Say why the statement did not lock this cast: mostly because it did so before."""
    if waiting.cast.option not in range(len(poll.options)):
        return UnknownOption()
    if intent is None or intent.chat != waiting.cast.chat:
        return UnknownIntent()
    if lock is not None:
        return _replay(lock, waiting.cast)
    return _why_not(poll, waiting, intent)


def _why_not(poll: Poll, waiting: _Waiting, intent: _Opened) -> Exception:
    """Say why a member without a lock could not be locked."""
    if not poll.takes_votes(waiting.now):
        return PollNotOpen(opens_at=poll.opens_at, closes_at=poll.closes_at)
    if not intent.eligible:
        return NotEligible(reason=intent.ineligible_reason)
    if intent.pack_state != "live":
        return PackVoid()
    if intent.locked_out_at is not None:
        return PackLockedOut()
    return Fault("a vote in time was not locked: its receipt is somebody else's, or the poll got its key meanwhile")


def _replay(lock: Lock, cast: Cast) -> CastOutcome | Exception:
    """Give the receipt again to the chat that voted, whichever of its papers it pressed; others learn the fact.

    An intent can only be opened before the lock, so a press from another chat is innocent too: no attempt.
    """
    if lock.receipt is not None and lock.chat == cast.chat:
        return CastOutcome(lock.receipt, lock.at, lock.member_id, fresh=False)
    return AlreadyVoted(how=lock.how, at=lock.at)


def _form_of(poll: Poll) -> _Form:
    return _Form(poll.election_key, len(poll.options))


def _seal(form: _Form, together: Sequence[_Waiting]) -> None:
    if form.election_key is None:  # nothing can be locked either
        return
    for waiting in together:
        waiting.form = form
        if waiting.cast.option in range(form.options):
            waiting.ballot = seal(form.election_key, waiting.cast.option, options=form.options)


async def _put_in_tray(connection: AsyncConnection, won: Sequence[_Waiting]) -> None:
    """Store ballots in the order of random ids: where a ballot lies says nothing about who cast it."""
    rows = sorted((randomness.token_bytes(BALLOT_ID_BYTES), waiting.ballot) for waiting in won)
    await insert_rows(connection, schema.tray, ("id", "sealed"), rows)


def new_intent_id() -> str:
    """Make an intent's id: 16 characters that fit a button."""
    return base64.urlsafe_b64encode(randomness.token_bytes(12)).decode()
