"""What right codes lead to: to vote, a voting paper or, after the lock, a warning and then an attempt; else nothing."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.model import Intent, Lock, Poll
from voting.refusals import NotEligible, PollNotOpen
from voting.secrets_file import Secrets
from voting.store.columns import microseconds
from voting.store.inserts import insert_rows
from voting.votes.attempts import AttemptSeen, OnAttempt, classify, record
from voting.votes.cast import new_intent_id
from voting.votes.packs_found import Pack
from voting.votes.sealing import close_secret

_INTENT: Final = ("id", "member_id", "pack_id", "chat", "opened_at", "message", "credential_secret")


class Purpose(StrEnum):
    """What codes are given for."""

    VOTE = "vote"
    VERIFY = "verify"  # never an attempt


@dataclass(frozen=True, slots=True)
class CodesGood:
    """Both codes are right. For VOTE exactly one of `intent` and `lock` is there.

    With a lock: `attempt` was recorded, or `warn_first` says that this chat has to be warned before anything is.
    """

    pack_id: int
    member_id: int
    lock: Lock | None
    intent: Intent | None
    attempt: AttemptSeen | None
    warn_first: bool


@dataclass(slots=True, repr=False)
class VoteAsk:
    """Both codes given, and how; it has no repr, for the codes must not reach a log.

    `pack` is the hash of the pack code. From `codes` the credential is derived before the ask is judged; whoever proved
    to have both (the voting page) names the credential alone, and no secret waits with the paper; `paper` is then the
    id that the intent gets, so that the same ask, sent again, is the same paper.
    """

    pack: bytes
    chat: str
    purpose: Purpose
    flow: str
    message: str | None
    warned: bool
    now: datetime
    codes: tuple[str, str, str] | None  # pack code, vote code, the election's uuid
    secret: int | None = None
    credential: bytes = b""
    paper: str | None = None


async def what_follows(
    connection: AsyncConnection, poll: Poll, pack: Pack, lock: Lock | None, ask: VoteAsk, *, on_attempt: OnAttempt
) -> CodesGood | NotEligible | PollNotOpen:
    """Say what right codes lead to: nothing (to verify), a paper, or what comes after the lock.

    The paper's intent is not stored yet (`open_papers`); an attempt is recorded, and told to `on_attempt`.
    """
    if ask.purpose is Purpose.VERIFY:
        return CodesGood(pack.id, pack.member_id, lock, None, None, warn_first=False)
    if lock is not None:
        return await _after_lock(connection, pack, lock, ask, on_attempt)
    if not poll.takes_votes(ask.now):
        return PollNotOpen(opens_at=poll.opens_at, closes_at=poll.closes_at)
    if not pack.eligible:
        return NotEligible(reason=pack.ineligible_reason)
    intent = Intent(ask.paper or new_intent_id(), pack.member_id, pack.id, ask.chat, ask.now)
    return CodesGood(pack.id, pack.member_id, None, intent, None, warn_first=False)


async def _after_lock(
    connection: AsyncConnection, pack: Pack, lock: Lock, ask: VoteAsk, on_attempt: OnAttempt
) -> CodesGood:
    kind = classify(lock, chat=ask.chat, paper=False, warned=ask.warned)
    if kind is None or ask.now < lock.at or await _opened_a_paper(connection, pack, ask):
        return CodesGood(pack.id, pack.member_id, lock, None, None, warn_first=True)
    attempt = await record(
        connection,
        member_id=pack.member_id,
        kind=kind,
        pack_id=pack.id,
        chat=ask.chat,
        occasion=ask.flow,
        on_attempt=on_attempt,
        now=ask.now,
    )
    return CodesGood(pack.id, pack.member_id, lock, None, attempt, warn_first=False)


async def open_papers(connection: AsyncConnection, secrets: Secrets, opened: Sequence[tuple[Intent, VoteAsk]]) -> None:
    """Store intents, each with the name of the message that its codes came in and, encrypted, its credential.

    Papers of the voting page that are stored already stay as they are.
    """
    known = await _known(connection, {ask.paper for _, ask in opened if ask.paper is not None})
    fresh = {intent.id: (intent, ask) for intent, ask in opened if intent.id not in known}
    rows = [
        (
            intent.id,
            intent.member_id,
            intent.pack_id,
            intent.chat,
            microseconds(intent.opened_at),
            ask.message,
            None if ask.secret is None else close_secret(secrets, ask.secret, ask.now),
        )
        for intent, ask in fresh.values()
    ]
    if rows:
        await insert_rows(connection, schema.intent, _INTENT, rows)


async def _known(connection: AsyncConnection, papers: Collection[str]) -> set[str]:
    if not papers:
        return set()
    return set(await connection.scalars(select(schema.intent.c.id).where(schema.intent.c.id.in_(papers))))


async def _opened_a_paper(connection: AsyncConnection, pack: Pack, ask: VoteAsk) -> bool:
    """Whether this very message opened a paper before the lock, and is here once more."""
    before = select(schema.intent.c.id).where(
        schema.intent.c.member_id == pack.member_id,
        schema.intent.c.chat == ask.chat,
        schema.intent.c.message == ask.message,
    )
    return ask.message is not None and (await connection.execute(before)).first() is not None
