"""What tests of the count start from: a poll closed, shares in files, papers scanned and counted, a bundle written."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from electorate import Letter
from prepared import GWEN, NOW, SECRETS, options_of

from voting.count.count import count
from voting.imports.report import ImportReport
from voting.model import Poll
from voting.poll import polls
from voting.poll.election import questions_of
from voting.post.papers import COLUMNS as COUNT_COLUMNS
from voting.post.papers import NAMING, PostalCount, import_count
from voting.post.scanned import COLUMNS
from voting.post.scans import import_postal
from voting.store.database import Database
from voting.trustees.dealer import Dealt
from voting.trustees.shares import share_path, write_share


class Polled(Protocol):
    """A poll in a database, and its key."""

    database: Database
    poll: Poll
    dealt: Dealt


async def close(town: Polled) -> None:
    """Close the poll."""
    async with town.database.writing() as connection:
        await polls.close_poll(connection, by=GWEN)


def share_files(town: Polled, folder: Path) -> list[Path]:
    """Write every trustee's share, once."""
    folder.mkdir(exist_ok=True)
    paths = [share_path(folder, share.index, share.of) for share in town.dealt.shares]
    return paths if paths[0].exists() else [write_share(folder, share) for share in town.dealt.shares]


async def take_papers(town: Polled, folder: Path, letters: Sequence[Letter], status: str = "received") -> ImportReport:
    """Scan one paper from each of these letters."""
    path = folder / "postal.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows([letter.pack_code, NOW.isoformat(), status] for letter in letters)
    return await import_postal(town.database, path, SECRETS, by=GWEN)


async def take_count(town: Polled, folder: Path, votes: Sequence[int], justification: str | None = None) -> PostalCount:
    """Take the count of papers, in the order of the options."""
    path = folder / "postal-count.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COUNT_COLUMNS)
        writer.writerows(zip(options_of(town.poll), votes, strict=True))
    return await import_count(town.database, path, justification=justification, by=GWEN)


async def take_counts(
    town: Polled, folder: Path, votes: Sequence[Sequence[int]], justification: str | None = None
) -> PostalCount:
    """Take the count of papers of every question, in the order of a ballot's numbers."""
    path = folder / "postal-count.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow((*NAMING, *COUNT_COLUMNS))
        for question, numbers in zip(questions_of(town.poll), votes, strict=True):
            writer.writerows((question.text, *line) for line in zip(question.names, numbers, strict=True))
    return await import_count(town.database, path, justification=justification, by=GWEN)


async def counted(town: Polled, folder: Path, **named: Any) -> Path:
    """Count with two shares, however few voted; give the bundle."""
    files = share_files(town, folder / "shares")[:2]
    wanted = {"secrets": SECRETS, "by": GWEN, "publish_small": True} | named
    await count(town.database, files, folder / "bundle", **wanted)
    return folder / "bundle"
