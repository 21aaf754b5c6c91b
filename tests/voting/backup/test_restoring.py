"""A poll from a backup: the same rows on either engine, in an empty place only, and known what was lost."""

import dataclasses
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from backups import OF_THE_HOUR, age_keys, back_up, everything, keys_changed, left_in, restore_into
from counting import close, counted
from electorate import Electorate, open_electorate
from prepared import NOW, SECRETS, later
from sqlalchemy import insert, text

from voting import schema, secrets_file
from voting.audit import chain
from voting.audit.resuming import resume_and_sign
from voting.audit.signer import Signer
from voting.backup import file
from voting.backup.making import secrets_of
from voting.backup.refusals import (
    BackupOfOtherVersion,
    BackupUnreadable,
    DatabaseTaken,
    HeadUnusable,
    IdentityForeign,
    IdentityMissing,
    IdentityUnusable,
    SecretsTaken,
)
from voting.model import By
from voting.packs.forgetting import forget_credentials
from voting.refusals import DatabaseUnreachable, Fault, ForeignSecrets, NoPoll, SecretsMissing
from voting.store.database import Database
from voting.verify.verify import verify

NAME = "ballotline.secrets"


@pytest.fixture
async def town(database: Database) -> Electorate:
    """Six members; three have voted."""
    town = await open_electorate(database, members=6)
    for letter in town.letters[:3]:
        await town.votes(letter)
    return town


@pytest.fixture
async def kept(town: Electorate, tmp_path: Path) -> Path:
    """A backup of them."""
    return (await back_up(town.database, tmp_path / "b.db")).file


@pytest.fixture
async def place(new_database: Any) -> AsyncIterator[str]:
    """An empty database on the same engine."""
    async with new_database() as url:
        yield url


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """The folder of a new machine, where the secrets go."""
    (tmp_path / "machine").mkdir()
    return tmp_path / "machine"


@pytest.fixture
def file_url(tmp_path: Path) -> str:
    """A file that is not there yet."""
    return f"sqlite+aiosqlite:///{tmp_path / 'machine' / 'ballotline.db'}"


async def test_every_row_comes_back_and_the_service_can_go_on(
    town: Electorate, kept: Path, place: str, machine: Path
) -> None:
    done = await restore_into(place, machine / NAME, kept)

    restored = Database(place, Signer.beside(SECRETS, machine / NAME))
    try:
        assert await everything(restored) == await everything(town.database)
        assert (done.made_at, done.lost) == (NOW, None)
        assert done.entries == await town.count("chain")
        again = dataclasses.replace(town, database=restored)
        await again.votes(town.letters[3])
        assert await again.broken_probes() == []
        async with restored.writing() as connection:  # rows that count by themselves go on after the last
            row = {"member_no": "new", "language": "cy", "area": "Gwent", "country": "GB", "eligible": False}
            assert (await connection.execute(insert(schema.member), row)).inserted_primary_key == (7,)
        with pytest.raises(Exception, match="for ever"):  # the judges are back
            async with restored.writing() as connection:
                await connection.execute(text("DELETE FROM lock"))
    finally:
        await restored.close()


async def test_secrets_come_back_with_a_fresh_key_for_what_is_typed(kept: Path, place: str, machine: Path) -> None:
    await restore_into(place, machine / NAME, kept)

    secrets_file.save(machine / "live", SECRETS)
    assert keys_changed(machine / "live", machine / NAME) == OF_THE_HOUR
    assert keys_changed(secrets_of(kept), machine / NAME) == OF_THE_HOUR
    assert (machine / NAME).stat().st_mode & 0o777 == 0o600


async def test_a_backup_of_one_engine_is_restored_into_the_other(
    town: Electorate, kept: Path, place: str, machine: Path, file_url: str, tmp_path: Path
) -> None:
    """Into a file of SQLite, and from there back into the engine it came from."""
    await restore_into(file_url, machine / NAME, kept)
    between = Database(file_url, Signer(SECRETS))
    await back_up(between, tmp_path / "c.db")
    await between.close()
    await restore_into(place, machine / NAME, tmp_path / "c.db")

    restored = Database(place)
    found = await everything(restored)
    await restored.close()
    assert found == await everything(town.database)


async def test_what_a_purge_has_forgotten_can_be_restored(
    town: Electorate, place: str, machine: Path, tmp_path: Path
) -> None:
    """A lock that forgot its ballot would be refused as a new one."""
    async with town.database.writing() as connection:
        await connection.execute(text("UPDATE poll SET phase = 'counted', closed_at = opened_at"))
        await forget_credentials(connection)
    made = await back_up(town.database, tmp_path / "b.db")

    done = await restore_into(place, machine / NAME, made.file)

    assert done.rows["lock"] == 3


