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
from collections import Counter
from collections.abc import Awaitable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import chain, schema
from voting.among import among, listed
from voting.code_format import ALPHABET
from voting.columns import microseconds
from voting.database import Database
from voting.keyed import keyed_hash
from voting.locks import find_locks
from voting.model import Lock, Phase, Poll
from voting.polls import load
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
from voting.seal import seal
from voting.secrets_file import Secrets
from voting.together import Together
from voting.upsert import insert_rows

RECEIPT_CHARACTERS: Final = 10
RECEIPT_GROUP: Final = 5
BALLOT_ID_BYTES: Final = 16
ON_THE_SPOT_MAX: Final = 8  # ballots; more are sealed by two threads
# A byte is a letter by its remainder: eight letters come up nine times for eight of the others, 49 bits in all.
_LETTER_OF: Final = bytes(ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256))


# One parameter carries the whole batch as JSON. NOT EXISTS keeps the judges (the keys, the triggers) out of ordinary
# work: a second lock, and a receipt that by chance somebody has already. ON CONFLICT is for another process that
# was faster within its own transaction. Each cast keeps its own time: nobody's lock is older than their paper.
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
{hold}
ON CONFLICT DO NOTHING
RETURNING intent_id
"""
_SQLITE: Final = _LOCK.format(
    batch="json_each(:batch) AS cast_",
    intent_id="json_extract(cast_.value, '$.intent')",
    chat="json_extract(cast_.value, '$.chat')",
    receipt="json_extract(cast_.value, '$.receipt')",
    at="json_extract(cast_.value, '$.at')",
    hold="",
)
_POSTGRESQL: Final = _LOCK.format(
    batch="jsonb_to_recordset(CAST(:batch AS jsonb)) AS cast_(intent text, chat text, receipt text, at bigint)",
    intent_id="cast_.intent",
    chat="cast_.chat",
    receipt="cast_.receipt",
    at="cast_.at",
    # Whoever closes the poll, lapses a member or replaces a pack at this moment waits for us, or we for them.
    hold="ORDER BY intent.member_id FOR SHARE OF poll, pack, member",
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
    ballot: bytes = b""  # sealed while the database decides; empty: for an option that there is not


class _Form(NamedTuple):
    election_key: bytes | None
    options: int


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
        self._together: Together[_Waiting, CastOutcome] = Together("votes", self._lock)

    async def finish(self) -> None:
        """Wait until every cast that was taken is answered."""
        await self._together.finish()

    async def cast(self, cast: Cast, now: datetime) -> CastOutcome:
        """Lock this vote, or give the receipt it has already; returns after commit.

        PollNotOpen, NotEligible, PackVoid, PackLockedOut, UnknownIntent (not this chat's), UnknownOption,
        AlreadyVoted (the member's vote was locked elsewhere, before this press); TooMany, Fault.
        """
        return await self._together.ask(_Waiting(cast, now))

    async def _lock(self, together: Sequence[_Waiting]) -> list[CastOutcome | Exception]:
        """Seal all, and meanwhile lock what can be locked, in one transaction."""
        form = await self._form()
        sealing = asyncio.create_task(_seal_all(form, together))
        try:
            async with self._database.writing() as connection:
                return await self._decide(connection, form, together, sealing)
        finally:
            await sealing

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

    async def _decide(
        self, connection: AsyncConnection, form: _Form, together: Sequence[_Waiting], sealing: Awaitable[None]
    ) -> list[CastOutcome | Exception]:
        poll = await load(connection)
        if form != _form_of(poll):
            raise Fault("the poll was opened while a ballot was being sealed")
        intents = await _intents(connection, {waiting.cast.intent_id for waiting in together})
        fresh = await self._lock_batch(connection, poll, _to_lock(poll, intents, together), sealing)
        presses = Counter(waiting.cast.intent_id for waiting in together)
        rest = {one.member_id for one in intents.values() if one.id not in fresh or presses[one.id] > 1}
        locks = await find_locks(connection, rest) if rest else {}  # whoever was locked just now needs no looking up
        answers: list[CastOutcome | Exception] = []
        for waiting in together:
            won = fresh.pop(waiting.cast.intent_id, None)  # a double tap in one batch: the second is a replay
            intent = intents.get(waiting.cast.intent_id)
            answers.append(won or _explain(poll, waiting, intent, locks.get(intent.member_id) if intent else None))
        return answers

    async def _lock_batch(
        self, connection: AsyncConnection, poll: Poll, chosen: Mapping[int, _Waiting], sealing: Awaitable[None]
    ) -> dict[str, CastOutcome]:
        """Lock the member of each cast who can be; return the outcome by intent."""
        if not chosen:
            return {}
        receipts = {
            waiting.cast.intent_id: receipt_for(self._secrets.receipt_key, poll.id, waiting.cast.intent_id)
            for waiting in chosen.values()
        }
        batch = [
            {
                "intent": waiting.cast.intent_id,
                "chat": waiting.cast.chat,
                "receipt": receipts[waiting.cast.intent_id],
                "at": microseconds(waiting.now),
            }
            for waiting in chosen.values()
        ]
        found = await connection.execute(self._statement, {"batch": json.dumps(batch)})
        locked = set(found.scalars())
        won = {member_id: waiting for member_id, waiting in chosen.items() if waiting.cast.intent_id in locked}
        if not won:
            return {}
        await sealing
        await _put_in_tray(connection, list(won.values()))
        given = sorted(receipts[waiting.cast.intent_id] for waiting in won.values())
        digest = hashlib.sha256("\n".join(given).encode()).hexdigest()
        await chain.append(
            connection,
            "votes_locked",
            {"n": len(won), "receipts": digest},
            now=max(waiting.now for waiting in won.values()),
        )
        return {
            waiting.cast.intent_id: CastOutcome(receipts[waiting.cast.intent_id], waiting.now, member_id, fresh=True)
            for member_id, waiting in won.items()
        }


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


def _to_lock(poll: Poll, intents: Mapping[str, _Opened], together: Sequence[_Waiting]) -> dict[int, _Waiting]:
    """Choose what is worth trying to lock, by member: of two presses the first that can count does."""
    chosen: dict[int, _Waiting] = {}
    for waiting in together:
        intent = intents.get(waiting.cast.intent_id)
        if intent is None or intent.chat != waiting.cast.chat or intent.pack_state != "live":
            continue
        if poll.takes_votes(waiting.now) and waiting.cast.option in range(len(poll.options)):
            chosen.setdefault(intent.member_id, waiting)
    return chosen


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
    return Fault("a vote in time was not locked: its receipt is somebody else's; a new paper has another")


def _replay(lock: Lock, cast: Cast) -> CastOutcome | Exception:
    """Give the receipt again to the chat that voted, whichever of its papers it pressed; others learn the fact.

    An intent can only be opened before the lock, so a press from another chat is innocent too: no attempt.
    """
    if lock.receipt is not None and lock.chat == cast.chat:
        return CastOutcome(lock.receipt, lock.at, lock.member_id, fresh=False)
    return AlreadyVoted(how=lock.how, at=lock.at)


def _form_of(poll: Poll) -> _Form:
    return _Form(poll.election_key, len(poll.options))


async def _seal_all(form: _Form, together: Sequence[_Waiting]) -> None:
    if len(together) > ON_THE_SPOT_MAX:
        half = len(together) // 2
        await asyncio.gather(
            asyncio.to_thread(_seal, form, together[:half]), asyncio.to_thread(_seal, form, together[half:])
        )
    else:
        _seal(form, together)


def _seal(form: _Form, together: Sequence[_Waiting]) -> None:
    if form.election_key is None:  # nothing can be locked either
        return
    for waiting in together:
        if waiting.cast.option in range(form.options):
            waiting.ballot = seal(form.election_key, waiting.cast.option, options=form.options)


async def _put_in_tray(connection: AsyncConnection, won: Sequence[_Waiting]) -> None:
    """Store ballots in the order of random ids: where a ballot lies says nothing about who cast it."""
    rows = sorted((randomness.token_bytes(BALLOT_ID_BYTES), waiting.ballot) for waiting in won)
    await insert_rows(connection, schema.tray, ("id", "sealed"), rows)


def new_intent_id() -> str:
    """Make an intent's id: 16 characters that fit a button."""
    return base64.urlsafe_b64encode(randomness.token_bytes(12)).decode()
