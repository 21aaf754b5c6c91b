"""Cases: what people do with attempts. One person acknowledges, two different people settle.

No outcome withdraws anybody's membership: at most a case is referred to the organisation's own procedure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.audit import chain
from voting.model import By
from voting.refusals import CaseChanged, CaseSettled, CaseUnknown, NeedsSecondPerson, NothingProposed
from voting.typed_text import looks_like, one_line
from voting.votes.attempts import open_case
from voting.votes.locks import find_lock

NOTE_CHARACTERS_MAX: Final = 2_000
EXPORT_COLUMNS: Final = (
    "case",
    "member_no",
    "state",
    "locked_how",
    "locked_at",
    "disputed_at",
    "outcome",
    "proposed_by",
    "settled_by",
    "note",
    "attempt",
    "at",
    "same_chat",
)


class Outcome(StrEnum):
    """What two people decided."""

    EXPLAINED = "explained"  # an innocent reason was found
    NO_ACTION = "no_action"
    CODES_STOLEN = "codes_stolen"
    REFERRED = "referred"  # to the organisation's own procedure


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One attempt of a case."""

    id: int
    kind: str
    at: datetime
    chat: str | None


@dataclass(frozen=True, slots=True)
class Case:
    """A case as staff see it; never an option. `version` rises with every change."""

    id: int
    member_id: int
    member_no: str
    state: str
    version: int
    opened_at: datetime
    locked_how: str | None
    locked_at: datetime | None
    locked_chat: str | None
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    assigned_to: str | None
    outcome: str | None
    note: str | None
    proposed_by: str | None
    proposed_at: datetime | None
    settled_by: str | None
    settled_at: datetime | None
    disputed_at: datetime | None
    attempts: tuple[AttemptRow, ...]


_COLUMNS: Final = (
    "id",
    "member_id",
    "state",
    "version",
    "opened_at",
    "acknowledged_by",
    "acknowledged_at",
    "assigned_to",
    "outcome",
    "note",
    "proposed_by",
    "proposed_at",
    "settled_by",
    "settled_at",
    "disputed_at",
)


async def list_cases(
    connection: AsyncConnection, *, state: str | None = None, limit: int = 100, before_id: int | None = None
) -> list[Case]:
    """Give cases, newest first; `before_id` pages."""
    query = _cases().order_by(schema.case.c.id.desc()).limit(limit)
    if state is not None:
        query = query.where(schema.case.c.state == state)
    if before_id is not None:
        query = query.where(schema.case.c.id < before_id)
    return await _gathered(connection, query)


async def show_case(connection: AsyncConnection, case_id: int) -> Case:
    """Give one case; CaseUnknown."""
    found = await _gathered(connection, _cases().where(schema.case.c.id == case_id))
    if not found:
        raise CaseUnknown(case_id=case_id)
    return found[0]


async def case_of_member(connection: AsyncConnection, member_id: int) -> Case | None:
    """Give the member's case, if there is one."""
    found = await _gathered(connection, _cases().where(schema.case.c.member_id == member_id))
    return found[0] if found else None


async def acknowledge(connection: AsyncConnection, case_id: int, *, by: By) -> Case:
    """Say that somebody is looking; the first one counts and is who stands in the answer. CaseUnknown."""
    first = await connection.execute(
        update(schema.case)
        .where(schema.case.c.id == case_id, schema.case.c.acknowledged_by.is_(None))
        .values(acknowledged_by=by.actor, acknowledged_at=by.at, version=schema.case.c.version + 1)
    )
    if first.rowcount:
        await chain.append(connection, "case_acknowledged", {"case": case_id}, by=by)
    return await show_case(connection, case_id)


async def assign(connection: AsyncConnection, case_id: int, to: str, *, version: int, by: By) -> Case:
    """Give a case to somebody. CaseUnknown, CaseSettled, CaseChanged (somebody was faster than `version`)."""
    await _change(connection, case_id, version, assigned_to=to)
    await chain.append(connection, "case_assigned", {"case": case_id}, by=by)
    return await show_case(connection, case_id)


async def propose(
    connection: AsyncConnection, case_id: int, outcome: Outcome, note: str, *, version: int, by: By
) -> Case:
    """Propose an outcome; another person has to agree. CaseUnknown, CaseSettled, CaseChanged."""
    await _change(
        connection,
        case_id,
        version,
        state="proposed",
        outcome=str(outcome),
        note=one_line(note)[:NOTE_CHARACTERS_MAX],
        proposed_by=by.actor,
        proposed_at=by.at,
    )
    body = {"case": case_id, "outcome": str(outcome)}
    await chain.append(connection, "case_outcome_proposed", body, by=by)
    return await show_case(connection, case_id)


