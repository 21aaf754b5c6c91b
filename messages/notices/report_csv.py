"""A notice's outcomes as a CSV file: everybody, or those not reached with the reason."""

from collections.abc import AsyncIterator
from io import StringIO
from pathlib import Path
from typing import Final, TextIO

from sqlalchemy.ext.asyncio import AsyncConnection

from messages.notices.reports import ReportLine, report_lines
from voting.imports.report import PeoplesCsv

COLUMNS: Final = ("member_no", "outcome", "channel", "reason", "at")


async def unreached_csv(connection: AsyncConnection, notice_id: int) -> bytes:
    """Give a CSV of the members a notice did not tell; NoticeUnknown."""
    written = StringIO()
    writer = begin(written)
    async for line in report_lines(connection, notice_id):
        if line.outcome != "told":
            writer.row(cells(line))
    return written.getvalue().encode()


async def write_report_csv(connection: AsyncConnection, notice_id: int, path: Path) -> int:
    """Write every member's outcome to a file; return how many lines. NoticeUnknown, OSError."""
    lines: AsyncIterator[ReportLine] = report_lines(connection, notice_id)
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = begin(file)
        async for line in lines:
            writer.row(cells(line))
            count += 1
    return count


def begin(file: TextIO) -> PeoplesCsv:
    """Write the heading; give what writes the lines."""
    writer = PeoplesCsv(file)
    writer.row(COLUMNS)
    return writer


def cells(line: ReportLine) -> tuple[str, ...]:
    """Give a line's cells in the order of COLUMNS."""
    at = line.at.isoformat(timespec="seconds") if line.at else ""
    return (line.member_no, line.outcome, line.channel, line.reason, at)
