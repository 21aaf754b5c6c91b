"""What the count reads, page by page: the box and the receipts in one order for everybody, and digests of the whole."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema

PAGE_ROWS: Final = 4_000


@dataclass(frozen=True, slots=True)
class Whole:
    """How many there are, and the digest of all of them in order, as the chain commits to it."""

    n: int
    digest: str


async def box_in_order(connection: AsyncConnection) -> AsyncIterator[Sequence[bytes]]:
    """Yield pages of sealed ballots, sorted: the order says nothing but what the bytes say."""
    async for page in _pages(connection, select(schema.box.c.sealed).order_by(schema.box.c.sealed)):
        yield page


async def receipts_in_order(connection: AsyncConnection) -> AsyncIterator[Sequence[str]]:
    """Yield pages of receipts, sorted as bytes sort, whatever the database's own idea of an alphabet is."""
    receipt = schema.lock.c.receipt
    order = receipt.collate("C") if connection.dialect.name == "postgresql" else receipt
    async for page in _pages(connection, select(receipt).where(receipt.is_not(None)).order_by(order)):
        yield page


async def whole_box(connection: AsyncConnection) -> Whole:
    """Digest the box."""
    digest, n = hashlib.sha256(), 0
    async for page in box_in_order(connection):
        digest.update(b"".join(page))
        n += len(page)
    return Whole(n, digest.hexdigest())


async def whole_receipts(connection: AsyncConnection) -> Whole:
    """Digest the receipts, joined by line feeds."""
    digest, n = hashlib.sha256(), 0
    async for page in receipts_in_order(connection):
        digest.update(("\n" * bool(n) + "\n".join(page)).encode())
        n += len(page)
    return Whole(n, digest.hexdigest())


async def _pages(connection: AsyncConnection, statement: Select[Any]) -> AsyncIterator[Sequence[Any]]:
    async with connection.stream_scalars(statement) as found:
        async for page in found.partitions(PAGE_ROWS):
            yield page
