"""What the count reads, page by page and in one order for everybody: ballots, and the credentials ever issued."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.ballots.credential import credentials_digest
from voting.ballots.group import write_point

PAGE_ROWS: Final = 2_000


class Issued(NamedTuple):
    """A credential as it is written, the entry that issued it, the entry that voided it, and whether it voted."""

    credential: str
    issued: int
    ended: int | None
    voted: bool

    @property
    def line(self) -> str:
        """Give its line of credentials.txt."""
        return f"{self.credential} {self.issued} {'-' if self.ended is None else self.ended}\n"


class Credentials(NamedTuple):
    """Every credential ever issued, ascending by its digits: never in the order of the roll, nor of the packs."""

    issued: tuple[Issued, ...]

    @property
    def digest(self) -> str:
        """Hash them as the chain names them."""
        return credentials_digest(one.credential for one in self.issued)

    @property
    def lines(self) -> str:
        """Give credentials.txt."""
        return "".join([one.line for one in self.issued])

    @property
    def valid(self) -> list[str]:
        """Give those that the archive lists: not voided, or with a ballot."""
        return [one.credential for one in self.issued if one.ended is None or one.voted]


async def packed_ballots(connection: AsyncConnection) -> AsyncIterator[Sequence[bytes]]:
    """Yield pages of packed ballots in the order of their entries, then of their digests."""
    ballot = schema.ballot
    statement = select(ballot.c.packed).order_by(ballot.c.entry, ballot.c.digest)
    async with connection.stream_scalars(statement) as found:
        async for page in found.partitions(PAGE_ROWS):
            yield page


async def ballots_stored(connection: AsyncConnection) -> int:
    """Count the ballots."""
    return await rows(connection, schema.ballot)


async def ballots_by_later_credentials(connection: AsyncConnection) -> int:
    """Count the ballots whose credential was issued after the poll had opened."""
    opened = select(schema.chain.c.seq).where(schema.chain.c.kind == "poll_opened").scalar_subquery()
    both = schema.ballot.join(schema.pack, schema.pack.c.credential == schema.ballot.c.credential)
    return await rows(connection, both, schema.pack.c.issued_entry > opened)


async def all_credentials(connection: AsyncConnection) -> Credentials:
    """Read every credential ever issued; the purge after the count forgets them."""
    pack, ballot = schema.pack, schema.ballot
    both = pack.outerjoin(ballot, ballot.c.credential == pack.c.credential)
    voted = ballot.c.credential.is_not(None)
    statement = select(pack.c.credential, pack.c.issued_entry, pack.c.ended_entry, voted).select_from(both)
    found = await connection.execute(statement)
    return Credentials(tuple(sorted(Issued(write_point(row[0]), row[1], row[2], bool(row[3])) for row in found)))


async def rows(connection: AsyncConnection, table: Any, *where: Any) -> int:  # noqa: ANN401 - any table and condition
    """Count rows."""
    return int(await connection.scalar(select(func.count()).select_from(table).where(*where)) or 0)
