"""The making of packs: from rows of the roll file to hashes in the database and lines of the print file."""

import secrets as randomness
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import ColumnElement, exists, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.codes.codes import Kind, generate, hash_pack, hash_vote, printed
from voting.codes.pack_word import word_for
from voting.csv_file import ImportReport, Progress, Row, batches, open_csv
from voting.packs import print_file
from voting.packs.print_file import PrintFile
from voting.refusals import Fault, RollFileGone
from voting.roll.rows import COLUMNS

DRAWS_MAX: Final = 10  # of a million packs about one needs a second draw
RANDOM_BYTES: Final = 4_096

_WITH_A_FILE: Final = ("packs_issued", "pack_replaced")

Random = Callable[[int], int]  # random(n) gives an even number in [0, n)


@dataclass(frozen=True, slots=True)
class Printing:
    """What a print file needs. `roll_path`: names and addresses, if not those of the file imported last."""

    path: Path
    bot_url: str = ""
    recipient: str | None = None
    roll_path: Path | None = None

    @property
    def target(self) -> Path:
        """The name the file will have."""
        return print_file.print_path(self.path, self.recipient)


@dataclass(frozen=True, slots=True)
class Issued:
    """Packs in the print file. `left` members who may vote are not in the roll file and so have no pack yet.

    `finished_earlier`: the packs were committed by a run that ended before it could name the file, and nothing
    else was done now.
    """

    packs: int
    file: Path
    left: int = 0
    finished_earlier: bool = False


def is_due() -> ColumnElement[bool]:
    """Whether a member should get a pack."""
    member, pack, lock = schema.member, schema.pack, schema.lock
    has_pack = exists().where(pack.c.member_id == member.c.id, pack.c.state == "live")
    has_voted = exists().where(lock.c.member_id == member.c.id)
    return member.c.eligible & ~has_pack & ~has_voted


async def roll_path_of(connection: AsyncConnection, printing: Printing) -> Path:
    """Give the file to read names and addresses from, known to be the one imported last unless it was named."""
    if printing.roll_path is not None:
        return printing.roll_path
    last = select(schema.roll_file).order_by(schema.roll_file.c.imported_at.desc()).limit(1)
    row = (await connection.execute(last)).first()
    if row is None:
        raise RollFileGone(file="(none)", problem="was never imported")
    path = Path(row.path)
    try:
        same = print_file.digest_of(path) == row.sha256
    except OSError as problem:
        raise RollFileGone(file=row.path, problem=f"cannot be read ({problem.strerror})") from problem
    if not same:
        raise RollFileGone(file=row.path, problem="has changed since it was imported")
    return path


async def finish_earlier(connection: AsyncConnection, target: Path) -> Issued | None:
    """Name the part of a run that committed and then ended, or clear away one that did not commit."""
    await connection.execute(select(schema.poll.c.only).with_for_update())  # whoever writes that part now is done first
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
    return Issued(packs, target, finished_earlier=True)


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes packs, a batch at a time, in the caller's transaction."""

    connection: AsyncConnection
    poll_id: str
    key: bytes = field(repr=False)
    file: PrintFile
    bot_url: str
    now: datetime
    random: Random

    async def make(self, source: Path, wanted: Callable[[Row], bool], progress: Progress | None) -> int:
        """Make a pack for each wanted row whose member is due one; return how many. FileUnreadable."""
        made = done = 0
        with open_csv(source, COLUMNS) as file:
            for batch in batches(filter(wanted, file.rows(ImportReport()))):
                made += await self._make_batch(batch)
                done += len(batch)
                if progress is not None:
                    progress(done)
        return made

    async def _make_batch(self, batch: Iterable[Row]) -> int:
        first = {row.cells[0]: row for row in reversed(list(batch))}  # as in the import, the first line counts
        due = await self._due(list(first))
        codes = await self._fresh_pack_codes(len(due))
        packs, lines = [], []
        for (member_id, member_no, serial), (digest, pack_code) in zip(due, codes.items(), strict=True):
            vote_code = generate(Kind.VOTE, self.poll_id, random=self.random)
            packs.append(
                {
                    "member_id": member_id,
                    "serial": serial,
                    "pack_hash": digest,
                    "vote_hash": hash_vote(self.key, self.poll_id, digest, vote_code),
                    "state": "live",
                    "issued_at": self.now,
                }
            )
            words = (
                printed(Kind.PACK, pack_code),
                printed(Kind.VOTE, vote_code),
                word_for(self.key, digest),
                self.bot_url,
            )
            lines.append((*first[member_no].cells, *words))
        if packs:
            await self.connection.execute(insert(schema.pack), packs)
            self.file.write(lines)
        return len(packs)

    async def _due(self, member_nos: list[str]) -> list[tuple[int, str, int]]:
        member, pack = schema.member, schema.pack
        last = select(func.coalesce(func.max(pack.c.serial), 0)).where(pack.c.member_id == member.c.id)
        due = (
            select(member.c.id, member.c.member_no, last.scalar_subquery() + 1)
            .where(member.c.member_no.in_(member_nos), is_due())
            .order_by(member.c.member_no)
        )
        return [(row[0], row[1], row[2]) for row in await self.connection.execute(due)]

    async def _fresh_pack_codes(self, number: int) -> dict[bytes, str]:
        """Draw codes whose hashes no pack of this poll has, old ones included."""
        fresh: dict[bytes, str] = {}
        for _ in range(DRAWS_MAX):
            while len(fresh) < number:
                code = generate(Kind.PACK, self.poll_id, random=self.random)
                fresh[hash_pack(self.key, self.poll_id, code)] = code
            taken = select(schema.pack.c.pack_hash).where(schema.pack.c.pack_hash.in_(list(fresh)))
            again = [row.pack_hash for row in await self.connection.execute(taken)]
            if not again:
                return fresh
            for digest in again:
                del fresh[digest]
        raise Fault("no pack code is left, or the random numbers are not random")


def pooled_random() -> Random:
    """Give even numbers in [0, n), n at most 256, from the system's randomness, RANDOM_BYTES at a time.

    `secrets.randbelow` asks the system for each number, which at a million packs is most of the work.
    """
    streams: dict[int, Iterator[int]] = {}

    def draw(below: int) -> int:
        if below not in streams:
            streams[below] = _numbers(below)
        return next(streams[below])

    return draw


def _numbers(below: int) -> Iterator[int]:
    remainders = bytes(byte % below for byte in range(256))
    uneven = bytes(range(256 - 256 % below, 256))  # these would favour small numbers
    while True:
        yield from randomness.token_bytes(RANDOM_BYTES).translate(remainders, uneven)