async def test_an_encrypted_backup_is_opened_by_its_identity(
    town: Electorate, place: str, machine: Path, tmp_path: Path
) -> None:
    recipient, identity = age_keys(tmp_path)
    made = await back_up(town.database, tmp_path / "b.db", recipient=recipient)

    done = await restore_into(place, machine / NAME, made.file, identity=identity)

    assert done.rows["lock"] == 3
    assert left_in(machine) == {NAME}  # nothing in the clear


async def test_an_encrypted_backup_is_refused_without_its_identity(
    town: Electorate, file_url: str, machine: Path, tmp_path: Path
) -> None:
    recipient, identity = age_keys(tmp_path)
    made = await back_up(town.database, tmp_path / "b.db", recipient=recipient)

    with pytest.raises(IdentityMissing, match=r"b\.db"):
        await restore_into(file_url, machine / NAME, made.file)
    _, other = age_keys(tmp_path)
    with pytest.raises(IdentityForeign, match="another key"):
        await restore_into(file_url, machine / NAME, made.file, identity=other)
    identity.write_text("# nothing here\n")
    with pytest.raises(IdentityUnusable, match=r"AGE-SECRET-KEY-1\."):
        await restore_into(file_url, machine / NAME, made.file, identity=identity)

    assert left_in(machine) == set()


async def test_where_there_is_something_nothing_is_restored(
    town: Electorate, kept: Path, database_url: str, machine: Path
) -> None:
    before = await everything(town.database)

    with pytest.raises(DatabaseTaken, match="table"):
        await restore_into(database_url, machine / NAME, kept)

    assert await everything(town.database) == before
    assert not (machine / NAME).exists()


async def test_somebody_elses_database_is_not_touched(kept: Path, file_url: str, machine: Path) -> None:
    theirs = machine / "ballotline.db"
    with closing(sqlite3.connect(theirs)) as connection, connection:
        connection.execute("CREATE TABLE songs (title text)")
        connection.execute("INSERT INTO songs VALUES ('Calon Lân')")

    with pytest.raises(DatabaseTaken, match="songs"):
        await restore_into(file_url, machine / NAME, kept)
    theirs.unlink()
    theirs.write_text("no database, but somebody's words all the same\n" * 40)
    with pytest.raises(DatabaseUnreachable, match="not a database"):
        await restore_into(file_url, machine / NAME, kept)

    assert theirs.read_text().startswith("no database, but somebody's words")


async def test_other_secrets_stay_and_the_same_do_not_mind(
    kept: Path, place: str, file_url: str, machine: Path
) -> None:
    secrets_file.save(machine / NAME, secrets_file.make())
    others = (machine / NAME).read_bytes()
    with pytest.raises(SecretsTaken):
        await restore_into(place, machine / NAME, kept)
    assert (machine / NAME).read_bytes() == others

    (machine / NAME).unlink()
    secrets_file.save(machine / NAME, SECRETS)  # as a restore leaves them that was cut off
    ours = (machine / NAME).read_bytes()
    await restore_into(place, machine / NAME, kept)

    assert (machine / NAME).read_bytes() == ours


async def test_files_that_are_no_backup_are_refused_each_with_a_sentence(
    kept: Path, file_url: str, machine: Path, tmp_path: Path
) -> None:
    async def refused(kind: type[Exception], said: str) -> None:
        with pytest.raises(kind, match=said):
            await restore_into(file_url, machine / NAME, odd, secrets=secrets_of(kept))
        assert not (machine / NAME).exists()

    odd = tmp_path / "odd"
    odd.write_text("member_no,name\n" * 100)
    await refused(BackupUnreadable, "not a database")
    odd.unlink()
    with closing(sqlite3.connect(odd)) as connection, connection:
        connection.execute("CREATE TABLE songs (title text)")
    await refused(BackupUnreadable, "it has no table alembic_version")
    for change, kind, said in (
        ("UPDATE ballotline_backup SET form = 2", BackupUnreadable, "its form is 2"),
        ("UPDATE alembic_version SET version_num = '9999'", BackupOfOtherVersion, "9999"),
        ("UPDATE pack SET state = 'void' WHERE id = 1", BackupUnreadable, "no lock used a pack"),
        ("DELETE FROM member WHERE id = 6", BackupUnreadable, "a row of pack refers to one that is not there"),
        ("DROP TRIGGER poll_stays; DELETE FROM poll", NoPoll, "no poll"),
        ("DROP TABLE head", BackupUnreadable, "it has no table head"),
    ):
        shutil.copyfile(kept, odd)
        with closing(sqlite3.connect(odd)) as connection, connection:
            connection.executescript(change)
        await refused(kind, said)
    shutil.copyfile(kept, odd)
    data = bytearray(odd.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 8192] = b"\xff" * 8192
    odd.write_bytes(data)
    await refused(BackupUnreadable, "odd")


