"""After the count a purge leaves nothing that says whose a credential or a ballot is: no row, no page, no log."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from counting import close
from electorate import Electorate, Letter, credential_of, make_letters, open_electorate, pack_row
from prepared import NOW, POLL, rows
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from voting import schema
from voting.packs.forgetting import forget_credentials, refuse_when_forgotten
from voting.poll import polls
from voting.refusals import CredentialsForgotten
from voting.store.columns import METADATA
from voting.store.database import Database

TABLES = [table.name for table in METADATA.sorted_tables]
MEMBERS = 12


@pytest.fixture
async def town(database: Database) -> Electorate:
    """A counted poll: the last of the members voted first, the first two not at all; one has an older pack."""
    letters = make_letters(POLL, MEMBERS)
    older = Letter(1, 99, *(code for letter in make_letters(POLL, 1) for code in (letter.pack_code, letter.vote_code)))

    async def with_an_older_pack(connection: AsyncConnection) -> None:
        row = pack_row(POLL, older, serial=2, state="replaced", ended_at=NOW, ended_entry=4)
        await connection.execute(insert(schema.pack).values(row))

    town = await open_electorate(database, letters=letters, before_open=with_an_older_pack)
    for place, letter in enumerate(reversed(letters[2:])):
        await town.votes(letter, now=NOW + timedelta(minutes=place))
    await close(town)
    async with database.writing() as connection:
        await polls.mark_counted(connection)
    return town


async def forget(town: Electorate) -> int:
    async with town.database.writing() as connection:
        return await forget_credentials(connection)


async def test_locks_stay_and_say_nothing_of_ballots(town: Electorate) -> None:
    assert await forget(town) == MEMBERS + 1
    assert await forget(town) == 0

    lock, pack = schema.lock, schema.pack
    kept = await rows(town.database, lock, lock.c.member_id, lock.c.how, lock.c.receipt, lock.c.intent_id, lock.c.chat)
    assert kept == [(member, "online", None, None, None) for member in range(3, MEMBERS + 1)]
    closed_at = (await rows(town.database, schema.poll, schema.poll.c.closed_at))[0][0]
    assert {row[0] for row in await rows(town.database, lock, lock.c.at)} == {closed_at}
    columns = (pack.c.credential, pack.c.issued_entry, pack.c.ended_entry, pack.c.issued_at, pack.c.ended_at)
    assert set(await rows(town.database, pack, *columns)) == {
        (None, None, None, closed_at, None),
        (None, None, None, closed_at, closed_at),
    }
    assert await town.count("intent") == 0
    assert await town.broken_probes() == []


async def test_the_bundle_cannot_be_written_again_and_it_is_said(town: Electorate) -> None:
    async with town.database.reading() as connection:
        await refuse_when_forgotten(connection)
    await forget(town)

    async with town.database.reading() as connection:
        with pytest.raises(CredentialsForgotten, match="no bundle can be written again"):
            await refuse_when_forgotten(connection)


async def test_before_the_count_nothing_is_forgotten(database: Database) -> None:
    town = await open_electorate(database)
    await town.votes(town.letters[0])
    await close(town)

    assert await forget(town) == 0

    async with database.reading() as connection:
        assert await connection.scalar(select(schema.lock.c.receipt)) is not None
        await refuse_when_forgotten(connection)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE lock SET receipt = NULL, intent_id = NULL, chat = NULL WHERE how = 'online'",
        "UPDATE pack SET credential = NULL",
        "UPDATE pack SET issued_entry = NULL",
    ],
)
async def test_the_database_forgets_nothing_before_the_count(database: Database, statement: str) -> None:
    town = await open_electorate(database)
    await town.votes(town.letters[0])
    await close(town)

    with pytest.raises(IntegrityError):
        async with database.writing() as connection:
            await connection.execute(text(statement))


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"receipt": None}, id="a part"),
        pytest.param({"receipt": None, "intent_id": None, "chat": None, "how": "post"}, id="how"),
        pytest.param({"receipt": None, "intent_id": None, "chat": None, "pack_id": 1}, id="the pack"),
        pytest.param({"receipt": None, "intent_id": None, "chat": None, "member_id": 1}, id="the member"),
        pytest.param({"receipt": "ANOTHER"}, id="another receipt"),
    ],
)
async def test_after_the_count_a_lock_forgets_all_of_it_and_changes_nothing_else(
    town: Electorate, values: dict[str, object]
) -> None:
    with pytest.raises(IntegrityError):
        async with town.database.writing() as connection:
            await connection.execute(update(schema.lock).where(schema.lock.c.member_id == 3).values(values))


async def test_an_online_lock_is_never_written_without_its_ballot(database: Database) -> None:
    town = await open_electorate(database)
    intent = await town.opens_paper(town.letters[0])
    row = {"member_id": 1, "how": "online", "at": NOW, "pack_id": 1}
    whole = {"intent_id": intent, "receipt": "ABCD-EFGH-JKMN-PQRS", "chat": "telegram:1"}

    for name in whole:
        with pytest.raises(IntegrityError):
            async with database.writing() as connection:
                await connection.execute(insert(schema.lock).values(row | whole | {name: None}))


async def test_compacted_no_file_of_the_database_holds_a_receipt_or_an_unused_credential(
    town: Electorate, tmp_path: Path
) -> None:
    """Main file and log of SQLite; on PostgreSQL rows lie by member, not in the order in which they voted.

    Credentials that voted stay with their ballots, as they are published.
    """
    lock = schema.lock
    receipts = [str(row[0]).encode() for row in await rows(town.database, lock, lock.c.receipt)]
    secret = [*receipts, *(credential_of(letter, POLL.uuid) for letter in town.letters[:2])]
    async with town.database.writing() as connection:
        if town.database.is_sqlite:  # as another program has it
            await connection.exec_driver_sql("PRAGMA secure_delete = OFF")
        kept = await forget_credentials(connection)

    assert await town.database.compact(TABLES)

    assert kept == MEMBERS + 1
    if town.database.is_sqlite:
        main = Path(str(town.database.url.database))
        files = [path for path in main.parent.glob(f"{main.name}*") if path.suffix != ".head"]
        assert main in files
        for path in files:
            data = await asyncio.to_thread(path.read_bytes)
            assert not [each for each in secret if each in data], path
    else:
        async with town.database.reading() as connection:
            found = await connection.execute(text("SELECT member_id FROM lock ORDER BY ctid"))
            assert [row[0] for row in found] == list(range(3, MEMBERS + 1))


async def test_who_still_reads_the_old_is_noticed(town: Electorate) -> None:
    async with town.database.reading() as connection:
        if not town.database.is_sqlite:
            await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        await connection.execute(text("SELECT count(*) FROM chain"))
        await forget(town)

        assert not await town.database.compact(["roll_file"])

    assert await town.database.compact(TABLES)
