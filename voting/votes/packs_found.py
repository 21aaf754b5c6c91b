"""Packs, looked up by the hashes of their codes or by their ids, many in one statement."""

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
from voting.store.many_values import among, among_bytes, listed, listed_bytes


class Pack(NamedTuple):
    """A pack with what decides about its codes, and about its member's right to vote."""

    id: int
    member_id: int
    pack_hash: bytes
    vote_hash: bytes
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


async def find_packs(connection: AsyncConnection, wanted: Collection[int | bytes]) -> dict[int | bytes, Pack]:
    """Give packs by id and by the hash of their pack code, whichever of the two they were asked by."""
    engine = connection.dialect.name
    found: list[Pack] = []
    if ids := [one for one in wanted if isinstance(one, int)]:
        found += itertools.starmap(Pack, await connection.execute(_packs_by_id(engine), listed(ids)))
    if hashes := [one for one in wanted if isinstance(one, bytes)]:
        found += itertools.starmap(
            Pack, await connection.execute(_packs_by_hash(engine), listed_bytes(hashes, HASH_BYTES))
        )
    return {pack.id: pack for pack in found} | {pack.pack_hash: pack for pack in found}


@cache
def _packs_by_id(engine: str) -> Select[Any]:
    return _packs().where(among(engine, schema.pack.c.id))


@cache
def _packs_by_hash(engine: str) -> Select[Any]:
    return _packs().where(among_bytes(engine, schema.pack.c.pack_hash, HASH_BYTES))


def _packs() -> Select[Any]:
    columns = (
        *(schema.pack.c[name] for name in ("id", "member_id", "pack_hash", "vote_hash", "state", "locked_out_at")),
        *(schema.member.c[name] for name in ("member_no", "language", "eligible", "ineligible_reason")),
    )
    joined = schema.pack.join(schema.member, schema.member.c.id == schema.pack.c.member_id)
    return select(*columns).select_from(joined)
