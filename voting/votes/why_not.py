"""Why the statement did not lock a cast: mostly because it did so before, and then the receipt is given again."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Select, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.ballots.refusals import FieldWrong
from voting.model import How, Lock, Poll
from voting.refusals import (
    AlreadyVoted,
    Fault,
    NotEligible,
    PackLockedOut,
    PackVoid,
    PaperGone,
    PollNotOpen,
    RuleChanged,
    UnknownIntent,
    UnknownOption,
)
from voting.store.many_values import among, listed
from voting.votes.cast import Cast, CastOutcome, Waiting
from voting.votes.locks import find_locks


class _Opened(NamedTuple):
    """An intent with what decides about it."""

    id: str
    member_id: int
    chat: str
    eligible: bool
    ineligible_reason: str | None
    pack_state: str
    locked_out_at: datetime | None
    credential: bytes


class _Kept(NamedTuple):
    """A ballot that was locked."""

    digest: bytes
    entry: int


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
            schema.pack.c.credential,
        )
        .join(schema.member, schema.member.c.id == schema.intent.c.member_id)
        .join(schema.pack, schema.pack.c.id == schema.intent.c.pack_id)
        .where(among(engine, schema.intent.c.id))
    )


async def explain(connection: AsyncConnection, poll: Poll, rest: Sequence[Waiting]) -> list[CastOutcome | Exception]:
    """Answer casts that were not locked now: the receipt again, or why not; a vote cast elsewhere leaves its trace."""
    intents = await _intents(connection, {waiting.cast.intent_id for waiting in rest})
    locks = await find_locks(connection, {intent.member_id for intent in intents.values()})
    ballots = await _ballots_of(connection, locks.values())
    answers = []
    for waiting in rest:
        intent = intents.get(waiting.cast.intent_id)
        lock = locks.get(intent.member_id) if intent else None
        answers.append(_explain(poll, waiting, intent, lock, ballots))
    refused = [
        one
        for one, answer in zip(rest, answers, strict=True)
        if isinstance(answer, AlreadyVoted)
        and answer.facts["how"] is How.ONLINE  # then from another chat, by `_replay`
    ]
    if refused:
        await _leave_trace(connection, refused)
    return answers


async def _leave_trace(connection: AsyncConnection, refused: Sequence[Waiting]) -> None:
    """Note on each paper that it was cast after a vote online from another chat: no attempt, but staff see it."""
    papers = {waiting.cast.intent_id: waiting.now for waiting in refused}
    first = schema.intent.c.refused_at.is_(None)
    for intent_id, at in papers.items():
        statement = update(schema.intent).where(schema.intent.c.id == intent_id, first)
        await connection.execute(statement.values(refused_at=at))


def _explain(
    poll: Poll, waiting: Waiting, intent: _Opened | None, lock: Lock | None, ballots: Mapping[str, _Kept]
) -> CastOutcome | Exception:
    """Say why the statement did not lock this cast: mostly because it did so before."""
    if intent is None or intent.chat != waiting.cast.chat:
        return UnknownIntent()
    if lock is not None:
        return _replay(lock, waiting.cast, ballots)
    return _why_not(poll, waiting, intent)


def _why_not(poll: Poll, waiting: Waiting, intent: _Opened) -> Exception:
    """Say why a member without a lock could not be locked."""
    if not poll.takes_votes(waiting.now):
        return PollNotOpen(opens_at=poll.opens_at, closes_at=poll.closes_at)
    if not intent.eligible:
        return NotEligible(reason=intent.ineligible_reason)
    if intent.pack_state != "live":
        return PackVoid()
    return PackLockedOut() if intent.locked_out_at is not None else _wrong_with_ballot(poll, waiting, intent)


def _wrong_with_ballot(poll: Poll, waiting: Waiting, intent: _Opened) -> Exception:
    if waiting.fault is not None:
        return UnknownOption() if waiting.cast.ballot is None else waiting.fault
    if waiting.cast.rule_version != poll.rule_version:
        return RuleChanged()
    if waiting.ballot is None:
        return PaperGone()
    if waiting.ballot.credential != intent.credential:
        return FieldWrong("credential", problem="the credential whose codes were given")
    return Fault("a vote in time was not locked: another ballot has its mark, or something changed at this moment")


def _replay(lock: Lock, cast: Cast, ballots: Mapping[str, _Kept]) -> CastOutcome | Exception:
    """Give the receipt again to the chat that voted, whichever of its papers it pressed; others get AlreadyVoted.

    An intent can only be opened before the lock, so a press from another chat is innocent too: no attempt.
    """
    if lock.receipt is not None and lock.chat == cast.chat:
        kept = ballots[lock.receipt]
        return CastOutcome(lock.receipt, lock.at, lock.member_id, fresh=False, digest=kept.digest, entry=kept.entry)
    return AlreadyVoted(how=lock.how, at=lock.at)


async def _ballots_of(connection: AsyncConnection, locks: Collection[Lock]) -> dict[str, _Kept]:
    """Give what is kept of the ballots of these locks, by receipt."""
    packs = {lock.pack_id for lock in locks if lock.receipt is not None}
    if not packs:
        return {}
    rows = await connection.execute(_kept(connection.dialect.name), listed(packs))
    return {row.receipt: _Kept(row.digest, row.entry) for row in rows}


@cache
def _kept(engine: str) -> Select[tuple[Any, ...]]:
    lock, pack, ballot = schema.lock, schema.pack, schema.ballot
    return (
        select(lock.c.receipt, ballot.c.digest, ballot.c.entry)
        .join(pack, pack.c.id == lock.c.pack_id)
        .join(ballot, ballot.c.credential == pack.c.credential)
        .where(among(engine, lock.c.pack_id))
    )
