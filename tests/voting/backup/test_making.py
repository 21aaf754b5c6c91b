"""A backup: all that is there at one moment, without what people typed, checked, or not there at all."""

import asyncio
import errno
import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pyrage
import pytest
from backups import OF_THE_HOUR, TYPED, age_keys, back_up, keys_changed, left_in, opens_a_paper
from electorate import Electorate, open_electorate
from prepared import NOW, SECRETS, rows
from sqlalchemy import insert, text

from bot.schema import inbox
from voting import schema, secrets_file
from voting.backup import copying, file, making
from voting.backup.making import secrets_of
from voting.backup.refusals import BackupExists, BackupFaulty, BackupUnwritable
from voting.backup.withheld import Withheld
from voting.refusals import ForeignSecrets, RecipientUnusable
from voting.store.database import Database


@pytest.fixture
async def town(database: Database) -> Electorate:
    """Eight members; three have voted, one has a paper open."""
    town = await open_electorate(database, members=8)
    for letter in town.letters[:3]:
        await town.votes(letter)
    await opens_a_paper(town)
    return town


async def test_a_backup_is_two_files_for_the_owner_alone_and_nothing_beside_them(
    town: Electorate, tmp_path: Path
) -> None:
    folder = tmp_path / "a folder? with #odd %name"
    folder.mkdir()

    made = await back_up(town.database, folder / "monday.db")

    assert left_in(folder) == {"monday.db", "monday.db.secrets"}
    assert [path.stat().st_mode & 0o777 for path in folder.iterdir()] == [0o600, 0o600]
    assert (made.file, made.secrets_file) == (folder / "monday.db", folder / "monday.db.secrets")
    assert (made.made_at, made.encrypted) == (NOW, False)
    assert made.sha256 == hashlib.sha256(made.file.read_bytes()).hexdigest()
    assert made.entries == made.rows["chain"] == await town.count("chain")
    assert {name: made.rows[name] for name in ("member", "lock", "poll")} == {"member": 8, "lock": 3, "poll": 1}


