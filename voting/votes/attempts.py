"""What a vote after the lock means, and the one case per member that gathers such attempts for people to decide.

Nothing here accuses: an attempt says that valid codes, or a paper, came after the lock, and from where. It may be a
mistake, a theft, or the first vote may have been the theft. The first vote stands in every class.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.audit import chain
from voting.model import By, How, Lock
from voting.store.inserts import insert_into


class Kind(StrEnum):
    """The class of an attempt."""

    REPEAT = "repeat"  # same chat, after it was warned
    FOREIGN = "foreign"  # another account or phone, after it was warned
    ONLINE_AFTER_POST = "online_after_post"
    POST_AFTER_ONLINE = "post_after_online"


class Source(StrEnum):
    """Where codes or a paper came from, seen from the lock."""

    SAME_CHAT = "same_chat"
    SAME_CHAT_WARNED = "same_chat_warned"
    OTHER_CHAT = "other_chat"
    OTHER_CHAT_WARNED = "other_chat_warned"
    PAPER = "paper"


# None: this chat was not warned yet, so this is not an attempt; the asker is told that the vote is locked. It may be
# the wrong letter at the same table, or the member's own second phone.
CLASSES: Final[dict[tuple[How, Source], Kind | None]] = {
    (How.ONLINE, Source.SAME_CHAT): None,
    (How.ONLINE, Source.SAME_CHAT_WARNED): Kind.REPEAT,
    (How.ONLINE, Source.OTHER_CHAT): None,
    (How.ONLINE, Source.OTHER_CHAT_WARNED): Kind.FOREIGN,
    (How.ONLINE, Source.PAPER): Kind.POST_AFTER_ONLINE,
    (How.POST, Source.OTHER_CHAT): None,
    (How.POST, Source.OTHER_CHAT_WARNED): Kind.ONLINE_AFTER_POST,
}


@dataclass(frozen=True, slots=True)
class AttemptSeen:
    """An attempt as recorded. `new` is False when this occasion was recorded before: nobody is told twice."""

    case_id: int
    attempt_id: int
    member_id: int
    kind: Kind
    at: datetime
    chat: str | None
    new: bool
    attempts_in_case: int


OnAttempt = Callable[[AsyncConnection, AttemptSeen], Awaitable[None]]


async def tell_nobody(_connection: AsyncConnection, _seen: AttemptSeen) -> None:
    """Stand in where no staff are to be told (a library's use, a rehearsal)."""


def classify(lock: Lock, *, chat: str | None, paper: bool, warned: bool) -> Kind | None:
    """Give the class of a vote that came after `lock`; None when the asker must be warned first.

    `chat` asked, or a `paper` came; `warned`: that chat was told, after the lock, that codes again are reported.
    """
    if paper:
        source = Source.PAPER
    elif chat != lock.chat:
        source = Source.OTHER_CHAT_WARNED if warned else Source.OTHER_CHAT
    else:
        source = Source.SAME_CHAT_WARNED if warned else Source.SAME_CHAT
    return CLASSES[lock.how, source]


async def record(
    connection: AsyncConnection,
    *,
    member_id: int,
    kind: Kind,
    pack_id: int,
    chat: str | None,
    occasion: str,
    on_attempt: OnAttempt,
    now: datetime,
) -> AttemptSeen:
    """Record an attempt, open or join the member's case, and tell staff, all in the caller's transaction.

    The same `occasion` (one run of a conversation, one scan) is recorded and told once.
    """
    case_id = await open_case(connection, member_id, now)
    known = select(schema.attempt).where(schema.attempt.c.member_id == member_id, schema.attempt.c.occasion == occasion)
    attempt_id = None
    # Looked for first: on SQLite the trigger that protects attempts fires before ON CONFLICT is considered.
    if (await connection.execute(known)).first() is None:
        statement = insert_into(connection, schema.attempt).values(
            case_id=case_id, member_id=member_id, kind=kind, at=now, chat=chat, pack_id=pack_id, occasion=occasion
        )
        attempt_id = await connection.scalar(
            statement.on_conflict_do_nothing(index_elements=["member_id", "occasion"]).returning(schema.attempt.c.id)
        )
    new = attempt_id is not None
    if not new:
        row = (await connection.execute(known)).one()
        attempt_id, kind = row.id, Kind(row.kind)
    counted = await connection.scalar(select(func.count()).where(schema.attempt.c.case_id == case_id))
    seen = AttemptSeen(case_id, int(attempt_id or 0), member_id, kind, now, chat, new, int(counted or 0))
    if new:
        await _reopen(connection, case_id)
        await chain.append(connection, "attempt_recorded", {"class": str(kind)}, by=By.system(now))
        await on_attempt(connection, seen)
    return seen


async def open_case(connection: AsyncConnection, member_id: int, now: datetime) -> int:
    """Open the member's case, or find the one there is; return its id."""
    statement = insert_into(connection, schema.case).values(member_id=member_id, opened_at=now, state="open", version=1)
    made = await connection.scalar(
        statement.on_conflict_do_nothing(index_elements=["member_id"]).returning(schema.case.c.id)
    )
    if made is None:
        made = await connection.scalar(select(schema.case.c.id).where(schema.case.c.member_id == member_id))
    return int(made or 0)


async def _reopen(connection: AsyncConnection, case_id: int) -> None:
    """Open a proposed or settled case again: a new attempt changes what was decided upon."""
    await connection.execute(
        update(schema.case)
        .where(schema.case.c.id == case_id)
        .values(
            state="open",
            version=schema.case.c.version + 1,
            outcome=None,
            proposed_by=None,
            proposed_at=None,
            settled_by=None,
            settled_at=None,
        )
    )


assert set(CLASSES) == {
    (how, source)
    for how in How
    for source in Source
    if not (how is How.POST and source in {Source.SAME_CHAT, Source.SAME_CHAT_WARNED, Source.PAPER})
}
