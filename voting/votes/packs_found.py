"""Packs, looked up by the hashes of their codes, many in one statement."""

import itertools
from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.codes.hashing import HASH_BYTES
from voting.refusals import PackLockedOut, PackVoid
from voting.store.many_values import among_bytes, listed_bytes


class Pack(NamedTuple):
    """A pack with what decides about its codes, and about its member's right to vote."""

    id: int
    member_id: int
    pack_hash: bytes
    credential: bytes | None  # None once forgotten
    state: str
    locked_out_at: datetime | None
    member_no: str
    language: str
    eligible: bool
    ineligible_reason: str | None


def dead(pack: Pack) -> PackVoid | PackLockedOut | None:
    """Say why no code of this pack works any more; None while they do."""
    if pack.state != "live":
        return PackVoid()
    return PackLockedOut() if pack.locked_out_at is not None else None


async def find_packs(connection: AsyncConnection, wanted: Collection[bytes]) -> dict[bytes, Pack]:
    """Give packs by the hash of their pack code."""
    rows = await connection.execute(_packs_by_hash(connection.dialect.name), listed_bytes(wanted, HASH_BYTES))
    return {pack.pack_hash: pack for pack in itertools.starmap(Pack, rows)}


@cache
def _packs_by_hash(engine: str) -> Select[Any]:
    return _packs().where(among_bytes(engine, schema.pack.c.pack_hash, HASH_BYTES))


def _packs() -> Select[Any]:
    columns = (
        *(schema.pack.c[name] for name in ("id", "member_id", "pack_hash", "credential", "state", "locked_out_at")),
        *(schema.member.c[name] for name in ("member_no", "language", "eligible", "ineligible_reason")),
    )
    joined = schema.pack.join(schema.member, schema.member.c.id == schema.pack.c.member_id)
    return select(*columns).select_from(joined)
