"""The chain: linked from the first entry, signed at its head, and whatever is changed in it is found."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from nacl.signing import VerifyKey
from prepared import NOW, SECRETS
from sqlalchemy import select

from voting import schema
from voting.audit import chain
from voting.audit.chain import READ_ROWS, Act, ChainBroken, Entry
from voting.audit.signer import head_message
from voting.model import By
from voting.store.database import Database


async def written(database: Database, number: int = 5) -> list[Entry]:
    async with database.writing() as connection:
        acts = [Act("done", {"n": place, "ŵ": "ŷ"}) for place in range(number)]
        return await chain.append_many(connection, acts, by=By("Gwen", "chat", NOW))


async def test_entries_are_linked_and_read_back_as_written(database: Database) -> None:
    made = await written(database)
    async with database.writing() as connection:
        alone = await chain.append(connection, "later", {}, by=By.system(NOW + timedelta(seconds=1)))

    async with database.reading() as connection:
        read = [entry async for entry in chain.entries(connection)]
        assert await chain.walk(connection) == 6

    assert read == [*made, alone]
    assert (read[0].previous, read[0].actor, alone.actor) == (chain.GENESIS, "Gwen (chat)", "system")
    assert chain.check_links(read) == alone.hash


async def test_a_chain_longer_than_one_reading_is_walked_to_its_end(database: Database) -> None:
    await written(database, READ_ROWS + 1)

    async with database.reading() as connection:
        assert await chain.walk(connection) == READ_ROWS + 1
        assert [entry.seq async for entry in chain.entries(connection, after=READ_ROWS)] == [READ_ROWS + 1]


async def test_nothing_to_write_writes_nothing(database: Database) -> None:
    async with database.writing() as connection:
        assert await chain.append_many(connection, [], by=By.system(NOW)) == []
        assert await chain.sign_head(connection, NOW) is None
    async with database.reading() as connection:
        assert await chain.walk(connection) == 0


def rehashed(entry: Entry, **changes: Any) -> Entry:
    """Change an entry as a forger would who knows how it is hashed."""
    changed = replace(entry, **changes)
    words = {name: getattr(changed, name) for name in ("seq", "at", "actor", "kind", "body", "previous")}
    return replace(changed, hash=chain.hash_of(**words))


@pytest.mark.parametrize(
    ("change", "at"),
    [
        (lambda entries: [*entries[:2], *entries[3:]], 3),
        (lambda entries: [entries[1], entries[0], *entries[2:]], 1),
        (lambda entries: [*entries[:3], replace(entries[3], body={"n": 99}), entries[4]], 4),
        (lambda entries: [*entries[:3], replace(entries[3], actor="Huw"), entries[4]], 4),
        (lambda entries: [*entries[:4], replace(entries[4], previous=b"x" * 32)], 5),
        (lambda entries: [*entries[:2], rehashed(entries[2], body={"n": 99}), *entries[3:]], 4),
        (lambda entries: [*entries[:4], rehashed(entries[4], previous=b"x" * 32)], 5),
        (lambda entries: [rehashed(entries[0], previous=b"x" * 32), *entries[1:]], 1),
    ],
    ids=[
        "an entry is missing",
        "two are swapped",
        "a body was changed",
        "an actor was changed",
        "a link was cut",
        "a body was changed and hashed anew",
        "the last entry follows another, hashed anew",
        "the first entry follows another, hashed anew",
    ],
)
async def test_whatever_is_changed_is_found_at_its_entry(database: Database, change: object, at: int) -> None:
    entries = await written(database)

    with pytest.raises(ChainBroken) as broken:
        chain.check_links(change(entries))  # type: ignore[operator]

    assert broken.value.seq == at


async def test_a_head_is_signed_once_and_by_the_polls_key(database: Database) -> None:
    await written(database)
    async with database.writing() as connection:
        first = await chain.sign_head(connection, NOW)
        again = await chain.sign_head(connection, NOW)
    async with database.reading() as connection:
        head = (await connection.execute(select(schema.head))).one()

    assert (first, again) == (5, None)
    VerifyKey(SECRETS.verify_key).verify(head_message(head.seq, head.hash), head.signature)
