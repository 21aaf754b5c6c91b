"""What tests of the count start from: a poll closed, shares in files, papers scanned and counted, a bundle written."""

import csv
from collections.abc import Sequence
from pathlib import Path

from electorate import Electorate, Letter
from prepared import NOW, SECRETS
from voting.sealing import shares
from voting.votes.box import empty_tray

from voting.count.count import count
from voting.imports.report import ImportReport
from voting.model import By
from voting.poll import polls
from voting.post.papers import COLUMNS as COUNT_COLUMNS
from voting.post.papers import PostalCount, import_count
from voting.post.scanned import COLUMNS
from voting.post.scans import import_postal


async def close(town: Electorate) -> None:
    """Close the poll and box what is in the tray."""
    async with town.database.writing() as connection:
        await polls.close_poll(connection, by=By("Gwen", "command line", NOW))
    await empty_tray(town.database, now=NOW)


def share_files(town: Electorate, folder: Path) -> list[Path]:
    """Write every trustee's share."""
    folder.mkdir(exist_ok=True)
    return sorted(folder.iterdir()) or shares.write_shares(folder, town.key.shares)


async def take_papers(
    town: Electorate, folder: Path, letters: Sequence[Letter], status: str = "received"
) -> ImportReport:
    """Scan one paper from each of these letters."""
    path = folder / "postal.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows([letter.pack_code, NOW.isoformat(), status] for letter in letters)
    return await import_postal(town.database, path, SECRETS, by=By("Gwen", "command line", NOW))


async def take_count(
    town: Electorate, folder: Path, votes: Sequence[int], justification: str | None = None
) -> PostalCount:
    """Take the count of papers, in the order of the options."""
    path = folder / "postal-count.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COUNT_COLUMNS)
        writer.writerows(zip(town.poll.options, votes, strict=True))
    return await import_count(town.database, path, justification=justification, by=By("Gwen", "command line", NOW))


async def counted(town: Electorate, folder: Path) -> Path:
    """Count with two shares; give the bundle."""
    files = share_files(town, folder / "shares")[:2]
    await count(town.database, files, folder / "bundle", secrets=SECRETS, by=By("Gwen", "command line", NOW))
    return folder / "bundle"
