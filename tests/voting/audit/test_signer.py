"""Whoever has the database alone can append nothing, and an older copy of it does not fit the head that was kept."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from forged_chain import STRANGER, anew, made, put
from nacl.signing import VerifyKey
from prepared import NOW, SECRETS
from sqlalchemy import select

from voting import schema
from voting.audit import chain
from voting.audit.chain import Act, ChainBroken, Entry, HeadNotContinued, NobodySigns
from voting.audit.signer import Head, KeptHeadDamaged, Signer, entry_message, head_message
from voting.kept_file import MODE
from voting.model import By
from voting.store.database import Database


async def write(database: Database, number: int = 5) -> list[Entry]:
    async with database.writing() as connection:
        acts = [Act("done", {"n": place}) for place in range(number)]
        return await chain.append_many(connection, acts, by=By.system(NOW))


@pytest.mark.parametrize(
    ("act", "at"),
    [
        pytest.param(lambda entries: [*entries, made(6, entries[-1].hash)], 6, id="appends an entry"),
        pytest.param(lambda entries: [replace(entries[0], signature=b""), *entries[1:]], 1, id="leaves one unsigned"),
        pytest.param(
            lambda entries: anew([*entries[:2], replace(entries[2], actor="Huw"), *entries[3:]]), 3, id="rewrites"
        ),
        pytest.param(lambda entries: anew([entries[1], entries[0], *entries[2:]]), 1, id="reorders"),
        pytest.param(lambda entries: anew(entries[1:]), 1, id="drops the first"),
        pytest.param(
            lambda entries: [*entries[:4], replace(entries[4], signature=entries[3].signature)], 5, id="copies a name"
        ),
    ],
)
async def test_the_databases_owner_cannot_sign(
    database: Database, act: Callable[[list[Entry]], list[Entry]], at: int
) -> None:
    await put(database, act(await write(database)))

    async with database.reading() as connection:
        with pytest.raises(ChainBroken, match="is not signed") as broken:
            await chain.walk(connection)

    assert broken.value.seq == at


async def test_an_entry_of_another_poll_is_not_signed_for_this_one(database: Database) -> None:
    """The poll's name is under the signature."""
    (entry,) = await write(database, 1)

    with pytest.raises(ChainBroken, match="is not signed"):
        chain.check_signature(entry, Signer(SECRETS).verify_key, "another")


async def test_without_the_key_nothing_is_written(database_url: str) -> None:
    database = Database(database_url)
    try:
        with pytest.raises(NobodySigns):
            await write(database)
        async with database.reading() as connection:
            assert await connection.scalar(select(schema.chain.c.seq)) is None
    finally:
        await database.close()


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer.beside(SECRETS, tmp_path / "ballotline.secrets")


@pytest.fixture
async def kept(database_url: str, signer: Signer) -> Database:
    """A database whose head is kept in a file; closed by the test's own loop at its end."""
    return Database(database_url, signer)


async def test_the_head_is_kept_before_the_transaction_returns(kept: Database, signer: Signer) -> None:
    try:
        entries = await write(kept)

        head = signer.kept()
        assert head is not None
        assert (head.seq, head.hash) == (5, entries[-1].hash)
        VerifyKey(SECRETS.verify_key).verify(head_message(head.seq, head.hash), head.signature)
        async with kept.writing() as connection:
            await chain.check_continues(connection)
            assert await chain.last_head(connection) is None
            assert await chain.sign_head(connection, NOW) == 5
            assert await chain.last_head(connection) == head
    finally:
        await kept.close()


async def test_what_was_rolled_back_is_not_kept(kept: Database, signer: Signer) -> None:
    try:
        with pytest.raises(ZeroDivisionError):
            async with kept.writing() as connection:
                await chain.append(connection, "done", {}, by=By.system(NOW))
                raise ZeroDivisionError
        async with kept.writing() as connection:
            await chain.check_continues(connection)
        assert signer.kept() is None
    finally:
        await kept.close()


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda entries, _signer: entries[:3], id="the tail is dropped"),
        pytest.param(
            lambda entries, signer: [*entries[:4], made(5, entries[3].hash, signer)], id="another fifth, even signed"
        ),
    ],
)
async def test_a_chain_that_does_not_continue_the_kept_head_is_refused(
    kept: Database, signer: Signer, act: Callable[[list[Entry], Signer], list[Entry]]
) -> None:
    """An older copy of the database, put back, holds together in itself: only what lies outside tells."""
    try:
        await put(kept, act(await write(kept), signer))

        async with kept.writing() as connection:
            await chain.walk(connection)
            with pytest.raises(HeadNotContinued, match="entry 5"):
                await chain.check_continues(connection)
            with pytest.raises(HeadNotContinued):
                await chain.sign_head(connection, NOW)
            assert await chain.last_head(connection) is None
    finally:
        await kept.close()


async def test_writing_on_after_a_rollback_does_not_hide_it(kept: Database) -> None:
    try:
        await put(kept, (await write(kept))[:3])
        for _ in range(4):  # beyond the entry that was kept
            await write(kept, 1)
        async with kept.reading() as connection:
            with pytest.raises(HeadNotContinued, match="entry 5"):
                await chain.check_continues(connection)
    finally:
        await kept.close()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b'{"seq":1,"hash":"zz","signature":""}',
        STRANGER.sign_head(1, bytes(32)).line,
        Head(1, bytes(32), b"").line,
    ],
    ids=["empty", "nothing in it", "a list", "no digits", "a stranger's", "no signature"],
)
def test_a_damaged_file_is_never_taken_for_none(signer: Signer, content: bytes) -> None:
    assert signer.file is not None
    signer.file.write_bytes(content)

    with pytest.raises(KeptHeadDamaged):
        signer.kept()
    with pytest.raises(KeptHeadDamaged):
        signer.keep(1, bytes(32))


def test_a_later_head_stays(signer: Signer) -> None:
    signer.keep(7, b"x" * 32)
    signer.keep(6, b"y" * 32)
    signer.keep(7, b"y" * 32)

    assert signer.kept() == signer.sign_head(7, b"x" * 32)
    assert signer.file is not None
    assert signer.file.stat().st_mode & 0o777 == MODE


def test_without_a_file_nothing_is_kept() -> None:
    Signer(SECRETS).keep(1, bytes(32))

    assert Signer(SECRETS).kept() is None


def test_the_bytes_under_a_signature_are_as_published() -> None:
    assert entry_message("p", 2, b"\1" * 32, b"\2" * 32) == b"ballotline entry 1|p|2|" + b"01" * 32 + b"|" + b"02" * 32
