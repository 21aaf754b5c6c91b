"""A console's poll as it stands on the day: a whole roll with packs, ways to be reached, votes, two large notices."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import islice
from typing import Final

from console_house import AREAS, MEMBERS, WAYS, ConsoleHouse
from prepared import NOW
from sqlalchemy import Table, insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from messages.notices import notices, sending
from messages.notices.model import Content
from messages.schema import channel
from tests.benchmarks.own_postgres import trust
from voting import schema
from voting.model import By

AT_ONCE: Final = 20_000  # rows of one statement
CASES: Final = 500


async def grow(town: ConsoleHouse, members: int) -> tuple[int, int]:
    """Let the roll be as large as on the day, half of it voted; give a notice that is done and one on its way."""
    numbers = range(MEMBERS + 1, members + 1)
    await _write(town, schema.member, (_member(number) for number in numbers))
    await _write(town, schema.pack, (_pack(number) for number in numbers))
    await _write(town, channel, (row for number in numbers for row in _ways(number)))
    voted = range(numbers[0], members // 2)
    await _write(town, schema.intent, (_intent(number) for number in voted if number % 3))
    await _write(town, schema.lock, (_lock(number) for number in voted))
    cases = range(numbers[0], numbers[0] + min(CASES, len(voted)))
    await _write(town, schema.case, (_case(number) for number in cases))
    await _write(town, schema.attempt, (_attempt(number) for number in cases))
    sent, moving = [await _send(town) for _ in range(2)]
    async with town.database.writing() as connection:
        told = "UPDATE delivery SET state = CASE id % 9 WHEN 0 THEN 'failed' WHEN 1 THEN 'delivered' ELSE 'sent' END,"
        told += " reason = CASE id % 9 WHEN 0 THEN '30005' END, sent_at = not_before, settled_at = not_before"
        await connection.execute(text(f"{told} WHERE state = 'ready' AND notice_id = {sent}"))
        await connection.execute(text(f"{told} WHERE state = 'ready' AND notice_id = {moving} AND id % 2 = 1"))
        await connection.execute(text(f"UPDATE notice SET state = 'done', ended_at = planned_at WHERE id = {sent}"))
        await connection.execute(text("ANALYZE"))  # as autovacuum does within a minute, and SQLite on its own days
    return sent, moving


async def _send(town: ConsoleHouse) -> int:
    now = town.clock()
    async with town.database.writing() as connection:
        by = By("Carys", "console", now)
        made = await notices.draft(connection, Content("pack_delayed", "all"), ways=WAYS, by=by)
        await notices.submit(connection, made.id, by=by)
        await notices.approve(connection, made.id, by=By("Gwen", "chat", now))
        await sending.send(connection, made.id, by=by)
    return made.id


async def _write(town: ConsoleHouse, into: Table, rows: Iterator[dict[str, object]]) -> None:
    while batch := list(islice(rows, AT_ONCE)):
        async with town.database.writing() as connection:
            if town.database.is_sqlite:
                await connection.execute(insert(into), batch)
            else:
                await _copy(connection, into, batch)


async def _copy(connection: AsyncConnection, into: Table, rows: Sequence[dict[str, object]]) -> None:
    """Write rows as PostgreSQL loads a dump."""
    await trust(connection)
    dialect, columns = connection.dialect, [into.c[name] for name in rows[0]]
    written = [column.type.bind_processor(dialect) or _as_it_is for column in columns]
    records = [tuple(write(value) for write, value in zip(written, row.values(), strict=True)) for row in rows]
    raw = (await connection.get_raw_connection()).driver_connection
    assert raw is not None
    await raw.copy_records_to_table(into.name, records=records, columns=[column.name for column in columns])


def _as_it_is(value: object) -> object:
    return value


def _member(number: int) -> dict[str, object]:
    return {
        "id": number,
        "member_no": f"{number:07}",
        "language": "cy" if number % 9 == 0 else "en-GB",
        "area": AREAS[number % 4],
        "country": "GB",
        "eligible": number % 50 != 0,
        "phone": f"+4477{number:08}" if number % 3 else None,
        "phone_reason": None if number % 3 else "missing",
    }


def _pack(number: int) -> dict[str, object]:
    return {
        "id": number,
        "member_id": number,
        "serial": 1,
        "pack_hash": number.to_bytes(32, "big"),
        "state": "live",
        "issued_at": NOW - timedelta(days=1),
        "dispatched_on": date(2022, 8, 2) if number % 6 else None,
        "delivered_on": date(2022, 8, 4) if number % 6 and number % 5 else None,
        "returned_on": None,
    }


def _ways(number: int) -> Iterator[dict[str, object]]:
    if number % 3:
        yield {"member_id": number, "kind": "sms", "address": f"+4477{number:08}", "state": "on", "since": NOW}
    if number % 2:
        state = "blocked" if number % 10 == 1 else "on"
        yield {"member_id": number, "kind": "telegram", "address": str(number), "state": state, "since": NOW}


def _intent(number: int) -> dict[str, object]:
    chat = f"telegram:{number}"
    return {"id": f"intent-{number}", "member_id": number, "pack_id": number, "chat": chat, "opened_at": NOW}


def _lock(number: int) -> dict[str, object]:
    online = number % 3 != 0
    return {
        "member_id": number,
        "how": "online" if online else "post",
        "at": NOW + timedelta(seconds=number * 6),
        "pack_id": number,
        "intent_id": f"intent-{number}" if online else None,
        "receipt": f"R{number}" if online else None,
        "chat": f"telegram:{number}" if online else None,
    }


def _case(number: int) -> dict[str, object]:
    return {"id": number, "member_id": number, "opened_at": NOW, "state": "open", "version": 1}


def _attempt(number: int) -> dict[str, object]:
    return {
        "id": number,
        "case_id": number,
        "member_id": number,
        "kind": "foreign",
        "at": NOW,
        "chat": "telegram:5",
        "pack_id": number,
        "occasion": f"case {number}",
    }
