"""What the mailing house tells of packs: dispatched, delivered, returned; and which packs are overdue."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Select, bindparam, case, false, func, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.audit import chain
from voting.csv_file import CLOCK_SLACK, ImportReport, Progress, Row, batches, open_csv, read_day
from voting.model import By, Window
from voting.poll import polls, window
from voting.store.database import Database

COLUMNS: Final = ("member_no", "event", "on")
EVENTS: Final = {"dispatched": "dispatched_on", "delivered": "delivered_on", "returned": "returned_on"}


@dataclass(frozen=True, slots=True)
class OverduePack:
    """A working pack of somebody who may vote and has not, that should have arrived by now."""

    member_no: str
    dispatched_on: date | None
    returned_on: date | None


async def update_events(
    database: Database, path: Path, *, by: By, dry_run: bool = False, progress: Progress | None = None
) -> ImportReport:
    """Take the mailing house's file in one transaction.

    An event belongs to the pack that was the member's newest on that day. Of several dates for one event the latest
    counts, so files may come in any order and more than once. Rejected: unknown members and events, unreadable or
    future days (a day's slack for clocks), days before the member had a pack. FileUnreadable, NoPoll.
    """
    report = ImportReport()
    with open_csv(path, COLUMNS) as file:
        async with database.writing() as connection:
            poll = await polls.load(connection)
            taker = _Taker(connection, report, ZoneInfo(poll.timezone), by.at)
            done = 0
            for batch in batches(file.rows(report)):
                await taker.take(batch)
                done += len(batch)
                if progress is not None:
                    progress(done)
            if dry_run:
                await connection.rollback()
            elif report.changes_something:
                body = {"sha256": file.sha256.hex(), **report.counts()}
                await chain.append(connection, "pack_events_imported", body, by=by)
    return report


class _Taker:
    """Takes events, a batch at a time, in the caller's transaction."""

    def __init__(self, connection: AsyncConnection, report: ImportReport, zone: ZoneInfo, now: datetime) -> None:
        self._connection: Final = connection
        self._report: Final = report
        self._zone: Final = zone
        self._last_day: Final = (now + CLOCK_SLACK).astimezone(zone).date()

    async def take(self, batch: list[Row]) -> None:
        packs = await self._packs(row.cells[0] for row in batch)
        changed: dict[int, dict[str, Any]] = {}
        for row in batch:
            pack = self._pack_of(row, packs)
            if pack is not None and self._note(pack, row):
                changed[pack["id"]] = pack
        if changed:
            statement = update(schema.pack).where(schema.pack.c.id == bindparam("pack_id"))
            rows = [
                {"pack_id": pack_id, **{column: pack[column] for column in EVENTS.values()}}
                for pack_id, pack in changed.items()
            ]
            await self._connection.execute(statement, rows)

    async def _packs(self, member_nos: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
        """Give each member's packs, newest first; a member without any has an empty list."""
        member, pack = schema.member, schema.pack
        columns = (pack.c.id, pack.c.issued_at, *(pack.c[column] for column in EVENTS.values()))
        found = (
            select(member.c.member_no, *columns)
            .select_from(member.outerjoin(pack, pack.c.member_id == member.c.id))
            .where(member.c.member_no.in_(set(member_nos)))
            .order_by(pack.c.serial.desc())
        )
        packs: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in (await self._connection.execute(found)).mappings():
            of_member = packs[row["member_no"]]
            if row["id"] is not None:
                of_member.append(dict(row))
        return packs

    def _pack_of(self, row: Row, packs: dict[str, list[dict[str, Any]]]) -> dict[str, Any] | None:
        """Give the pack that the row is about, or reject the row."""
        member_no, event, written = row.cells
        on = read_day(written)
        problem = None
        if member_no not in packs:
            problem = "not on the roll"
        elif event not in EVENTS:
            problem = f"unknown event {event[:40]!r}"
        elif on is None:
            problem = f"unreadable day {written[:40]!r}"
        elif on > self._last_day:
            problem = f"{on} lies in the future"
        else:
            for pack in packs[member_no]:
                if pack["issued_at"].astimezone(self._zone).date() <= on:
                    return pack
            problem = "no pack on that day"
        self._report.reject(row.line, member_no[:40], problem)
        return None

    def _note(self, pack: dict[str, Any], row: Row) -> bool:
        column, on = EVENTS[row.cells[1]], read_day(row.cells[2])
        before = pack[column]
        if before is not None and on is not None and before >= on:
            self._report.unchanged += 1
            return False
        pack[column] = on
        if before is None:
            self._report.added += 1
        else:
            self._report.changed += 1
        return True


def overdue_members(delivery: Window, today: date) -> Select[tuple[int]]:
    """Select the ids of members whose pack should have arrived: none before the window's last day is over."""
    member, pack, lock = schema.member, schema.pack, schema.lock
    came_back = pack.c.returned_on >= pack.c.delivered_on
    return (
        select(member.c.id)
        .join(pack, (pack.c.member_id == member.c.id) & (pack.c.state == "live"))
        .outerjoin(lock, lock.c.member_id == member.c.id)
        .where(
            member.c.eligible,
            lock.c.member_id.is_(None),
            or_(pack.c.delivered_on.is_(None), came_back),
            true() if delivery.last_day < today else false(),
        )
    )


async def overdue(connection: AsyncConnection, today: date) -> list[OverduePack]:
    """Give every overdue pack by member_no, against the newest window; NoPoll."""
    late = overdue_members(await window.current(connection), today)
    member, pack = schema.member, schema.pack
    found = (
        select(member.c.member_no, pack.c.dispatched_on, pack.c.returned_on)
        .join(pack, (pack.c.member_id == member.c.id) & (pack.c.state == "live"))
        .where(member.c.id.in_(late))
        .order_by(member.c.member_no)
    )
    return [OverduePack(*row) for row in await connection.execute(found)]


async def journeys(connection: AsyncConnection) -> dict[str, int]:
    """Count working packs by how far they have come: not_dispatched, dispatched, delivered, returned."""
    pack = schema.pack
    before = func.coalesce(pack.c.delivered_on, pack.c.dispatched_on, pack.c.returned_on)
    stage = case(
        (pack.c.returned_on >= before, "returned"),
        (pack.c.delivered_on.is_not(None), "delivered"),
        (pack.c.dispatched_on.is_not(None), "dispatched"),
        else_="not_dispatched",
    )
    counts = dict.fromkeys(("not_dispatched", "dispatched", "delivered", "returned"), 0)
    rows = await connection.execute(select(stage, func.count()).where(pack.c.state == "live").group_by(stage))
    return counts | {row[0]: row[1] for row in rows}
