"""The making of packs: from rows of the roll file to hashes in the database and lines of the print file."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Select, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.audit import chain
from voting.ballots.credential import credentials_digest
from voting.ballots.group import Point, write_point
from voting.codes.codes import Kind, printed
from voting.codes.pack_word import word_for
from voting.imports.csv_file import PIPE, Row, batches, open_csv
from voting.imports.report import ImportReport
from voting.imports.taking import Progress
from voting.model import By, Poll
from voting.packs import print_file
from voting.packs.drawing import Drawing, Drawn, Random
from voting.packs.print_file import PrintFile
from voting.poll.without_pack import count_eligible, count_without_pack, is_due
from voting.refusals import RollFileGone
from voting.roll.letters import nowhere, on_one_line
from voting.roll.rows import COLUMNS, address_of
from voting.store.postgres import plan_anew

ROLLS_NAMED_MAX: Final = 20

_WITH_A_FILE: Final = ("packs_issued", "pack_replaced")


@dataclass(frozen=True, slots=True)
class Printing:
    """What a print file needs. `roll_paths`: names and addresses, if not those of the file imported last.

    `nowhere_too`: packs are made also for those whom a letter cannot reach as the file stands. `mark`: the file begins
    with a byte order mark, which a spreadsheet needs to read it as UTF-8. `vote_url`: the voting page, to which each
    letter's pack code is added behind "#"; empty without a page.
    """

    path: Path
    bot_url: str = ""
    recipient: str | None = None
    roll_paths: tuple[Path, ...] = ()
    nowhere_too: bool = False
    mark: bool = False
    vote_url: str = ""

    @property
    def target(self) -> Path:
        """The name the file will have."""
        return print_file.print_path(self.path, self.recipient)


@dataclass(frozen=True, slots=True)
class Issued:
    """Packs in the print file, and who is left.

    `left` members who may vote have no pack yet: for `nowhere` of them the roll's file has no name or no address, the
    others are in none of the `sources`. `finished_earlier`: the packs were committed by a run that ended before it
    could name the file, and nothing else was done now.
    """

    packs: int
    file: Path
    left: int = 0
    nowhere: int = 0
    eligible: int = 0
    sources: tuple[Path, ...] = ()
    finished_earlier: bool = False


async def roll_paths_of(connection: AsyncConnection, printing: Printing) -> tuple[Path, ...]:
    """Give the files to read names and addresses from, known to be the one imported last unless they were named."""
    if printing.roll_paths:
        return printing.roll_paths
    row = (await connection.execute(_rolls().limit(1))).first()
    if row is None:
        raise RollFileGone(file="(none)", problem="was never imported")
    path = Path(row.path)
    if path == PIPE:
        raise RollFileGone(file="imported last", problem="was read from a pipe")
    try:
        same = print_file.digest_of(path) == row.sha256
    except OSError as problem:
        raise RollFileGone(file=row.path, problem=f"cannot be read ({problem.strerror})") from problem
    if not same:
        raise RollFileGone(file=row.path, problem="has changed since it was imported")
    return (path,)


async def imported_rolls(connection: AsyncConnection) -> list[Path]:
    """Give the files that the roll was imported from, the last first."""
    rows = await connection.execute(_rolls().limit(ROLLS_NAMED_MAX))
    return [path for row in rows if (path := Path(row.path)) != PIPE]


def _rolls() -> Select[tuple[bytes, str, datetime]]:
    return select(schema.roll_file).order_by(schema.roll_file.c.imported_at.desc(), schema.roll_file.c.sha256)


async def finish_earlier(connection: AsyncConnection, target: Path) -> Issued | None:
    """Name the part of a run that committed and then ended, or clear away one that did not commit."""
    await connection.execute(select(schema.poll.c.only).with_for_update())  # a run that writes that part now ends first
    part = print_file.part_path(target)
    if not part.exists():
        return None
    digest = print_file.digest_of(part).hex()
    acts = await connection.execute(select(schema.chain.c.body).where(schema.chain.c.kind.in_(_WITH_A_FILE)))
    packs = next((body["packs"] for (body,) in acts if body["print_sha256"] == digest), None)
    if packs is None:
        part.unlink()
        return None
    print_file.publish(target)
    left, eligible = await count_without_pack(connection), await count_eligible(connection)
    return Issued(packs, target, left, eligible=eligible, finished_earlier=True)


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes packs, a batch at a time, in the caller's transaction."""

    connection: AsyncConnection
    poll: Poll
    key: bytes = field(repr=False)
    file: PrintFile
    printing: Printing
    now: datetime
    random: Random
    nowhere_too: bool = True
    nowhere: set[str] = field(default_factory=set)  # whom no letter can reach, as far as the files were read
    credentials: list[Point] = field(default_factory=list)  # of the packs made

    async def make(self, sources: Iterable[Path], wanted: Callable[[Row], bool], progress: Progress | None) -> int:
        """Make a pack for each wanted row whose member is due one; return how many. FileUnreadable.

        Who is in several files gets the letter to the address in the first that has one.
        """
        made = done = 0
        for source in sources:
            with open_csv(source, COLUMNS) as file:
                for batch in batches(filter(wanted, file.rows(ImportReport()))):
                    made += await self._make_batch(batch)
                    done += len(batch)
                    if progress is not None:
                        progress(done)
        return made

    async def record(self, kind: str, digest: bytes, *, by: By, voided: Collection[Point] = ()) -> int:
        """Write the chain's entry that issues these packs, `digest` being the print file's, and name it in their rows.

        `voided` are the credentials that no ballot may have from this entry on. Gives the entry's number.
        """
        written = [write_point(credential) for credential in self.credentials]
        body: dict[str, Any] = {
            "packs": len(written),
            "print_sha256": digest.hex(),
            "credentials": credentials_digest(written),
        }
        if voided:
            body["voided"] = sorted(map(write_point, voided))
        entry = await chain.append(self.connection, kind, body, by=by)
        made = update(schema.pack).where(schema.pack.c.issued_entry.is_(None))
        await self.connection.execute(made.values(issued_entry=entry.seq))
        return entry.seq

    async def _make_batch(self, batch: Iterable[Row]) -> int:
        first = {row.cells[0]: row for row in reversed(list(batch))}  # as in the import, the first line counts
        due = [each for each in await self._due(list(first)) if self._reaches(each[1], first[each[1]])]
        drawn = await Drawing(self.connection, self.poll, self.key, self.random).draw(len(due)) if due else []
        packs, lines = [], []
        for (member_id, member_no, serial), one in zip(due, drawn, strict=True):
            packs.append(self._row(member_id, serial, one))
            cells = (cell if cell.isprintable() else on_one_line(cell) for cell in first[member_no].cells)
            lines.append((*cells, *self._words(one)))
        if packs:
            await self.connection.execute(insert(schema.pack), packs)
            self.file.write(lines)
            before = len(self.credentials)
            self.credentials.extend(one.credential for one in drawn)
            await plan_anew(self.connection, schema.pack.name, before, len(self.credentials))
        return len(packs)

    def _row(self, member_id: int, serial: int, drawn: Drawn) -> dict[str, Any]:
        return {
            "member_id": member_id,
            "serial": serial,
            "pack_hash": drawn.pack_hash,
            "credential": drawn.credential,
            "state": "live",
            "issued_at": self.now,
        }

    def _words(self, drawn: Drawn) -> tuple[str, ...]:
        pack_code = printed(Kind.PACK, drawn.pack_code)
        page = self.printing.vote_url if self.poll.ways.page is not False else ""
        vote_url = f"{page}#{pack_code}" if page else ""
        vote_code = printed(Kind.VOTE, drawn.vote_code)
        return pack_code, vote_code, word_for(self.key, drawn.pack_hash), self.printing.bot_url, vote_url

    def _reaches(self, member_no: str, row: Row) -> bool:
        if self.nowhere_too or nowhere(address_of(row)) is None:
            self.nowhere.discard(member_no)
            return True
        self.nowhere.add(member_no)
        return False

    async def _due(self, member_nos: list[str]) -> list[tuple[int, str, int]]:
        member, pack = schema.member, schema.pack
        last = select(func.coalesce(func.max(pack.c.serial), 0)).where(pack.c.member_id == member.c.id)
        due = (
            select(member.c.id, member.c.member_no, last.scalar_subquery() + 1)
            .where(member.c.member_no.in_(member_nos), is_due())
            .order_by(member.c.member_no)
        )
        return [(row[0], row[1], row[2]) for row in await self.connection.execute(due)]
