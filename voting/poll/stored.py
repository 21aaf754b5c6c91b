"""The poll's row, read and written, and what of it strangers may read."""

from dataclasses import asdict, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import RowMapping, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.model import Phase, Poll, SmsRules, StaffRules, Ways
from voting.poll.questions import read_questions, written_questions
from voting.refusals import NoPoll, PollAlreadyOpen

_THE_POLL: Final = select(schema.poll)  # built once: everything begins with it


async def load(connection: AsyncConnection) -> Poll:
    """Give the poll; NoPoll."""
    row = (await connection.execute(_THE_POLL)).mappings().first()
    if row is None:
        raise NoPoll
    return of_row(row)


async def load_preparing(connection: AsyncConnection) -> Poll:
    """Give the poll while it is being prepared, and let nobody else change it meanwhile; PollAlreadyOpen, NoPoll."""
    await connection.execute(select(schema.poll.c.only).with_for_update())
    poll = await load(connection)
    if poll.phase is not Phase.PREPARING:
        raise PollAlreadyOpen(phase=poll.phase)
    return replace(poll, paper=None)  # the paper is made at the opening, not found in a row


async def move(connection: AsyncConnection, before: Phase, after: Phase, **values: datetime | bytes) -> None:
    """Change the phase, and `values` with it; PollAlreadyOpen names the phase of now when somebody else was faster."""
    moved = await connection.execute(
        update(schema.poll).where(schema.poll.c.phase == before).values(phase=after, **values)
    )
    if moved.rowcount != 1:
        raise PollAlreadyOpen(phase=(await load(connection)).phase)


def columns(poll: Poll) -> dict[str, Any]:
    """Give the poll as its row."""
    values = {name: getattr(poll, name) for name in schema.poll.c.keys() if name != "only"}  # noqa: SIM118 - columns, not a dict
    values["sms"] = {**asdict(poll.sms), "cost_per_segment": str(poll.sms.cost_per_segment)}
    values["staff"], values["ways"] = asdict(poll.staff), asdict(poll.ways)
    values["questions"] = written_questions(poll.questions)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def of_row(row: RowMapping) -> Poll:
    """Give the poll of a row."""
    values = {name: value for name, value in row.items() if name != "only"}
    sms = values["sms"]
    return Poll(
        **values
        | {
            "questions": read_questions(values["questions"]),
            "languages": tuple(values["languages"]),
            "phase": Phase(values["phase"]),
            "sms": SmsRules(**sms | {"cost_per_segment": Decimal(sms["cost_per_segment"])}),
            "staff": StaffRules(**values["staff"]),
            "ways": Ways(**values["ways"]),
        }
    )


def public(poll: Poll) -> dict[str, Any]:
    """Give what the poll is, as strangers may read it on the chain."""
    return {
        "id": poll.id,
        "uuid": poll.uuid,
        "title": poll.title,
        "questions": written_questions(poll.questions),
        "opens_at": poll.opens_at.isoformat(),
        "closes_at": poll.closes_at.isoformat(),
        "timezone": poll.timezone,
        "joined_by": poll.joined_by.isoformat(),
        "languages": list(poll.languages),
        "rule": poll.rule,
        "rule_version": poll.rule_version,
        "signing_key": poll.signing_key.hex(),
    }
