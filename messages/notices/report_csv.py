"""A notice's outcomes as a CSV file: everybody, or those not reached with the reason."""

import csv
from collections.abc import AsyncIterator
from io import StringIO
from pathlib import Path
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from messages.notices.reports import ReportLine, report_lines

COLUMNS: Final = ("member_no", "outcome", "channel", "reason", "at")


async def unreached_csv(connection: AsyncConnection, notice_id: int) -> bytes:
    """Give a CSV of the members a notice did not tell; NoticeUnknown."""
    written = StringIO()
    writer = _begun(written)
    async for line in report_lines(connection, notice_id):
        if line.outcome != "told":
            writer.writerow(_cells(line))
    return written.getvalue().encode()


async def write_report_csv(connection: AsyncConnection, notice_id: int, path: Path) -> int:
    """Write every member's outcome to a file; return how many lines. NoticeUnknown, OSError."""
    lines: AsyncIterator[ReportLine] = report_lines(connection, notice_id)
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = _begun(file)
        async for line in lines:
            writer.writerow(_cells(line))
            count += 1
    return count


def _begun(file: Any) -> Any:  # noqa: ANN401 - csv's own writer has no public type
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    return writer


def _cells(line: ReportLine) -> tuple[str, ...]:
    at = line.at.isoformat(timespec="seconds") if line.at else ""
    return (line.member_no, line.outcome, line.channel, line.reason, at)
