"""Leaving the roll: the right to vote taken from many, and a member taken off who should not be there."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import delete, exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.audit import chain
from voting.imports.csv_file import CsvFile, Row
from voting.imports.report import NOTHING_AGREED, Agreed, ImportReport, Level, plain_cell
from voting.imports.taking import Progress, Source, take_file
from voting.model import By
from voting.poll import polls
from voting.refusals import MemberHasPack, MemberInUse
from voting.roll import roll
from voting.roll.asking import Size, fewer_eligible, size
from voting.roll.rows import Ineligible
from voting.store.database import Database
from voting.typed_text import one_line

# The numbers of a short list can be guessed and tried against its digest, so the chain does not name the digest.
_FILE: Final = Source("eligibility_lapsed", ("member_no",), ("level",), others=True, digest=False)


async def lapse_file(
    database: Database,
    path: Path,
    reason: str,
    *,
    by: By,
    agreed: Agreed = NOTHING_AGREED,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Take the right to vote from every member_no in a file; votes already locked stand.

    Of an import's report only the rows of members who are gone from its file count. A fall of those who may vote by
    over a tenth is asked about in `needs`, and nothing is changed. FileUnreadable, NoPoll, PollOver.
    """
    report = ImportReport()

    async def begin(connection: AsyncConnection, _file: CsvFile) -> _Taker:
        await polls.refuse_when_over(connection)
        return _Taker(connection, report, one_line(reason), by, agreed, await size(connection))

    return await take_file(database, path, _FILE, report, begin, by=by, dry_run=dry_run, progress=progress)


@dataclass(slots=True)
class _Taker:
    """Takes the right to vote in the caller's transaction."""

    connection: AsyncConnection
    report: ImportReport
    reason: str
    by: By
    agreed: Agreed
    before: Size

    async def take(self, batch: list[Row]) -> None:
        """Let a batch of members lapse."""
        rows = {plain_cell(row.cells[0]): row for row in reversed(batch) if row.cells[1] in {"", Level.GONE}}
        member = schema.member
        known = select(member.c.member_no, member.c.lapsed_at).where(member.c.member_no.in_(list(rows)))
        lapsed = {row.member_no: row.lapsed_at for row in await self.connection.execute(known)}
        for member_no, row in rows.items():
            if member_no not in lapsed:
                self.report.reject(row.line, member_no[:40], "not on the roll" if member_no else "no member_no")
        values = {
            "eligible": False,
            "ineligible_reason": Ineligible.LAPSED.value,
            "lapsed_at": self.by.at,
            "lapsed_reason": self.reason,
        }
        now = [member_no for member_no, at in lapsed.items() if at is None]
        await self.connection.execute(update(member).where(member.c.member_no.in_(now)).values(values))
        self.report.changed += len(now)
        self.report.unchanged += len(lapsed) - len(now)

    async def finish(self) -> dict[str, Any]:
        """Ask about a fall; give how many lapsed."""
        after = await size(self.connection)
        self.report.notes.append(f"{after.eligible:,} members may vote (before: {self.before.eligible:,}).")
        need = fewer_eligible(self.before, after)
        if need is not None and not self.agreed.sizes:
            self.report.needs.append(need)
        return {"members": self.report.changed} | ({"accepted": {str(need.asks): need.facts}} if need else {})


async def remove(connection: AsyncConnection, member_no: str, *, by: By) -> None:
    """Take a member off the roll who was imported by mistake, before there is a pack. UnknownMember, PollOver.

    MemberHasPack, also for one that was replaced; MemberInUse when something else of ours names the member. The next
    import of a file that has the number brings it back.
    """
    await polls.refuse_when_over(connection)
    member = await roll.find(connection, member_no)
    if await connection.scalar(select(exists().where(schema.pack.c.member_id == member.id))):
        raise MemberHasPack(member_no=member_no)
    try:
        await connection.execute(delete(schema.member).where(schema.member.c.id == member.id))
    except IntegrityError as problem:
        raise MemberInUse(member_no=member_no) from problem
    await chain.append(connection, "member_removed", {"members": 1}, by=by)