async def settle(connection: AsyncConnection, case_id: int, *, version: int, by: By) -> Case:
    """Agree with an outcome. NeedsSecondPerson (it was this person's proposal), NothingProposed, CaseChanged."""
    case = await show_case(connection, case_id)
    if case.state == "settled":
        raise CaseSettled(case_id=case_id)
    if case.proposed_by is None:
        raise NothingProposed(case_id=case_id)
    if looks_like(case.proposed_by, by.actor):
        raise NeedsSecondPerson(act="Settling a case", name=by.actor)
    await _change(connection, case_id, version, state="settled", settled_by=by.actor, settled_at=by.at)
    body = {"case": case_id, "outcome": case.outcome}
    await chain.append(connection, "case_settled", body, by=by)
    return await show_case(connection, case_id)


async def dispute(connection: AsyncConnection, member_id: int, *, now: datetime) -> Case | None:
    """Note that somebody holding this member's codes says the first vote was not theirs; None without a vote."""
    if await find_lock(connection, member_id) is None:
        return None
    await open_case(connection, member_id, now)
    noted = await connection.execute(
        update(schema.case)
        .where(schema.case.c.member_id == member_id, schema.case.c.disputed_at.is_(None))
        .values(disputed_at=now, version=schema.case.c.version + 1)
    )
    if noted.rowcount:
        await chain.append(connection, "case_disputed", {}, by=By.system(now))
    return await case_of_member(connection, member_id)


async def export_rows(connection: AsyncConnection) -> list[dict[str, Any]]:
    """Give one row per attempt for the organisation's own procedure; never an option."""
    rows = []
    for case in await list_cases(connection, limit=1_000_000):
        facts = {
            "case": case.id,
            "member_no": case.member_no,
            "state": case.state,
            "locked_how": case.locked_how,
            "locked_at": case.locked_at,
            "disputed_at": case.disputed_at,
            "outcome": case.outcome,
            "proposed_by": case.proposed_by,
            "settled_by": case.settled_by,
            "note": case.note,
        }
        rows += [
            {**facts, "attempt": row.kind, "at": row.at, "same_chat": row.chat == case.locked_chat}
            for row in case.attempts
        ]
    return rows


async def _change(connection: AsyncConnection, case_id: int, version: int, **values: object) -> None:
    changed = await connection.execute(
        update(schema.case)
        .where(schema.case.c.id == case_id, schema.case.c.version == version, schema.case.c.state != "settled")
        .values(**values, version=schema.case.c.version + 1)
    )
    if changed.rowcount:
        return
    case = await show_case(connection, case_id)
    if case.state == "settled":
        raise CaseSettled(case_id=case_id)
    raise CaseChanged(case_id=case_id)


def _cases() -> Any:  # noqa: ANN401 - a Select of many columns
    joined = schema.case.join(schema.member, schema.member.c.id == schema.case.c.member_id).outerjoin(
        schema.lock, schema.lock.c.member_id == schema.case.c.member_id
    )
    return select(
        *(schema.case.c[name] for name in _COLUMNS),
        schema.member.c.member_no,
        schema.lock.c.how.label("locked_how"),
        schema.lock.c.at.label("locked_at"),
        schema.lock.c.chat.label("locked_chat"),
    ).select_from(joined)


async def _gathered(connection: AsyncConnection, query: Any) -> list[Case]:  # noqa: ANN401 - as above
    rows = (await connection.execute(query)).mappings().all()
    attempts = await _attempts(connection, [row["id"] for row in rows])
    return [Case(**row, attempts=tuple(attempts.get(row["id"], ()))) for row in rows]


async def _attempts(connection: AsyncConnection, cases: Sequence[int]) -> dict[int, list[AttemptRow]]:
    found: dict[int, list[AttemptRow]] = {}
    for first in range(0, len(cases), 500):
        rows = await connection.execute(
            select(schema.attempt)
            .where(schema.attempt.c.case_id.in_(cases[first : first + 500]))
            .order_by(schema.attempt.c.id)
        )
        for row in rows:
            found.setdefault(row.case_id, []).append(AttemptRow(row.id, row.kind, row.at, row.chat))
    return found


async def open_cases(connection: AsyncConnection) -> int:
    """Count the cases that are not settled."""
    return int(await connection.scalar(select(func.count()).where(schema.case.c.state != "settled")) or 0)