async def test_secrets_must_be_those_of_the_poll(kept: Path, file_url: str, machine: Path, tmp_path: Path) -> None:
    secrets_file.save(tmp_path / "other", secrets_file.make())
    with pytest.raises(ForeignSecrets):
        await restore_into(file_url, machine / NAME, kept, secrets=tmp_path / "other")
    (tmp_path / "torn").write_text("{")
    with pytest.raises(SecretsMissing, match="torn"):
        await restore_into(file_url, machine / NAME, kept, secrets=tmp_path / "torn")


async def test_rows_that_do_not_hold_in_their_new_place_are_not_kept(
    kept: Path, place: str, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = file.first_untruth
    answers = iter([None, "the engine mixed them up"])

    async def found(connection: object, **named: bool) -> str | None:
        await real(connection, **named)  # type: ignore[arg-type]
        return next(answers)

    monkeypatch.setattr(file, "first_untruth", found)

    with pytest.raises(Fault, match="mixed them up"):
        await restore_into(place, machine / NAME, kept)

    monkeypatch.undo()
    assert (await restore_into(place, machine / NAME, kept)).rows["lock"] == 3  # the place is empty still


async def test_a_head_is_taken_only_if_our_key_signed_it(
    kept: Path, file_url: str, machine: Path, tmp_path: Path
) -> None:
    head = tmp_path / "head.json"
    head.write_bytes(Signer(secrets_file.make()).sign_head(99, b"h" * 32).line)

    with pytest.raises(HeadUnusable, match=r"head\.json"):
        await restore_into(file_url, machine / NAME, kept, head=head)

    assert not (machine / NAME).exists()


async def test_a_head_of_the_restored_chain_means_that_nothing_is_lost(
    town: Electorate, kept: Path, place: str, machine: Path, tmp_path: Path
) -> None:
    head = tmp_path / "head.json"
    async with town.database.reading() as connection:
        last = [entry async for entry in chain.entries(connection)][-1]
    head.write_bytes(Signer(SECRETS).sign_head(last.seq, last.hash).line)

    done = await restore_into(place, machine / NAME, kept, head=head)

    assert done.lost is None
    assert Signer.beside(SECRETS, machine / NAME).kept() == Signer(SECRETS).read(head.read_bytes())


async def test_the_drill_back_up_in_mid_vote_lose_the_machine_restore_go_on_count(
    town: Electorate, kept: Path, place: str, machine: Path, tmp_path: Path
) -> None:
    """Five vote before the machine is lost, two of them after the backup; these two vote again with the same codes."""
    first_receipt = (await town.votes(town.letters[3], option=1)).receipt
    await town.votes(town.letters[4], option=1)
    async with town.database.writing() as connection:
        await chain.sign_head(connection, NOW)
        last = await chain.last_head(connection)
    assert last is not None
    (tmp_path / "head.json").write_bytes(last.line)  # as others keep it; of the machine nothing else is left

    done = await restore_into(place, machine / NAME, kept, head=tmp_path / "head.json")
    restored = Database(place, Signer.beside(secrets_file.load(machine / NAME), machine / NAME))
    try:
        assert done.lost == last
        async with restored.reading() as connection:
            with pytest.raises(chain.HeadNotContinued):
                await chain.check_continues(connection)
        for name in ("Gwen", "Huw"):
            async with restored.writing() as connection:
                await resume_and_sign(connection, by=By(name, "command line", later(hours=1)))
        after = dataclasses.replace(town, database=restored)
        again = await after.votes(town.letters[3], option=1, now=later(hours=2))
        await after.votes(town.letters[4], option=1, now=later(hours=2))
        await after.votes(town.letters[5], option=1, now=later(hours=2))
        await close(after)
        bundle = await counted(after, tmp_path)

        assert again.receipt != first_receipt
        assert await after.broken_probes() == []
        assert verify(bundle).ok
        [row] = (await everything(restored))["result"]
        assert [option["online"] for option in row["body"]["questions"][0]["options"]] == [3, 3]
    finally:
        await restored.close()
