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
from voting.codes.codes import hash_pack
from voting.codes.scanned import read_scan, scan_problem
from voting.imports.csv_file import CsvFile, Row
from voting.imports.moments import CLOCK_SLACK, find_day
from voting.imports.report import ImportReport
from voting.imports.taking import Progress, Source, take_file
from voting.imports.vocabulary import Kind, our_word, unknown
from voting.model import By, Window
from voting.packs.envelopes import Envelope, Event, NotOne, choose
from voting.poll import polls, window
from voting.secrets_file import Secrets
from voting.store.database import Database

COLUMNS: Final = ("member_no", "event", "on")
OPTIONAL: Final = ("pack_code",)
EVENTS: Final = {event: f"{event}_on" for event in Event}

_FILE: Final = Source("pack_events_imported", COLUMNS, OPTIONAL)


@dataclass(frozen=True, slots=True)
class OverduePack:
    """A working pack of somebody who may vote and has not, that should have arrived by now."""

    member_no: str
    dispatched_on: date | None
    returned_on: date | None


async def update_events(
    database: Database,
    path: Path,
    secrets: Secrets,
    *,
    by: By,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Take the mailing house's file in one transaction.

    An event belongs to the pack whose code the row names, otherwise to the one that `envelopes.choose` finds. Of
    several dates for one event the latest counts, so files may come in any order and more than once. Rejected:
    unknown members and events, unreadable or future days (a day's slack for clocks), days before the member had a
    pack, and events that could be about either of two packs. FileUnreadable, NoPoll.
    """
    report = ImportReport()

    async def begin(connection: AsyncConnection, _file: CsvFile) -> _Taker:
        poll = await polls.load(connection)
        first = await connection.scalar(select(func.min(schema.pack.c.issued_at)))
        return _Taker(connection, report, secrets.code_key, poll.id, ZoneInfo(poll.timezone), first or by.at, by.at)

    return await take_file(database, path, _FILE, report, begin, by=by, dry_run=dry_run, progress=progress)


@dataclass(frozen=True, slots=True)
class _Taker:
    """Takes events in the caller's transaction."""

    connection: AsyncConnection
    report: ImportReport
    key: bytes
    poll_id: str
    zone: ZoneInfo
    first: datetime  # when the first pack was issued
    now: datetime

    async def take(self, batch: list[Row]) -> None:
        """Note a batch of events."""
        envelopes = await self._envelopes(row.cells[0] for row in batch)
        changed: dict[int, Envelope] = {}
        for row in batch:
            try:
                envelope, event, on = self._read(row, envelopes)
            except NotOne as problem:
                self.report.reject(row.line, row.cells[0][:40], str(problem))
            else:
                if self._note(envelope, event, on):
                    changed[envelope.id] = envelope
        if changed:
            statement = update(schema.pack).where(schema.pack.c.id == bindparam("pack_id"))
            rows = [
                {"pack_id": pack_id, **{EVENTS[event]: on for event, on in envelope.days.items()}}
                for pack_id, envelope in changed.items()
            ]
            await self.connection.execute(statement, rows)

    async def finish(self) -> dict[str, Any]:
        """Give the numbers."""
        return self.report.counts()

    async def _envelopes(self, member_nos: Iterable[str]) -> dict[str, list[Envelope]]:
        """Give each member's packs, newest first; a member without any has an empty list."""
        member, pack = schema.member, schema.pack
        days = [pack.c[column] for column in EVENTS.values()]
        found = (
            select(member.c.member_no, pack.c.id, pack.c.pack_hash, pack.c.issued_at, pack.c.ended_at, *days)
            .select_from(member.outerjoin(pack, pack.c.member_id == member.c.id))
            .where(member.c.member_no.in_(set(member_nos)))
            .order_by(pack.c.serial.desc())
        )
        packs: dict[str, list[Envelope]] = defaultdict(list)
        for row in (await self.connection.execute(found)).mappings():
            of_member = packs[row["member_no"]]
            if row["id"] is not None:
                days_of = {event: row[column] for event, column in EVENTS.items()}
                ended_on = row["ended_at"] and self._day(row["ended_at"])
                of_member.append(Envelope(row["id"], row["pack_hash"], self._day(row["issued_at"]), ended_on, days_of))
        return packs

    def _day(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()

    def _read(self, row: Row, envelopes: dict[str, list[Envelope]]) -> tuple[Envelope, Event, date]:
        """Give the envelope that the row is about, what happened and when; NotOne."""
        member_no, word, written, code = row.cells
        if member_no not in envelopes:
            raise NotOne("not on the roll")
        event = our_word(Kind.EVENT, word)
        if event is None:
            raise NotOne(unknown(Kind.EVENT, word))
        on = find_day(written, lambda day: self._day(self.first) <= day <= self._day(self.now))
        if on is None:
            raise NotOne(f"unreadable day {written[:40]!r}: write it like 2022-08-01")
        if on > self._day(self.now + CLOCK_SLACK):
            raise NotOne(f"{on} lies in the future")
        if code:
            return self._coded(code, envelopes[member_no], on), Event(event), on
        return choose(envelopes[member_no], Event(event), on), Event(event), on

    def _coded(self, code: str, envelopes: list[Envelope], on: date) -> Envelope:
        canonical = read_scan(code, self.poll_id)
        if canonical is None:
            raise NotOne(scan_problem(code, self.poll_id))
        digest = hash_pack(self.key, self.poll_id, canonical)
        found = next((envelope for envelope in envelopes if envelope.pack_hash == digest), None)
        if found is None:
            raise NotOne("the pack code is not one of this member's")
        if on < found.issued_on:
            raise NotOne("no pack on that day")
        return found

    def _note(self, envelope: Envelope, event: Event, on: date) -> bool:
        before = envelope.days[event]
        if before is not None and before >= on:
            self.report.unchanged += 1
            return False
        envelope.days[event] = on
        if before is None:
            self.report.added += 1
        else:
            self.report.changed += 1
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