async def test_the_file_is_a_database_at_rest_without_free_pages(town: Electorate, tmp_path: Path) -> None:
    await back_up(town.database, tmp_path / "b.db")

    with closing(sqlite3.connect(f"file:{tmp_path / 'b.db'}?mode=ro", uri=True)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert connection.execute("SELECT form, made_at FROM ballotline_backup").fetchone()[0] == 1
        judges = connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'").fetchone()[0]
    assert judges > 20


async def test_what_people_typed_stays_behind_and_the_key_for_it(town: Electorate, tmp_path: Path) -> None:
    made = await back_up(town.database, tmp_path / "b.db")

    assert TYPED not in made.file.read_bytes()
    assert [row[0] for row in await rows(town.database, schema.intent, schema.intent.c.credential_secret)].count(
        TYPED
    ) == 1
    secrets_file.save(tmp_path / "live", SECRETS)
    assert keys_changed(tmp_path / "live", made.secrets_file) == OF_THE_HOUR
    assert secrets_file.load(made.secrets_file) == SECRETS


async def test_rows_and_values_that_are_withheld_are_not_there(town: Electorate, tmp_path: Path) -> None:
    row = {"source": "telegram", "queue": "telegram:1", "payload": TYPED, "received_at": NOW}
    async with town.database.writing() as connection:
        await connection.execute(insert(inbox), [row | {"key": state, "state": state} for state in ("new", "failed")])
    rule = Withheld(inbox, inbox.c.state != "new", {"payload": lambda payload: payload + b", long ago"})

    made = await back_up(town.database, tmp_path / "b.db", withheld=[rule])

    assert made.rows["inbox"] == 1
    with closing(sqlite3.connect(made.file)) as connection:
        found = connection.execute("SELECT state, payload FROM inbox").fetchall()
    assert found == [("failed", TYPED + b", long ago")]


async def test_while_votes_are_cast_a_backup_is_of_one_moment(town: Electorate, tmp_path: Path) -> None:
    """Its probes hold, so no lock is there without its ballot and its entry."""
    voting = asyncio.create_task(_vote_all(town))
    made = [await back_up(town.database, tmp_path / f"{n}.db") for n in range(2)]
    await voting

    assert 3 <= made[0].rows["lock"] <= made[1].rows["lock"] <= 8
    assert await town.count("lock") == 8
    for each in made:
        async with file.opened(each.file, SECRETS) as connection:
            assert await file.first_fault(connection) is None


async def _vote_all(town: Electorate) -> None:
    for letter in town.letters[3:]:
        await town.votes(letter)


async def test_progress_is_told_table_by_table(
    town: Electorate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "ROWS", 5)
    told: list[tuple[str, int, int]] = []

    await back_up(town.database, tmp_path / "b.db", progress=lambda *far: told.append(far))

    assert [far for far in told if far[0] == "member"] == [("member", 5, 8), ("member", 8, 8)]


async def test_for_a_recipient_both_are_encrypted_and_the_clear_is_written_in_the_working_folder_only(
    town: Electorate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipient, identity = age_keys(tmp_path)
    working, target = tmp_path / "working", tmp_path / "elsewhere"
    working.mkdir()
    target.mkdir()
    seen: list[set[str]] = []
    real = file.lay_to_rest
    monkeypatch.setattr(file, "lay_to_rest", lambda path: (seen.append(left_in(target)), real(path)))

    made = await back_up(town.database, target / "b.db", working=working, recipient=recipient)

    assert seen == [set()]
    assert left_in(target) == {"b.db", "b.db.secrets"}
    assert left_in(working) == set()
    assert [path.stat().st_mode & 0o777 for path in target.iterdir()] == [0o600, 0o600]
    key = pyrage.x25519.Identity.from_str(identity.read_text().splitlines()[1])
    assert made.encrypted
    assert pyrage.decrypt(made.file.read_bytes(), [key]).startswith(b"SQLite format 3")
    assert b"code_key" in pyrage.decrypt(made.secrets_file.read_bytes(), [key])


@pytest.mark.parametrize("name", ["b.db", "b.db.secrets"])
async def test_nothing_is_written_over(town: Electorate, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / name).write_text("mine")

    with pytest.raises(BackupExists, match=name):
        await back_up(town.database, folder / "b.db")

    assert left_in(folder) == {name}
    assert (folder / name).read_text() == "mine"


async def test_a_recipient_that_is_none_is_refused_before_anything_is_written(town: Electorate, tmp_path: Path) -> None:
    with pytest.raises(RecipientUnusable):
        await back_up(town.database, tmp_path / "b.db", recipient="age1nobody")

    assert not (tmp_path / "b.db").exists()


async def test_a_folder_that_is_not_there_is_said(town: Electorate, tmp_path: Path) -> None:
    with pytest.raises(BackupUnwritable, match="No such file or directory"):
        await back_up(town.database, tmp_path / "nowhere" / "b.db")


@pytest.mark.parametrize(
    ("broken", "said"),
    [(OSError(errno.ENOSPC, "No space left on device"), "No space left"), (OSError("odd"), "odd")],
    ids=["with its reason", "with a sentence only"],
)
async def test_a_disk_that_refuses_leaves_neither_file(
    town: Electorate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: OSError, said: str
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()

    def refuse(path: Path) -> None:
        raise broken

    monkeypatch.setattr(making, "make_durable", refuse)

    with pytest.raises(BackupUnwritable, match=said):
        await back_up(town.database, folder / "b.db")

    assert left_in(folder) == set()


async def test_a_database_that_refuses_is_said_in_its_own_words(
    town: Electorate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*given: object) -> None:
        async with town.database.reading() as connection:
            await connection.execute(text("SELECT 1 FROM nowhere"))

    monkeypatch.setattr(making, "copy_tables", refuse)

    with pytest.raises(BackupUnwritable, match="nowhere"):
        await back_up(town.database, tmp_path / "b.db")

    assert not secrets_of(tmp_path / "b.db").exists()


CHANGES = {
    "an entry": ("chain", "UPDATE chain SET actor = 'Huw' WHERE seq = 2", "does not say what was hashed"),
    "a pack": ("pack", "UPDATE pack SET state = 'void' WHERE id = 1", "no lock used a pack that was"),
}


@pytest.mark.parametrize(("table", "change", "said"), CHANGES.values(), ids=CHANGES.keys())
async def test_what_does_not_hold_is_removed_and_said(
    town: Electorate, tmp_path: Path, table: str, change: str, said: str
) -> None:
    from forged_chain import without_triggers

    async with town.database.writing() as connection:
        await without_triggers(connection, table)
        await connection.execute(text(change))

    with pytest.raises(BackupFaulty, match=said):
        await back_up(town.database, tmp_path / "b.db")

    assert not (tmp_path / "b.db").exists()
    assert not secrets_of(tmp_path / "b.db").exists()


async def test_a_table_that_nobody_knows_is_not_forgotten_in_silence(town: Electorate, tmp_path: Path) -> None:
    async with town.database.writing() as connection:
        await connection.execute(text("CREATE TABLE newer (id integer)"))

    with pytest.raises(copying.TablesUnknown, match="newer"):
        await back_up(town.database, tmp_path / "b.db")

    assert not (tmp_path / "b.db").exists()


async def test_with_the_secrets_of_another_poll_there_is_no_backup(town: Electorate, tmp_path: Path) -> None:
    with pytest.raises(ForeignSecrets):
        await making.make(town.database, secrets_file.make(), tmp_path / "b.db", working=tmp_path, now=NOW)
