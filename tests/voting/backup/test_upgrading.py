"""The poll of a released version in a later one: brought up in one step after a backup, or left as it was."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from backups import everything, left_in, restore_into
from counting import close
from electorate import Electorate
from prepared import GWEN, NOW
from sqlalchemy import text
from sqlalchemy.engine import make_url
from upgrades import LATER, RELEASED, REVISION, kept_file, later_version, letters_of, schema_in_words

from voting import secrets_file
from voting.audit import chain
from voting.audit.signer import Signer
from voting.backup import file, upgrading
from voting.backup.refusals import UpgradeFailed, UpgradeMidCount
from voting.backup.upgrading import Upgraded, bring_up_to_date
from voting.count.count import count
from voting.poll import polls
from voting.refusals import DatabaseBehind
from voting.secrets_file import Secrets
from voting.store.database import Database
from voting.store.revision import check, revisions
from voting.store.upgrade import upgrade
from voting.verify.verify import verify

ADDS = ("ALTER TABLE member ADD COLUMN later text", "CREATE TABLE later (id integer PRIMARY KEY)")
REGENERATE = "0.2.0 is not released yet: make its files again by `python -m tests.released`. Once it is: a migration."


@pytest.fixture
async def empty_url(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """A database without anything."""
    if engine_name == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'ballotline.db'}"
        return
    owner = request.getfixturevalue("postgres_owner")
    name = f"empty_{id(tmp_path)}"
    await owner.does(f"CREATE DATABASE {name}")
    url = make_url(request.getfixturevalue("postgres_url")).set(database=name)
    yield url.render_as_string(hide_password=False)
    await owner.does(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def secrets() -> Secrets:
    """The secrets of the poll that is kept."""
    return secrets_file.load(RELEASED / REVISION / "secrets.json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where backups go."""
    (tmp_path / "backups").mkdir()
    return tmp_path / "backups"


@pytest.fixture
async def kept_url(empty_url: str, engine_name: str) -> str:
    """The database of 0.2.0 that is kept."""
    url = make_url(empty_url)
    if engine_name == "sqlite":
        _write(str(url.database), kept_file(REVISION, "ballotline.db"))
        return empty_url
    connection = await asyncpg.connect(_plain(empty_url))
    await connection.execute(kept_file(REVISION, "ballotline.sql").decode())
    await connection.close()
    return empty_url


@pytest.fixture
async def kept(kept_url: str, secrets: Secrets) -> AsyncIterator[Database]:
    """The same, opened."""
    database = Database(kept_url, Signer(secrets))
    yield database
    await database.close()


def _write(path: str, content: bytes) -> None:
    Path(path).write_bytes(content)


def _two_shares(folder: Path) -> list[Path]:
    """Copies: a share notes what it decrypted."""
    shares = sorted((RELEASED / REVISION).glob("share-*.json"))[:2]
    return [Path(shutil.copy(share, folder)) for share in shares]


def _plain(url: str) -> str:
    return url.replace("postgresql+asyncpg://", "postgresql://")


async def test_what_is_kept_has_the_schema_of_its_revision(kept: Database, database: Database) -> None:
    """The migration of a released version never changes."""
    fresh = await schema_in_words(database)

    assert revisions()[0] == REVISION
    if revisions()[-1] == REVISION:
        assert await schema_in_words(kept) == fresh, REGENERATE


