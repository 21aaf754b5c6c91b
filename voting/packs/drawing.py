"""The drawing of codes: a pack's two codes, the hash it is found by, and the public credential that both give.

A credential takes about half a millisecond of a core, nearly all of it in OpenSSL, which lets other threads of Python
go on meanwhile: it is derived in threads, on every core.
"""

import asyncio
import os
import secrets as randomness
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.ballots.credential import derive_secret, public_credential
from voting.ballots.group import Point
from voting.codes.codes import Kind, generate, hash_pack
from voting.imports.csv_file import batches
from voting.model import Poll
from voting.refusals import Fault

DRAWS_MAX: Final = 10  # of a million packs about one needs a second draw
RANDOM_BYTES: Final = 4_096
CHUNK: Final = 32  # packs that a thread takes at a time

Random = Callable[[int], int]  # random(n) gives an even number in [0, n)


class Drawn(NamedTuple):
    """A pack's two codes, canonical, and what the database keeps of them."""

    pack_code: str
    vote_code: str
    pack_hash: bytes
    credential: Point


@dataclass(frozen=True, slots=True)
class Drawing:
    """Draws codes for packs of one poll; what was drawn in vain is forgotten."""

    connection: AsyncConnection
    poll: Poll
    key: bytes = field(repr=False)
    random: Random

    async def draw(self, number: int) -> list[Drawn]:
        """Draw codes whose hash and credential no pack of this poll has, old ones included; Fault after 10 tries."""
        fresh: dict[bytes, Drawn] = {}
        for _ in range(DRAWS_MAX):
            drawn = await _in_threads(self._codes(number - len(fresh)), self.poll.uuid)
            each = {one.credential: one for one in (*fresh.values(), *drawn)}
            taken = await self._taken(each.values())
            fresh = {one.pack_hash: one for one in each.values() if taken.isdisjoint(one)}
            if len(fresh) == number:
                return list(fresh.values())
        raise Fault("no pack code is left, or the random numbers are not random")

    def _codes(self, number: int) -> list[tuple[str, str, bytes]]:
        codes: dict[bytes, tuple[str, str, bytes]] = {}
        while len(codes) < number:
            pack_code = generate(Kind.PACK, self.poll.id, random=self.random)
            vote_code = generate(Kind.VOTE, self.poll.id, random=self.random)
            digest = hash_pack(self.key, self.poll.id, pack_code)
            codes[digest] = (pack_code, vote_code, digest)
        return list(codes.values())

    async def _taken(self, drawn: Collection[Drawn]) -> set[bytes]:
        pack = schema.pack
        has = or_(
            pack.c.pack_hash.in_([one.pack_hash for one in drawn]),
            pack.c.credential.in_([one.credential for one in drawn]),
        )
        rows = await self.connection.execute(select(pack.c.pack_hash, pack.c.credential).where(has))
        return {value for row in rows for value in row if value is not None}


async def _in_threads(codes: list[tuple[str, str, bytes]], uuid: str) -> list[Drawn]:
    """Derive the credentials of packs, CHUNK at a time on every core."""

    def some(chunk: list[tuple[str, str, bytes]]) -> list[Drawn]:
        return [Drawn(*one, public_credential(derive_secret(one[0], one[1], uuid))) for one in chunk]

    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(os.cpu_count(), "credentials") as threads:
        chunks = [loop.run_in_executor(threads, some, chunk) for chunk in batches(codes, CHUNK)]
        return [one for chunk in await asyncio.gather(*chunks) for one in chunk]


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
