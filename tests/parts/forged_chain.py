"""What the database's owner can do to the chain: everything but sign."""

from dataclasses import replace
from typing import Any

from prepared import NOW
from sqlalchemy import delete, insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema, secrets_file
from voting.audit import chain
from voting.audit.chain import Entry
from voting.audit.signer import Signer
from voting.store.database import Database

STRANGER = Signer(secrets_file.make())


def made(
    seq: int,
    previous: bytes,
    signer: Signer = STRANGER,
    kind: str = "made_up",
    body: dict[str, object] | None = None,
    uuid: str = "",
) -> Entry:
    """Make an entry as a forger would who knows how it is hashed."""
    words = {"seq": seq, "at": NOW, "actor": "Huw", "kind": kind, "body": body or {}}
    digest = chain.hash_of(**words, previous=previous)  # type: ignore[arg-type]
    signature = signer.sign_entry(uuid, seq, previous, digest)
    return Entry(**words, previous=previous, hash=digest, signature=signature)  # type: ignore[arg-type]


def anew(entries: list[Entry]) -> list[Entry]:
    """Number and link entries anew; the signatures are all that cannot be made anew."""
    linked: list[Entry] = []
    for seq, entry in enumerate(entries, start=1):
        previous = linked[-1].hash if linked else chain.GENESIS
        words = {"seq": seq, "at": entry.at, "actor": entry.actor, "kind": entry.kind, "body": entry.body}
        digest = chain.hash_of(**words, previous=previous)  # type: ignore[arg-type]
        linked.append(replace(entry, seq=seq, previous=previous, hash=digest, signature=entry.signature))
    return linked


def resigned(entries: list[Entry], signer: Signer, uuid: str) -> list[Entry]:
    """Number, link and sign entries anew, as whoever has a key of their own can."""
    done: list[Entry] = []
    previous = chain.GENESIS
    for seq, entry in enumerate(entries, 1):
        words: dict[str, Any] = {"seq": seq, "at": entry.at, "actor": entry.actor}
        words |= {"kind": entry.kind, "body": entry.body}
        digest = chain.hash_of(**words, previous=previous)
        signature = signer.sign_entry(uuid, seq, previous, digest)
        done.append(Entry(**words, previous=previous, hash=digest, signature=signature))
        previous = digest
    return done


async def read(database: Database) -> list[Entry]:
    """Read the whole chain."""
    async with database.reading() as connection:
        return [entry async for entry in chain.entries(connection)]


async def put(database: Database, entries: list[Entry]) -> None:
    """Replace the whole chain, as the database's owner can who first takes the triggers away."""
    async with database.writing() as connection:
        await without_triggers(connection, "chain", "head")
        await connection.execute(delete(schema.head))
        await connection.execute(delete(schema.chain))
        columns = ("seq", "at", "actor", "kind", "body", "previous", "hash", "signature")
        rows = [{name: getattr(entry, name) for name in columns} for entry in entries]
        if rows:
            await connection.execute(insert(schema.chain), rows)


async def without_triggers(connection: AsyncConnection, *tables: str) -> None:
    """Take the triggers of these tables away."""
    for table in tables:
        if connection.dialect.name == "postgresql":
            await connection.execute(text(f'ALTER TABLE "{table}" DISABLE TRIGGER USER'))
            continue
        found = text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table")
        for name in (await connection.scalars(found, {"table": table})).all():
            await connection.execute(text(f'DROP TRIGGER "{name}"'))