async def test_a_poll_in_mid_vote_goes_on_in_the_later_version(
    kept: Database, secrets: Secrets, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost on the way; it is voted, counted and verified."""
    before, schema = await everything(kept), await schema_in_words(kept)
    later_version(monkeypatch, tmp_path, *ADDS)
    with pytest.raises(DatabaseBehind, match="older version"):
        await check(kept)

    done = await bring_up_to_date(kept, secrets, folder, now=NOW)

    assert done is not None
    assert (done.before, done.revision, await check(kept)) == (REVISION, LATER, LATER)
    assert await everything(kept) == before
    added = await schema_in_words(kept) - schema
    assert any("later" in words for words in added)
    town = Electorate(kept, letters_of(REVISION), secrets=secrets)
    await town.votes(town.letters[6])
    assert await town.broken_probes() == []
    await close(town)
    await count(kept, _two_shares(tmp_path), tmp_path / "bundle", secrets=secrets, by=GWEN, publish_small=True)
    assert verify(tmp_path / "bundle").problems == ()


async def test_the_backup_is_what_was_there_before(
    kept: Database, secrets: Secrets, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The version before restores it; so does the later one."""
    before = await everything(kept)
    with monkeypatch.context() as later:
        later_version(later, tmp_path, "CREATE INDEX later ON member (country)")
        done = await bring_up_to_date(kept, secrets, folder, now=NOW)
        assert done is not None
        (tmp_path / "later").mkdir()
        url = f"sqlite+aiosqlite:///{tmp_path / 'later' / 'ballotline.db'}"
        await restore_into(url, tmp_path / "later" / "secrets", done.backup.file)
        restored = Database(url, Signer(secrets))
        assert await check(restored) == LATER
        await restored.close()

    name = f"before-{LATER}-20220803T100000Z.db"
    assert left_in(folder) == {name, f"{name}.secrets"}
    assert {path.stat().st_mode & 0o777 for path in (done.backup.file, done.backup.secrets_file)} == {0o600}
    assert done.backup.file == folder / name
    (tmp_path / "machine").mkdir()
    url = f"sqlite+aiosqlite:///{tmp_path / 'machine' / 'ballotline.db'}"
    await restore_into(url, tmp_path / "machine" / "secrets", done.backup.file)
    restored = Database(url, Signer(secrets))
    again = await everything(restored)
    await restored.close()
    for intent in before["intent"]:
        intent["credential_secret"] = None  # what was typed a moment ago does not travel
    assert again == before


FAILING = {
    "a statement that fails": ((*ADDS, "INSERT INTO nowhere VALUES (1)"), "nowhere"),
    "rows that do not hold afterwards": (("DELETE FROM head", *ADDS, "{no_judge}", "DELETE FROM lock"), "lock"),
}


@pytest.mark.parametrize(("statements", "problem"), FAILING.values(), ids=FAILING)
async def test_an_upgrade_that_fails_leaves_everything_as_it_was(
    statements: tuple[str, ...],
    problem: str,
    kept: Database,
    secrets: Secrets,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also what ran before the step that failed; and no backup is left for each time that the service tries."""
    judge = "DROP TRIGGER lock_never_delete" if kept.is_sqlite else "ALTER TABLE lock DISABLE TRIGGER USER"
    before = await everything(kept), await schema_in_words(kept)
    with monkeypatch.context() as later:
        later_version(later, tmp_path, *(one.format(no_judge=judge) for one in statements))

        with pytest.raises(UpgradeFailed, match=f"as it was.*{REVISION}.*{problem}"):
            await bring_up_to_date(kept, secrets, folder, now=NOW)

    assert (await everything(kept), await schema_in_words(kept)) == before
    assert left_in(folder) == set()
    assert await check(kept) == REVISION
    town = Electorate(kept, letters_of(REVISION), secrets=secrets)
    await town.votes(town.letters[6])


async def test_during_the_count_it_is_refused_and_after_it_goes(
    kept: Database, secrets: Secrets, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later_version(monkeypatch, tmp_path, *ADDS)
    async with kept.writing() as connection:
        await polls.close_poll(connection, by=GWEN)
        await chain.append(connection, "ballots_closed", {"n": 3}, by=GWEN)

    with pytest.raises(UpgradeMidCount, match=f"The count has begun.*{REVISION}"):
        await bring_up_to_date(kept, secrets, folder, now=NOW)
    assert left_in(folder) == set()
    async with kept.writing() as connection:
        await chain.append(connection, "counted", {"result": ""}, by=GWEN)
    monkeypatch.setattr(file, "first_untruth", _holds)  # there is no result to agree with
    assert await bring_up_to_date(kept, secrets, folder, now=NOW) is not None


async def _holds(*_given: object, **_named: object) -> None:
    """Find nothing wrong."""


async def test_of_two_processes_one_does_it(
    kept_url: str, secrets: Secrets, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later_version(monkeypatch, tmp_path, *ADDS)
    both = [Database(kept_url, Signer(secrets)) for _ in range(2)]

    done = await asyncio.gather(*(bring_up_to_date(one, secrets, folder, now=NOW) for one in both))

    assert [type(one) for one in done].count(Upgraded) == 1
    assert done.count(None) == 1
    for one in both:
        await one.close()


async def test_nobody_writes_between_the_backup_and_the_upgrade(
    kept: Database, kept_url: str, secrets: Secrets, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later_version(monkeypatch, tmp_path, *ADDS)
    real, refused = upgrading.make, []

    async def make(*given: Any, **named: Any) -> Any:
        made = await real(*given, **named)
        refused.append(await _refused_writing(kept_url))
        return made

    monkeypatch.setattr(upgrading, "make", make)

    assert await bring_up_to_date(kept, secrets, folder, now=NOW) is not None
    assert refused == [True]


async def _refused_writing(url: str) -> bool:
    statement = "UPDATE staff SET language = 'cy'"
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(str(make_url(url).database), timeout=0)) as other:
            try:
                other.execute(statement)
            except sqlite3.OperationalError as problem:
                return "locked" in str(problem)
        return False
    connection = await asyncpg.connect(_plain(url))
    try:
        await connection.execute(f"SET lock_timeout = 100; {statement}")
    except asyncpg.LockNotAvailableError:
        return True
    finally:
        await connection.close()
    return False


async def test_where_no_poll_is_held_there_is_nothing_to_keep(
    empty_url: str, secrets: Secrets, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = Database(empty_url, Signer(secrets))
    assert await bring_up_to_date(empty, secrets, folder, now=NOW) is None
    assert await check(empty) == REVISION
    later_version(monkeypatch, tmp_path, *ADDS)

    assert await bring_up_to_date(empty, secrets, folder, now=NOW) is None
    assert await check(empty) == LATER
    assert await bring_up_to_date(empty, secrets, folder, now=NOW) is None
    assert left_in(folder) == set()
    await empty.close()


async def test_a_backup_leaves_out_what_the_older_version_does_not_have(
    kept: Database, secrets: Secrets, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if a column and a table had come with the later version."""
    await _runs(kept, "ALTER TABLE staff DROP COLUMN duty_order", "DROP TABLE login_link")
    later_version(
        monkeypatch,
        tmp_path,
        "ALTER TABLE staff ADD COLUMN duty_order integer",
        "CREATE TABLE login_link (token_hash bytea PRIMARY KEY, staff_id bigint, expires_at bigint, used_at bigint)",
    )

    done = await bring_up_to_date(kept, secrets, folder, now=NOW)

    assert done is not None
    assert (done.backup.rows["staff"], done.backup.rows.get("login_link")) == (1, None)
    assert [row["duty_order"] for row in (await everything(kept))["staff"]] == [None]


async def _runs(database: Database, *statements: str) -> None:
    async with database.writing() as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def test_an_upgrade_in_steps_may_end_before_the_newest(
    empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later_version(monkeypatch, tmp_path, *ADDS)
    database = Database(empty_url)

    assert await upgrade(database, REVISION) == REVISION
    assert await upgrade(database) == LATER
    await database.close()
